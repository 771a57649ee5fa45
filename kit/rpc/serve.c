// SPDX-License-Identifier: Apache-2.0
/* A call: from its frame to the flow, from the flow's end to the REPLY frame. */
#include "kit/rpc/serve.h"

#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/obs/trace.h"
#include "kit/rpc/envelope.h"

#include <stdlib.h>

/* A call under way; in the arena of its flow, whose owner it is. */
struct served {
    struct flow *flow;
    struct rpc_lane *lane;
    struct rpc_outbox *outbox;
    struct list of_peer;   /* in outbox->calls */
    struct list of_bucket; /* in lane->calls[] */
    int row;
    uint32_t call;
    int64_t begun_us;
    const struct err *bad_request;
    struct rpc_request request;
    struct rpc_sending sending;
    bool silent; /* nobody waits for the answer */
};

/* ---- replies ---------------------------------------------------------------- */

static uint8_t end_type(const struct served *s)
{
    return s->sending.chunks ? RPC_END : RPC_REPLY;
}

/* A caller that does not read loses its connection. */
static void put_error(struct rpc_outbox *o, struct rpc_frame f, const struct err *err)
{
    size_t begun;

    f.flags |= RPC_FLAG_ERROR;
    begun = rpc_frame_begin(&o->frames, &f);

    rpc_envelope_put(&o->frames, err);
    if (rpc_frame_end(&o->frames, begun))
        rpc_outbox_touch(o);
    else
        rpc_peer_close(o->peer);
}

static void put_result(struct rpc_outbox *o, const struct served *s,
                       const struct rpc_method *m)
{
    struct rpc_frame f = {.type = end_type(s), .call = s->call};
    size_t begun = rpc_frame_begin(&o->frames, &f);

    wire_to_msgpack(&o->frames, m->out, s->flow->out);
    if (rpc_frame_end(&o->frames, begun)) {
        rpc_outbox_touch(o);
        return;
    }
    if (o->frames.n + RPC_FRAME_MAX > RPC_OUTBOX_MAX) {
        rpc_peer_close(o->peer);
        return;
    }
    LOG_ERROR(&s->flow->log, "rpc.reply_too_large", KV("method", m->name));
    put_error(o, f, ERR_STATIC(INTERNAL));
}

/* ---- calls ------------------------------------------------------------------ */

static struct list *bucket_of(struct rpc_lane *lane, uint32_t pipe, uint32_t call)
{
    uint32_t mixed = (call ^ pipe * 0x9e3779b1u) * 0x85ebca6bu;

    return &lane->calls[mixed >> 22];
}

static struct served *find_call(struct rpc_lane *lane, const struct rpc_peer *peer,
                                uint32_t call)
{
    LIST_EACH (it, bucket_of(lane, peer->pipe, call)) {
        struct served *s = CONTAINER_OF(it, struct served, of_bucket);

        if (s->call == call && s->outbox->peer == peer)
            return s;
    }
    return NULL;
}

static void count_in_flight(struct rpc_lane *lane, int by)
{
    lane->in_flight += (unsigned)by;
    atomic_fetch_add(&lane->server->in_flight, (unsigned)by);
    metric_add(lane->server->in_flight_metric, by);
}

static void count_end(const struct served *s, const struct err *err)
{
    int64_t took_us = clock_mono_us() - s->begun_us;

    rpc_stats_count(&s->lane->stats[s->row], err, took_us);
    if (err && err_kind(err) == ERR_INTERNAL)
        LOG_ERROR(&s->flow->log, "rpc.failed", KV("code", err->code->name),
                  KV("detail", err->detail), KV("ms", took_us / 1000));
}

static void on_end(struct flow *f, const struct err *err)
{
    struct served *s = f->owner;
    struct rpc_lane *lane = s->lane;

    list_remove(&s->of_peer);
    list_remove(&s->of_bucket);
    count_end(s, err);
    rpc_sending_end(&s->sending);
    if (!s->silent && err)
        put_error(s->outbox, (struct rpc_frame){.type = end_type(s), .call = s->call},
                  err);
    else if (!s->silent)
        put_result(s->outbox, s, lane->server->methods[s->row].method);
    count_in_flight(lane, -1); /* last: at 0 the answer is in its outbox */
}

const struct rpc_request *rpc_request(const struct flow *f)
{
    const struct served *s = f->owner;

    return f->end == on_end ? &s->request : NULL;
}

struct rpc_sending *rpc_serve_sending(struct flow *f)
{
    struct served *s = f->owner;

    if (f->end != on_end)
        mem_die("rpc: a stream in a flow that is not a call's");
    return &s->sending;
}

static enum step refuse_request(struct flow *f)
{
    const struct served *s = f->owner;

    return flow_fail(f, s->bad_request);
}

static struct str hex_str(struct arena *a, const void *bytes, size_t n)
{
    char *text = arena_alloc(a, 2 * n);

    hex_encode(bytes, n, text);
    return (struct str){text, 2 * n};
}

