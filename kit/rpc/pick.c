// SPDX-License-Identifier: Apache-2.0
/* Which replica of those that are up takes a call. */
#include "kit/base/clock.h"
#include "kit/rpc/internal.h"

enum { RETRY_AFTER_MS = 1000 };

static bool lets_through(const struct rpc_replica *r, int64_t now_us)
{
    return breaker_state(&r->breaker, now_us) != BREAKER_OPEN;
}

/* NULL when it cannot be taken. */
static struct rpc_replica *candidate(struct rpc_upstream *u, unsigned i,
                                     const struct rpc_replica *avoid, int64_t now_us)
{
    struct rpc_replica *r = u->up[i];

    return r != avoid && lets_through(r, now_us) ? r : NULL;
}

/* It has said something since its breaker opened, be it to a PING: a call is no price for
 * finding out that it is still silent. */
static bool wants_probe(const struct rpc_replica *r, int64_t now_us)
{
    return breaker_wants_probe(&r->breaker, now_us) && r->heard_us > r->opened_us;
}

/* One that wants a probe gets it: its latency is that of its failures, and would keep
 * calls away for minutes after it is well. */
static struct rpc_replica *cheaper(struct rpc_replica *a, struct rpc_replica *b,
                                   int64_t now_us)
{
    if (!a || !b)
        return a ? a : b;
    if (wants_probe(a, now_us))
        return a;
    if (wants_probe(b, now_us))
        return b;
    return latency_cheaper(&b->latency, b->outstanding, &a->latency, a->outstanding,
                           now_us)
               ? b
               : a;
}

/* Replicas up[from..from + n). */
struct range {
    unsigned from, n;
};

/* The power of two choices (Mitzenmacher 2001): nearly as even as asking all, and two
 * callers do not both run to the one that is least busy. */
static struct rpc_replica *pick_of_two(struct rpc_upstream *u, struct range in,
                                       const struct rpc_replica *avoid, int64_t now_us)
{
    uint32_t random = random_u32();
    unsigned i = (random & 0xffff) % in.n;
    unsigned j = in.n == 1 ? i : (i + 1 + (random >> 16) % (in.n - 1)) % in.n;
    struct rpc_replica *r = cheaper(candidate(u, in.from + i, avoid, now_us),
                                    candidate(u, in.from + j, avoid, now_us), now_us);

    return r && breaker_allow(&r->breaker, now_us) ? r : NULL;
}

static struct rpc_replica *pick_any(struct rpc_upstream *u, struct range in,
                                    const struct rpc_replica *avoid, int64_t now_us)
{
    unsigned start = random_u32() % in.n;

    for (unsigned i = 0; i < in.n; i++) {
        struct rpc_replica *r = candidate(u, in.from + (start + i) % in.n, avoid, now_us);

        if (r && breaker_allow(&r->breaker, now_us))
            return r;
    }
    return NULL;
}

static struct rpc_replica *pick_in(struct rpc_upstream *u, struct range in,
                                   const struct rpc_replica *avoid, int64_t now_us)
{
    struct rpc_replica *r;

    if (in.n == 0)
        return NULL;
    r = pick_of_two(u, in, avoid, now_us);
    return r ? r : pick_any(u, in, avoid, now_us);
}

static int64_t soonest_ms(const struct rpc_upstream *u, int64_t now_us)
{
    int64_t soonest = RETRY_AFTER_MS;

    for (unsigned i = 0; i < u->up_n; i++) {
        int64_t ms = breaker_retry_after_ms(&u->up[i]->breaker, now_us);

        if (ms > 0 && ms < soonest)
            soonest = ms;
    }
    return soonest;
}

struct rpc_replica *rpc_upstream_pick(struct rpc_upstream *u,
                                      const struct rpc_replica *avoid, int64_t now_us,
                                      int64_t *retry_after_ms)
{
    const struct range near = {0, u->near_n}, far = {u->near_n, u->up_n - u->near_n};
    struct rpc_replica *r = pick_in(u, near, avoid, now_us);

    if (!r)
        r = pick_in(u, far, avoid, now_us);
    if (!r)
        *retry_after_ms = soonest_ms(u, now_us);
    return r;
}

void rpc_upstream_recount(struct rpc_upstream *u, int64_t now_us)
{
    unsigned n = 0;

    for (unsigned i = 0; i < u->up_n; i++)
        n += lets_through(u->up[i], now_us);
    atomic_store_explicit(&u->usable, n, memory_order_relaxed);
}
