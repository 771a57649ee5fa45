// SPDX-License-Identifier: Apache-2.0
/* From NNG's threads to the loops: events, and the lanes that take them. */
#include "kit/base/mem.h"
#include "kit/rpc/listen_nng.h"

#include <stdlib.h>

/* ---- in the loops ----------------------------------------------------------- */

static void read_on(struct nng_listen *l, struct nng_lane *lane)
{
    bool resume;

    if (atomic_load(&lane->inbox) > RPC_INBOX_MAX / 2)
        return;
    pthread_mutex_lock(&l->lock);
    resume = l->paused;
    l->paused = false;
    pthread_mutex_unlock(&l->lock);
    if (resume)
        nng_recv_aio(l->socket, l->receive);
}

static void on_message(struct nng_listen *l, struct nng_lane *lane, struct nng_event *e)
{
    unsigned weight = e->in->weight;

    l->base.ops->message(lane->arg, e->peer, e->in);
    e->in = NULL;
    if (atomic_fetch_sub(&lane->inbox, weight) >= RPC_INBOX_MAX / 2)
        read_on(l, lane);
}

static void on_gone(struct nng_listen *l, struct nng_lane *lane, struct nng_event *e)
{
    l->base.ops->gone(lane->arg, e->peer);
}

static void on_drain(struct nng_listen *l, struct nng_lane *lane, struct nng_event *e)
{
    l->base.ops->drain(lane->arg, e->peer);
}

static void on_cancel(struct nng_listen *l, struct nng_lane *lane, struct nng_event *e)
{
    l->base.ops->cancel(lane->arg, e->peer, e->call);
}

static void on_credit(struct nng_listen *l, struct nng_lane *lane, struct nng_event *e)
{
    l->base.ops->credit(lane->arg, e->peer, e->call, e->more);
}

static void (*const HANDLERS[])(struct nng_listen *, struct nng_lane *,
                                struct nng_event *) = {
    [NNG_EVENT_MESSAGE] = on_message, [NNG_EVENT_GONE] = on_gone,
    [NNG_EVENT_DRAIN] = on_drain,     [NNG_EVENT_CANCEL] = on_cancel,
    [NNG_EVENT_CREDIT] = on_credit,
};

static void on_event(struct loop_post *post)
{
    struct nng_event *e = CONTAINER_OF(post, struct nng_event, post);
    struct nng_listen *l = e->listen;
    struct nng_lane *lane = &l->lanes[e->lane];

    if (lane->loop)
        HANDLERS[e->kind](l, lane, e);
    if (e->in)
        rpc_inbound_drop(e->in);
    rpc_peer_unref(e->peer);
    nng_listen_unref(l);
    free(e);
}

/* ---- in NNG's threads; under the lock --------------------------------------- */

void nng_lanes_post(struct nng_listen *l, int lane, struct nng_event from)
{
    struct nng_event *e = MEM_NEW(struct nng_event);

    *e = from;
    e->post.fn = on_event;
    e->listen = l;
    e->lane = lane;
    rpc_peer_ref(e->peer);
    atomic_fetch_add(&l->refs, 1);
    loop_post(l->lanes[lane].loop, &e->post);
}

int nng_lanes_choose(struct nng_listen *l)
{
    int any = -1;

    for (int i = 0; i < l->lanes_n; i++) {
        int lane = (l->next_lane + i) % l->lanes_n;

        if (!l->lanes[lane].loop)
            continue;
        if (any < 0)
            any = lane;
        if (atomic_load(&l->lanes[lane].inbox) < RPC_INBOX_MAX) {
            any = lane;
            break;
        }
    }
    l->next_lane = any + 1;
    return any;
}

bool nng_lanes_have_room(const struct nng_listen *l)
{
    for (int i = 0; i < l->lanes_n; i++)
        if (l->lanes[i].loop && atomic_load(&l->lanes[i].inbox) < RPC_INBOX_MAX)
            return true;
    return false;
}

void nng_lanes_post_to_all_but(struct nng_listen *l, int but, struct nng_event e)
{
    for (int i = 0; i < l->lanes_n; i++)
        if (i != but && l->lanes[i].loop)
            nng_lanes_post(l, i, e);
}

/* ---- lanes ------------------------------------------------------------------ */

/* The index is there before anything can be posted to the lane. */
void nng_lanes_join(struct rpc_listen *base, struct loop *loop, void *arg, int *lane)
{
    struct nng_listen *l = nng_of(base);
    bool first;

    pthread_mutex_lock(&l->lock);
    if (l->lanes_n == RPC_LANES_MAX)
        mem_die("rpc: more than %d loops", RPC_LANES_MAX);
    first = l->lanes_n == 0;
    *lane = l->lanes_n++;
    l->lanes[*lane].arg = arg;
    l->lanes[*lane].loop = loop;
    pthread_mutex_unlock(&l->lock);
    if (first)
        nng_recv_aio(l->socket, l->receive);
}

void nng_lanes_leave(struct rpc_listen *base, int lane)
{
    struct nng_listen *l = nng_of(base);

    pthread_mutex_lock(&l->lock);
    l->lanes[lane].loop = NULL;
    pthread_mutex_unlock(&l->lock);
}

static void tell_others(struct nng_listen *l, int from, struct nng_event e)
{
    pthread_mutex_lock(&l->lock);
    nng_lanes_post_to_all_but(l, from, e);
    pthread_mutex_unlock(&l->lock);
}

void nng_lanes_cancel(struct rpc_listen *base, int from, struct rpc_peer *p,
                      uint32_t call)
{
    tell_others(nng_of(base), from,
                (struct nng_event){.kind = NNG_EVENT_CANCEL, .peer = p, .call = call});
}

void nng_lanes_credit(struct rpc_listen *base, int from, struct rpc_peer *p,
                      uint32_t call, uint32_t more)
{
    struct nng_event e = {
        .kind = NNG_EVENT_CREDIT, .peer = p, .call = call, .more = more};

    tell_others(nng_of(base), from, e);
}