/* A caller without a trace begins one here. */
static void take_trace(struct flow *f, const struct trace *of_caller)
{
    static const uint8_t NONE[sizeof of_caller->trace_id];

    if (memcmp(of_caller->trace_id, NONE, sizeof NONE) != 0)
        trace_child(&f->trace, of_caller);
    else
        trace_start(&f->trace, false);
}

static void take_context(struct flow *f, const struct rpc_method *m,
                         const struct rpc_frame_call *c)
{
    take_trace(f, &c->trace);
    f->caller = c->caller;
    f->log.request_id = c->request_id;
    f->log.trace_id = hex_str(&f->arena, f->trace.trace_id, sizeof f->trace.trace_id);
    if (!uuid_is_nil(c->caller.user))
        f->log.user_id = uuid_str(&f->arena, c->caller.user);
    f->log.route = str_of(m->name);
}

static struct served *add_call(struct rpc_outbox *o, struct flow *f,
                               const struct rpc_frame *frame, int row)
{
    struct rpc_lane *lane = o->lane;
    struct served *s = ARENA_NEW(&f->arena, struct served);

    s->flow = f;
    s->lane = lane;
    s->outbox = o;
    s->row = row;
    s->call = frame->call;
    s->request = (struct rpc_request){
        .method = lane->server->methods[row].method,
        .body = frame->body,
        .key = frame->of_call.key,
        .repeated = frame->flags & RPC_FLAG_REPEATED,
    };
    s->sending =
        (struct rpc_sending){.outbox = o, .call = s->call, .credit = RPC_STREAM_WINDOW};
    s->begun_us = clock_mono_us();
    list_init(&s->of_peer);
    list_init(&s->of_bucket);
    list_push(&o->calls, &s->of_peer);
    list_push(bucket_of(lane, o->peer->pipe, s->call), &s->of_bucket);
    count_in_flight(lane, 1);
    f->owner = s;
    return s;
}

static void begin_call(struct rpc_outbox *o, struct rpc_inbound *in,
                       const struct rpc_frame *frame, int row)
{
    const struct rpc_handler *h = &o->lane->server->methods[row];
    const struct rpc_method *m = h->method;
    uint32_t ms =
        frame->of_call.left_ms < m->timeout_ms ? frame->of_call.left_ms : m->timeout_ms;
    struct flow *f = flow_create(o->lane->loop, ms, on_end, NULL);
    struct served *s = add_call(o, f, frame, row);
    void *request = arena_alloc(&f->arena, m->in->size);

    rpc_inbound_keep(in, &f->arena);
    take_context(f, m, &frame->of_call);
    f->env = o->lane->env;
    f->in = request;
    f->out = arena_alloc(&f->arena, m->out->size);
    s->bad_request = wire_from_msgpack(&f->arena, m->in, frame->body, request);
    flow_start(f, s->bad_request ? refuse_request : h->first);
}

/* A method that is not known here may be known to a newer replica. */
static const struct err *reason_to_refuse(const struct rpc_outbox *o, int row)
{
    static const struct err overloaded = {.code = &ERR_CODE_SHED, .retry_after_ms = 1000};
    const struct rpc_lane *lane = o->lane;

    if (row < 0)
        return ERR_STATIC(UNAVAILABLE);
    if (lane->in_flight >= lane->server->max_in_flight || o->frames.n >= RPC_OUTBOX_FULL)
        return &overloaded;
    return NULL;
}

bool rpc_serve_begin(struct rpc_outbox *o, struct rpc_inbound *in,
                     const struct rpc_frame *f)
{
    int row = rpc_server_row(o->lane->server, f->method);
    const struct err *refusal = reason_to_refuse(o, row);

    if (find_call(o->lane, o->peer, f->call))
        return false;
    if (row < 0 && rpc_lane_may_warn(o->lane))
        LOG_WARN(NULL, "rpc.unknown_method", KV("method", f->method));
    if (refusal)
        put_error(o,
                  (struct rpc_frame){
                      .type = RPC_REPLY, .flags = RPC_FLAG_NOT_STARTED, .call = f->call},
                  refusal);
    else
        begin_call(o, in, f, row);
    return true;
}

static void cancel_call(struct served *s)
{
    s->silent = true;
    flow_cancel(s->flow, ERR_STATIC(CANCELLED));
}

bool rpc_serve_cancel(struct rpc_lane *lane, struct rpc_peer *peer, uint32_t call)
{
    struct served *s = find_call(lane, peer, call);

    if (s)
        cancel_call(s);
    return s != NULL;
}

bool rpc_serve_credit(struct rpc_lane *lane, struct rpc_peer *peer, uint32_t call,
                      uint32_t more)
{
    struct served *s = find_call(lane, peer, call);

    if (s && !rpc_sending_credit(&s->sending, more)) {
        rpc_stats_bad_frame();
        rpc_peer_close(peer);
    }
    return s != NULL;
}

void rpc_serve_cancel_all(struct rpc_outbox *o)
{
    struct list *it;

    while ((it = list_pop(&o->calls)))
        cancel_call(CONTAINER_OF(it, struct served, of_peer));
}
