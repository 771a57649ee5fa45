// SPDX-License-Identifier: Apache-2.0
/*
 * What leaves for a replica, once per turn: one message, or more when there is much.
 * Calls wait in `queued` until then, are written into a message and then are in `sent`;
 * in between they are `in_hand` while NNG has no room. What is only queued can still go
 * elsewhere; what was sent may have been executed.
 */
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/rpc/internal.h"

void rpc_replica_flush_later(struct rpc_replica *r)
{
    loop_at_turn_end(r->upstream->client->loop, &r->flush);
}

/* A CANCEL that finds no room is only work done in vain. */
void rpc_replica_control(struct rpc_replica *r, const struct rpc_frame *f)
{
    rpc_frame_put(&r->control, f);
    r->control.failed = false;
    rpc_replica_flush_later(r);
}

/* What the next message will hold: n bytes, of them `control` of control frames. */
struct batch {
    struct list calls;
    size_t n, control;
};

static void gather(struct rpc_replica *r, struct batch *b)
{
    unsigned frames;
    struct list *it;

    list_init(&b->calls);
    b->control = rpc_batch_cut(buf_view(&r->control), &frames);
    b->n = b->control;
    while ((it = r->queued.next) != &r->queued && frames < RPC_BATCH_FRAMES) {
        size_t size = CONTAINER_OF(it, struct rpc_call, link)->frame_bytes;

        if (frames > 0 && b->n + size > RPC_BATCH_BYTES)
            break;
        b->n += size;
        frames++;
        list_remove(it);
        list_push(&b->calls, it);
    }
}

/* Into the client's buffer for this; frames only. */
static struct str write_batch(struct rpc_replica *r, int64_t now_us,
                              const struct batch *b)
{
    struct buf *out = &r->upstream->client->out;
    char *p;

    buf_reset(out);
    p = buf_grow(out, b->n);
    if (!p)
        mem_die("rpc: a batch of %zu bytes", b->n);
    if (b->control)
        memcpy(p, r->control.p, b->control);
    p += b->control;
    buf_consume(&r->control, b->control);
    LIST_EACH (it, &b->calls) {
        struct rpc_frame f;

        rpc_call_frame(CONTAINER_OF(it, struct rpc_call, link), now_us, &f);
        p = rpc_frame_write(p, &f);
    }
    return buf_view(out);
}

static enum rpc_sending send_frames(struct rpc_replica *r, struct str frames)
{
    char head[RPC_HEAD_LEN];

    rpc_head_write(head, (struct rpc_head){r->session, r->received});
    r->confirmed = r->received;
    return rpc_dial_send(r->dial, (struct str){head, sizeof head}, frames);
}

static void move_to(struct list *calls, struct list *to, enum rpc_call_place place)
{
    LIST_EACH (it, calls)
        CONTAINER_OF(it, struct rpc_call, link)->place = place;
    list_splice(to, calls);
}

static void send_batch(struct rpc_replica *r)
{
    int64_t now_us = clock_mono_us();
    struct batch b;

    gather(r, &b);
    if (send_frames(r, write_batch(r, now_us, &b)) == RPC_SEND_DONE) {
        move_to(&b.calls, &r->sent, RPC_SENT);
    } else {
        r->sending = true;
        move_to(&b.calls, &r->in_hand, RPC_IN_HAND);
    }
}

bool rpc_replica_must_confirm(const struct rpc_replica *r)
{
    uint32_t news = r->received - r->confirmed;

    return r->session && news >= RPC_CONFIRM_EVERY;
}

static bool has_something(const struct rpc_replica *r)
{
    return r->control.n > 0 || !list_empty(&r->queued) || rpc_replica_must_confirm(r);
}

/* Breaking the connection is how the service learns that nothing more will come. */
static void end_drain(struct rpc_replica *r)
{
    if (r->wanted)
        rpc_dial_break(r->dial);
    else
        rpc_replica_enter(r, RPC_REPLICA_GONE);
}

void rpc_replica_flush(struct loop_task *t)
{
    struct rpc_replica *r = CONTAINER_OF(t, struct rpc_replica, flush);

    while (r->connected && !r->sending && has_something(r))
        send_batch(r);
    if (r->state == RPC_REPLICA_DRAINING && r->outstanding == 0)
        end_drain(r);
}

void rpc_replica_sent(void *arg, bool ok)
{
    struct rpc_replica *r = arg;
    bool lost = r->hand_lost;
    struct list hand;

    r->sending = r->hand_lost = false;
    list_init(&hand);
    move_to(&r->in_hand, &hand, ok ? RPC_SENT : RPC_QUEUED);
    if (ok && !lost)
        list_splice(&r->sent, &hand);
    rpc_replica_lose(&hand);
    rpc_replica_flush_later(r);
}
