// SPDX-License-Identifier: Apache-2.0
/* A lane: frames that come to a loop, and when its outboxes are flushed. */
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/rpc/serve.h"

#include <stdlib.h>

enum { WARN_EVERY_US = 1000000 };

bool rpc_lane_may_warn(struct rpc_lane *lane)
{
    int64_t now_us = clock_mono_us();

    if (lane->warned_us && now_us - lane->warned_us < WARN_EVERY_US)
        return false;
    lane->warned_us = now_us;
    return true;
}

/* ---- frames ----------------------------------------------------------------- */

static void put_control(struct rpc_outbox *o, const struct rpc_frame *f)
{
    rpc_frame_put(&o->frames, f);
    if (o->frames.failed)
        rpc_peer_close(o->peer);
    o->frames.failed = false;
    rpc_outbox_touch(o);
}

static bool on_cancel(struct rpc_outbox *o, struct rpc_inbound *in,
                      const struct rpc_frame *f)
{
    (void)in;
    if (!rpc_serve_cancel(o->lane, o->peer, f->call))
        rpc_listen_cancel(o->lane->server->listen, o->lane->index, o->peer, f->call);
    return true;
}

static bool on_credit(struct rpc_outbox *o, struct rpc_inbound *in,
                      const struct rpc_frame *f)
{
    (void)in;
    if (!rpc_serve_credit(o->lane, o->peer, f->call, f->credit))
        rpc_listen_credit(o->lane->server->listen, o->lane->index, o->peer, f->call,
                          f->credit);
    return true;
}

/* A second one was meant for an earlier connection of the same caller. */
static bool on_hello(struct rpc_outbox *o, struct rpc_inbound *in,
                     const struct rpc_frame *f)
{
    struct rpc_frame_hello mine = {.version = RPC_VERSION, .session = o->peer->session};

    (void)in;
    if (f->of_hello.version < RPC_VERSION)
        return false;
    if (!rpc_peer_greet(o->peer))
        return true;
    mine.name = str_of(o->lane->server->service);
    mine.zone = str_of(o->lane->server->zone);
    put_control(o, &(struct rpc_frame){.type = RPC_HELLO, .of_hello = mine});
    return true;
}

static bool on_ping(struct rpc_outbox *o, struct rpc_inbound *in,
                    const struct rpc_frame *f)
{
    (void)in;
    put_control(o, &(struct rpc_frame){.type = RPC_PONG, .ping = f->ping});
    return true;
}

static bool on_pong(struct rpc_outbox *o, struct rpc_inbound *in,
                    const struct rpc_frame *f)
{
    (void)o, (void)in, (void)f;
    return true;
}

/* Frames without a row are malformed here. False: so is the frame. */
static bool (*const ON_FRAME[RPC_FRAME_TYPES])(struct rpc_outbox *, struct rpc_inbound *,
                                               const struct rpc_frame *) = {
    [RPC_CALL] = rpc_serve_begin, [RPC_CANCEL] = on_cancel, [RPC_HELLO] = on_hello,
    [RPC_PING] = on_ping,         [RPC_PONG] = on_pong,     [RPC_CREDIT] = on_credit,
};

/* Before it knows the session a caller can only say HELLO. */
static bool take_frames(struct rpc_outbox *o, struct rpc_inbound *in,
                        struct rpc_reader *reader, bool greeting)
{
    struct rpc_frame f;
    enum rpc_read got;

    while ((got = rpc_frame_read(reader, &f)) == RPC_READ_FRAME)
        if ((greeting && f.type != RPC_HELLO) || !ON_FRAME[f.type] ||
            !ON_FRAME[f.type](o, in, &f))
            return false;
    return got == RPC_READ_DONE;
}

static bool take_message(struct rpc_lane *lane, struct rpc_peer *peer,
                         struct rpc_inbound *in)
{
    struct rpc_reader reader;
    struct rpc_outbox *o;
    struct rpc_head head;

    if (!rpc_reader_init(&reader, in->bytes, &head))
        return false;
    if (head.session && head.session != peer->session) /* its calls have been given up */
        return atomic_fetch_add(&peer->stale, 1) < RPC_STALE_MAX;
    o = rpc_outbox_of(lane, peer);
    if (head.session)
        rpc_peer_confirm(peer, head.received);
    if (!list_empty(&o->dirty)) /* what had to stay may go now */
        rpc_outbox_touch(o);
    return take_frames(o, in, &reader, !head.session);
}

