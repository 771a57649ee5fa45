// SPDX-License-Identifier: Apache-2.0
/* The replicas of one service that are up, how many calls it may have, and its life. */
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/rpc/internal.h"

#include <stdlib.h>

enum { TICK_MS = 1000 };

/* ---- who is up -------------------------------------------------------------- */

static void place(struct rpc_upstream *u, struct rpc_replica *r, unsigned at)
{
    u->up[at] = r;
    r->up_index = at;
}

void rpc_upstream_up(struct rpc_upstream *u, struct rpc_replica *r)
{
    if (u->up_n == u->up_room) {
        u->up_room = u->up_room ? 2 * u->up_room : 8;
        u->up = mem_realloc(u->up, u->up_room * sizeof *u->up);
    }
    place(u, r, u->up_n++);
    if (!r->far) { /* changes places with the first of the far ones */
        place(u, u->up[u->near_n], r->up_index);
        place(u, r, u->near_n++);
    }
    rpc_upstream_recount(u, clock_mono_us());
}

void rpc_upstream_not_up(struct rpc_upstream *u, struct rpc_replica *r)
{
    unsigned hole = r->up_index;

    u->up_n--;
    if (hole < u->near_n) {
        place(u, u->up[--u->near_n], hole);
        hole = u->near_n;
    }
    if (hole < u->up_n)
        place(u, u->up[u->up_n], hole);
    rpc_upstream_recount(u, clock_mono_us());
}

/* ---- how much --------------------------------------------------------------- */

bool rpc_upstream_enter(struct rpc_upstream *u, enum priority p)
{
    if (gradient_enter(&u->limit, p))
        return true;
    metric_add(u->shed[p], 1);
    return false;
}

void rpc_upstream_left(struct rpc_upstream *u)
{
    gradient_leave(&u->limit);
}

static void show(struct metric *m, unsigned *shown, unsigned now)
{
    metric_add(m, (int64_t)now - (int64_t)*shown);
    *shown = now;
}

static void show_limit(struct rpc_upstream *u, unsigned limit, unsigned in_flight)
{
    show(u->limit_metric, &u->limit_shown, limit);
    show(u->in_flight_metric, &u->in_flight_shown, in_flight);
}

static void on_tick(struct loop_timer *t)
{
    struct rpc_upstream *u = CONTAINER_OF(t, struct rpc_upstream, tick);
    int64_t now_us = clock_mono_us();

    LIST_EACH (it, &u->replicas)
        rpc_replica_show_breaker(CONTAINER_OF(it, struct rpc_replica, link), now_us);
    rpc_upstream_recount(u, now_us);
    show_limit(u, gradient_limit(&u->limit), u->limit.in_flight);
    loop_timer_set(t, TICK_MS);
}

/* ---- life ------------------------------------------------------------------- */

static void make_metrics(struct rpc_upstream *u)
{
    static const char *const NAMES[] = {
#define STATE_NAME(state, name) name,
        RPC_REPLICA_STATES(STATE_NAME)
#undef STATE_NAME
    };

    static const char *const PRIORITY_NAMES[] = {
#define PRIORITY_NAME(priority, name, percent) name,
        PRIORITIES(PRIORITY_NAME)
#undef PRIORITY_NAME
    };

    u->limit_metric =
        metrics_gauge("viaduct_hop_limit", "Calls that may be under way, of all loops",
                      "upstream", u->service, NULL);
    u->in_flight_metric =
        metrics_gauge("viaduct_hop_calls_in_flight", "Calls under way, of all loops",
                      "upstream", u->service, NULL);
    for (int i = 0; i < PRIORITY_COUNT; i++)
        u->shed[i] =
            metrics_counter("viaduct_hop_shed_total", "Calls over the limit", "upstream",
                            u->service, "priority", PRIORITY_NAMES[i], NULL);
    u->hedges =
        metrics_counter("viaduct_hop_hedges_total",
                        "Reads asked of a second replica while the first was slow",
                        "upstream", u->service, NULL);
    u->retries = metrics_counter("viaduct_hop_retries_total", "Calls sent once more",
                                 "upstream", u->service, NULL);
    for (int i = 0; i < RPC_REPLICA_STATE_COUNT; i++)
        u->states[i] =
            metrics_gauge("viaduct_hop_replicas", "Connections to replicas, of all loops",
                          "upstream", u->service, "state", NAMES[i], NULL);
}

static void init_limit(struct rpc_upstream *u)
{
    unsigned max = u->client->conf.in_flight, min = u->client->conf.in_flight_min;
    struct gradient_conf conf = {.min = min ? min : RPC_IN_FLIGHT_MIN,
                                 .max = max ? max : RPC_IN_FLIGHT_MAX,
                                 .calm_ms = RPC_CALM_MS};

    if (conf.min > conf.max)
        conf.min = conf.max;
    gradient_init(&u->limit, &conf, clock_mono_us());
}

const struct err *rpc_upstream_create(struct rpc_client *c, struct arena *a,
                                      const char *service, const char *urls,
                                      struct rpc_upstream **out)
{
    struct rpc_upstream *u = MEM_NEW(struct rpc_upstream);
    const struct err *err;

    u->client = c;
    u->service = mem_strdup(service);
    list_init(&u->replicas);
    rpc_budget_init(&u->budget, clock_mono_us());
    init_limit(u);
    make_metrics(u);
    loop_timer_init(&u->tick, c->loop, on_tick);
    loop_timer_set(&u->tick, TICK_MS);
    err = rpc_upstream_add(u, a, urls);
    if (err)
        rpc_upstream_destroy(u);
    else
        *out = u;
    return err;
}

void rpc_upstream_destroy(struct rpc_upstream *u)
{
    struct list *it;

    loop_timer_clear(&u->tick);
    show_limit(u, 0, 0);
    rpc_upstream_forget_sources(u);
    while ((it = u->replicas.next) != &u->replicas)
        rpc_replica_destroy(CONTAINER_OF(it, struct rpc_replica, link));
    free(u->up);
    free(u->service);
    free(u);
}
