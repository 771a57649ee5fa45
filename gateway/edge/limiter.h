// SPDX-License-Identifier: Apache-2.0
/* The limiter's own objects, for its two files. */
#ifndef GATEWAY_EDGE_LIMITER_H
#define GATEWAY_EDGE_LIMITER_H

#include "gateway/edge/lease.h"
#include "gateway/edge/limit.h"
#include "kit/guard/window.h"
#include "kit/obs/metrics.h"

/* Of a policy, what changes only with its settings: as arguments and as a header item. */
struct fixed {
    struct str limit, window;
    struct str header; /* "ip";q=100;w=60 */
};

struct limiter {
    struct loop *loop;
    struct redis *redis;
    struct limiter_conf conf;
    struct window_table *local;
    struct lease_table *leases;
    uint64_t last_id; /* of a lease: begins anywhere, so that no two gateways share one */
    bool draining;
    struct loop_timer sweep;
    struct arena arena;
    struct fixed fixed[LIMIT_POLICY_COUNT];
    struct metric *by_lease, *by_redis, *by_loop, *refused[LIMIT_POLICY_COUNT];
};

/* When the next lease is over, those that are will be given back. */
void limiter_set_sweep(struct limiter *l);

#endif
