// SPDX-License-Identifier: Apache-2.0
/*
 * Rate limits: exact sliding windows, one per policy and identity, the same for all
 * gateways by one atomic script in Redis. All policies of a call are counted in one round
 * trip; a call that one of them refuses counts against none. An identity that calls often
 * and is far from its limit gets permits in advance (gateway/edge/lease.h): while all
 * policies of a call have some, nobody is asked. Without Redis each loop counts for
 * itself, with its share of each limit (kit/guard/window.h).
 */
#ifndef GATEWAY_EDGE_LIMIT_H
#define GATEWAY_EDGE_LIMIT_H

#include "gateway/edge/lease.h"
#include "gateway/edge/route.h"
#include "kit/cache/redis.h"

struct limiter;

#define LIMIT_EVERYWHERE ((1u << ROUTE_CLASS_COUNT) - 1)

/*
 * The table of policies; their settings are VIADUCT_LIMIT_NAME and
 * VIADUCT_LIMIT_NAME_WINDOW_S, and X is handed on to each row.
 *
 *   symbol, member and name of settings, name in headers, identity, classes of routes,
 *   leases, default limit, default window in s, what is counted
 *
 * A user's keys count for the user too, or keys would be a way around that limit. The
 * tenant is the user's, as an administrator set it: a claim of access tokens, and what
 * users tells of a key. No limit of tenants unless it is set.
 */
#define LIMIT_POLICIES(P, X)                                                            \
    P(X, LIMIT_IP, ip, "IP", "ip", ip, LIMIT_EVERYWHERE, true, "1200", "60",            \
      "calls of one address")                                                           \
    P(X, LIMIT_USER, user, "USER", "user", user, LIMIT_EVERYWHERE, true, "600", "60",   \
      "calls of one user")                                                              \
    P(X, LIMIT_KEY, key, "KEY", "key", key, LIMIT_EVERYWHERE, true, "600", "60",        \
      "calls with one API key")                                                         \
    P(X, LIMIT_TENANT, tenant, "TENANT", "tenant", tenant, LIMIT_EVERYWHERE, true, "0", \
      "60", "calls of all users of one tenant")                                         \
    P(X, LIMIT_SIGN_IN, sign_in, "SIGN_IN", "sign-in", ip, 1u << ROUTE_SIGN_IN, false,  \
      "30", "60", "sign-ins and registrations of one address")

enum limit_policy {
#define LIMIT_POLICY_ENUM(X, symbol, ...) symbol,
    LIMIT_POLICIES(LIMIT_POLICY_ENUM, )
#undef LIMIT_POLICY_ENUM
        LIMIT_POLICY_COUNT
};

struct limit_rule {
    int64_t calls; /* in a window; 0: no limit */
    int64_t window_s;
};

struct limiter_conf {
    struct limit_rule rules[LIMIT_POLICY_COUNT];
    unsigned loops;
};

struct limiter *limiter_create(struct loop *loop, struct redis *redis,
                               const struct limiter_conf *conf);
/* Leases that are held are lost: they count as used for another window. */
void limiter_destroy(struct limiter *l);
/* From the next call on. */
void limiter_set(struct limiter *l, const struct limiter_conf *conf);
/* Gives all leases back and takes no more. */
void limiter_drain(struct limiter *l);

/* Whose call it is. What is absent, nil or NULL is not counted. */
struct limit_who {
    struct str ip;
    const struct caller *caller;
};

/* What a request has been told, policy by policy. */
struct limit_answer {
    bool asked, refused;
    int64_t remaining, reset_ms;
};

struct limit_take {
    struct limiter *limiter;
    struct limit_answer answers[LIMIT_POLICY_COUNT];

    /* private, of the round trip under way */
    struct redis_cmd cmd;
    int64_t cost;
    size_t n;
    bool told; /* by leases: nobody was asked */
    struct limit_ask {
        enum limit_policy policy;
        struct str identity, key;
        uint64_t hash;
        uint64_t lease; /* id of one that was asked for */
    } asks[LIMIT_POLICY_COUNT];
};

/* Before somebody is asked or a signature checked for a caller who is not known yet: in
 * this loop only, and only refuses an address that comes twice as often as it may. It
 * counts what limits refuse, too: being refused has its end. NULL, or
 * request.rate_limited.
 */
MUST_CHECK const struct err *limit_may_ask(struct flow *f, struct limiter *l,
                                           struct str ip);
/* Starts a wait (or none). What `who` points to stays until it is judged. */
void limit_start(struct flow *f, struct limit_take *t, struct limiter *l,
                 enum route_class class, unsigned cost, const struct limit_who *who);
/* After the wait: NULL, or request.rate_limited with the time to wait. */
MUST_CHECK const struct err *limit_judge(struct flow *f, struct limit_take *t);

/* `"ip";q=100;w=60, ...` and `"ip";r=99;t=60, ...`; absent when no limit was asked. */
struct str limit_policy_header(struct arena *a, const struct limit_take *t);
struct str limit_header(struct arena *a, const struct limit_take *t);

/* The limiter's own. */
struct limit_policy_info {
    const char *name;
    unsigned classes;
    bool leases;
};
extern const struct limit_policy_info limit_policies[];
struct str limiter_policy_text(const struct limiter *l, enum limit_policy p);

#endif
