// SPDX-License-Identifier: Apache-2.0
/* What comes from a replica: answers, and frames about the connection. */
#include "kit/base/clock.h"
#include "kit/rpc/internal.h"

static void refuse_hello(struct rpc_replica *r, const struct rpc_frame_hello *h)
{
    if (!r->refused)
        LOG_ERROR(NULL, "rpc.wrong_service", KV("url", r->url),
                  KV("wanted", r->upstream->service), KV("found", h->name),
                  KV("version", h->version));
    r->refused = true;
    rpc_dial_break(r->dial);
}

static bool is_far(const struct rpc_replica *r, struct str zone)
{
    struct str ours = str_of(r->upstream->client->zone);

    return ours.n > 0 && zone.n > 0 && !str_eq(ours, zone);
}

static bool on_hello(struct rpc_replica *r, struct rpc_inbound *in,
                     const struct rpc_frame *f)
{
    const struct rpc_frame_hello *h = &f->of_hello;

    (void)in;
    if (r->session || !h->session)
        return false;
    if (h->version < RPC_VERSION || !str_eq(h->name, str_of(r->upstream->service))) {
        refuse_hello(r, h);
        return true;
    }
    r->session = h->session;
    r->far = is_far(r, h->zone);
    rpc_replica_enter(r, r->wanted ? RPC_REPLICA_UP : RPC_REPLICA_DRAINING);
    return true;
}

/* As the answers. */
static bool on_chunk(struct rpc_replica *r, struct rpc_inbound *in,
                     const struct rpc_frame *f)
{
    struct rpc_call *call = rpc_slots_find(&r->slots, f->call);

    (void)in;
    return !call || call->place == RPC_QUEUED || rpc_stream_take(call, f->body);
}

/* An answer to a call that is over is dropped: a late one, as its caller stopped waiting.
 */
static bool on_reply(struct rpc_replica *r, struct rpc_inbound *in,
                     const struct rpc_frame *f)
{
    struct rpc_call *call = rpc_slots_find(&r->slots, f->call);

    if (call && call->place != RPC_QUEUED)
        rpc_call_replied(call, in, f);
    return true;
}

static bool on_ping(struct rpc_replica *r, struct rpc_inbound *in,
                    const struct rpc_frame *f)
{
    (void)in;
    rpc_replica_control(r, &(struct rpc_frame){.type = RPC_PONG, .ping = f->ping});
    return true;
}

static bool on_pong(struct rpc_replica *r, struct rpc_inbound *in,
                    const struct rpc_frame *f)
{
    (void)r, (void)in, (void)f;
    return true;
}

static bool on_goaway(struct rpc_replica *r, struct rpc_inbound *in,
                      const struct rpc_frame *f)
{
    (void)in, (void)f;
    r->going = true;
    if (r->state == RPC_REPLICA_UP)
        rpc_replica_enter(r, RPC_REPLICA_DRAINING);
    else if (r->state == RPC_REPLICA_CONNECTING)
        rpc_dial_break(r->dial);
    return true;
}

/* Frames without a row are malformed here. False: so is the frame. */
static bool (*const ON_FRAME[RPC_FRAME_TYPES])(struct rpc_replica *, struct rpc_inbound *,
                                               const struct rpc_frame *) = {
    [RPC_REPLY] = on_reply,   [RPC_CHUNK] = on_chunk, [RPC_END] = on_reply,
    [RPC_HELLO] = on_hello,   [RPC_PING] = on_ping,   [RPC_PONG] = on_pong,
    [RPC_GOAWAY] = on_goaway,
};

static bool take_frames(struct rpc_replica *r, struct rpc_inbound *in)
{
    struct rpc_reader reader;
    struct rpc_head head;
    struct rpc_frame f;
    enum rpc_read got;

    if (!rpc_reader_init(&reader, in->bytes, &head) ||
        (r->session && head.session != r->session))
        return false;
    while ((got = rpc_frame_read(&reader, &f)) == RPC_READ_FRAME)
        if (!ON_FRAME[f.type] || !ON_FRAME[f.type](r, in, &f))
            return false;
    return got == RPC_READ_DONE;
}

void rpc_replica_message(void *arg, struct rpc_inbound *in)
{
    struct rpc_replica *r = arg;

    r->received++;
    r->heard_us = clock_mono_us();
    if (!take_frames(r, in)) {
        rpc_stats_bad_frame();
        LOG_WARN(NULL, "rpc.bad_frame", KV("upstream", r->upstream->service),
                 KV("url", r->url));
        if (r->dial)
            rpc_dial_break(r->dial);
    }
    rpc_inbound_drop(in);
    if (rpc_replica_must_confirm(r))
        rpc_replica_flush_later(r);
}
