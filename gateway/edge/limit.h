// SPDX-License-Identifier: Apache-2.0
/*
 * Rate limits: exact sliding windows, one per policy and identity, the same for all
 * gateways by one atomic script in Redis. All policies of a call are counted in one round
 * trip; a call that one of them refuses counts against none. Without Redis each loop
 * counts for itself, with its share of each limit (kit/guard/window.h).
 */
#ifndef GATEWAY_EDGE_LIMIT_H
#define GATEWAY_EDGE_LIMIT_H

#include "gateway/edge/route.h"
#include "kit/cache/redis.h"

struct limiter;

/*   symbol, name in headers, counts by */
#define LIMIT_POLICIES(P)       \
    P(LIMIT_IP, "ip", ip)       \
    P(LIMIT_USER, "user", user) \
    P(LIMIT_SIGN_IN, "sign-in", ip)

enum limit_policy {
#define LIMIT_POLICY_ENUM(symbol, name, by) symbol,
    LIMIT_POLICIES(LIMIT_POLICY_ENUM)
#undef LIMIT_POLICY_ENUM
        LIMIT_POLICY_COUNT
};

enum { LIMIT_WINDOW_S = 60 };

struct limiter_conf {
    int64_t limits[LIMIT_POLICY_COUNT]; /* calls a window; 0: none */
    unsigned loops;
};

struct limiter *limiter_create(struct redis *redis, const struct limiter_conf *conf);
void limiter_destroy(struct limiter *l);

/* What a request has been told, policy by policy. */
struct limit_answer {
    bool asked, refused;
    int64_t remaining, reset_ms;
};

struct limit_take {
    struct limiter *limiter;
    struct limit_answer answers[LIMIT_POLICY_COUNT];

    /* private */
    struct redis_cmd cmd;
    enum limit_policy asked[LIMIT_POLICY_COUNT]; /* in the round trip under way */
    struct str keys[LIMIT_POLICY_COUNT];
    size_t n;
};

/* Starts a wait (or none). user NULL: not known yet. */
void limit_start(struct flow *f, struct limit_take *t, struct limiter *l,
                 enum route_class class, struct str ip, const struct uuid *user);
/* The user's share of the above, later. */
void limit_start_user(struct flow *f, struct limit_take *t, struct limiter *l,
                      enum route_class class, struct uuid user);
/* After the wait: NULL, or request.rate_limited with the time to wait. */
MUST_CHECK const struct err *limit_judge(struct flow *f, struct limit_take *t);

/* `"ip";q=100;w=60, ...` and `"ip";r=99;t=60, ...`; absent when no limit was asked. */
struct str limit_policy_header(struct arena *a, const struct limit_take *t);
struct str limit_header(struct arena *a, const struct limit_take *t);

#endif
