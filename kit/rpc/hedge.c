// SPDX-License-Identifier: Apache-2.0
/*
 * Hedging (Dean and Barroso, The Tail at Scale, 2013): a read that has no answer after
 * hedge_ms is asked of a second replica too; the first good answer counts and the other
 * try is cancelled. The second try is a call of its own, the twin, that only its call
 * knows: it has the flow and the body in common, and never ends a wait. It costs a retry
 * of the budget, so that hedging cannot storm a service that is slow as a whole.
 */
#include "kit/base/clock.h"
#include "kit/rpc/internal.h"

static struct rpc_call *twin_of(struct rpc_call *call)
{
    struct rpc_call *twin = ARENA_NEW(&call->wait.flow->arena, struct rpc_call);

    twin->wait.flow = call->wait.flow;
    twin->method = call->method;
    twin->client = call->client;
    twin->upstream = call->upstream;
    twin->request_id = call->request_id;
    twin->body = call->body;
    twin->frame_bytes = call->frame_bytes;
    twin->tries = call->tries;
    twin->deadline_us = call->deadline_us;
    twin->twin_of = call;
    list_init(&twin->link);
    return twin;
}

static void on_slow(struct loop_timer *t)
{
    struct rpc_call *call = CONTAINER_OF(t, struct rpc_call, hedge);
    struct rpc_upstream *u = call->upstream;
    struct rpc_call *twin;

    if (!call->replica || u->up_n < 2 || !rpc_budget_take(&u->budget, clock_mono_us()))
        return;
    twin = twin_of(call);
    if (rpc_call_dispatch(twin, call->replica))
        return;
    call->twin = twin;
    metric_add(u->hedges, 1);
}

struct rpc_call *rpc_hedge_call(struct rpc_call *try)
{
    return try->twin_of ? try->twin_of : try;
}

bool rpc_hedge_other(const struct rpc_call *try)
{
    const struct rpc_call *other = try->twin_of ? try->twin_of : try->twin;

    return other && other->replica;
}

void rpc_hedge_begin(struct rpc_call *call)
{
    int64_t ms = call->client->conf.hedge_ms;

    if (ms <= 0 || !call->method->idempotent || call->stream)
        return;
    loop_timer_init(&call->hedge, call->wait.flow->loop, on_slow);
    loop_timer_set(&call->hedge, ms);
    call->hedging = true;
}

void rpc_hedge_end(struct rpc_call *call, int64_t now_us)
{
    struct rpc_call *twin = call->twin;

    if (call->hedging)
        loop_timer_clear(&call->hedge);
    call->hedging = false;
    call->twin = NULL;
    if (twin)
        rpc_call_detach(twin, RPC_VERDICT_NONE, now_us, true);
}