static void on_message(void *arg, struct rpc_peer *peer, struct rpc_inbound *in)
{
    if (!take_message(arg, peer, in)) {
        rpc_stats_bad_frame();
        if (rpc_lane_may_warn(arg))
            LOG_WARN(NULL, "rpc.bad_frame", KV("bytes", in->bytes.n));
        rpc_peer_close(peer);
    }
    rpc_inbound_drop(in);
}

/* ---- connections end -------------------------------------------------------- */

static void drop_outbox(struct rpc_outbox *o)
{
    rpc_serve_cancel_all(o);
    rpc_outbox_destroy(o);
}

static void on_gone(void *arg, struct rpc_peer *peer)
{
    struct rpc_lane *lane = arg;
    struct rpc_outbox *o = peer->outboxes[lane->index];

    if (o)
        drop_outbox(o);
}

static void on_drain(void *arg, struct rpc_peer *peer)
{
    put_control(rpc_outbox_of(arg, peer), &(struct rpc_frame){.type = RPC_GOAWAY});
}

static void on_cancel_elsewhere(void *arg, struct rpc_peer *peer, uint32_t call)
{
    rpc_serve_cancel(arg, peer, call);
}

static void on_credit_elsewhere(void *arg, struct rpc_peer *peer, uint32_t call,
                                uint32_t more)
{
    rpc_serve_credit(arg, peer, call, more);
}

static void on_room(void *arg, struct rpc_peer *peer)
{
    rpc_outbox_touch(rpc_outbox_of(arg, peer));
}

const struct rpc_listen_ops rpc_lane_ops = {.message = on_message,
                                            .gone = on_gone,
                                            .drain = on_drain,
                                            .cancel = on_cancel_elsewhere,
                                            .credit = on_credit_elsewhere,
                                            .room = on_room};

/* ---- the lane --------------------------------------------------------------- */

static void flush(struct rpc_lane *lane)
{
    struct list now;
    struct list *it;

    list_init(&now);
    list_splice(&now, &lane->dirty);
    while ((it = list_pop(&now)))
        if (!rpc_outbox_flush(CONTAINER_OF(it, struct rpc_outbox, dirty)))
            list_push(&lane->dirty, it);
    if (!list_empty(&lane->dirty))
        loop_timer_set(&lane->retry, LOOP_TICK_MS);
}

static void on_flush(struct loop_task *t)
{
    flush(CONTAINER_OF(t, struct rpc_lane, flush));
}

static void on_retry(struct loop_timer *t)
{
    flush(CONTAINER_OF(t, struct rpc_lane, retry));
}

static void init_stats(struct rpc_lane *lane)
{
    const struct rpc_server *s = lane->server;

    lane->stats = mem_alloc(s->methods_n * sizeof *lane->stats + 1);
    for (unsigned i = 0; i < s->methods_n; i++)
        rpc_stats_init(&lane->stats[i], RPC_ANSWERING, s->methods[i].method->name);
}

struct rpc_lane *rpc_lane_create(struct rpc_server *s, struct loop *l, const void *env)
{
    struct rpc_lane *lane = MEM_NEW(struct rpc_lane);

    lane->server = s;
    lane->loop = l;
    lane->env = env;
    list_init(&lane->link);
    list_init(&lane->outboxes);
    list_init(&lane->dirty);
    loop_task_init(&lane->flush, on_flush);
    loop_timer_init(&lane->retry, l, on_retry);
    for (int i = 0; i < RPC_CALL_BUCKETS; i++)
        list_init(&lane->calls[i]);
    init_stats(lane);
    return lane;
}

void rpc_lane_destroy(struct rpc_lane *lane)
{
    struct list *it;

    while ((it = lane->outboxes.next) != &lane->outboxes)
        drop_outbox(CONTAINER_OF(it, struct rpc_outbox, link));
    loop_task_cancel(&lane->flush);
    loop_timer_clear(&lane->retry);
    free(lane->stats);
    free(lane);
}
