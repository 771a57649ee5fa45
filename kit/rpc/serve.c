// SPDX-License-Identifier: Apache-2.0
/* A lane: from the CALL frame to the flow, from the flow's end to the REPLY frame. */
#include "kit/rpc/serve.h"

#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/obs/trace.h"
#include "kit/rpc/envelope.h"

#include <stdlib.h>

enum { WARN_EVERY_US = 1000000 };

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
    struct str key;
    bool silent; /* nobody waits for the answer */
};

struct str rpc_idempotency_key(const struct flow *f)
{
    const struct served *s = f->owner;

    return s->key;
}

/* A peer must not be able to fill the log. */
static bool may_warn(struct rpc_lane *lane)
{
    int64_t now_us = clock_mono_us();

    if (lane->warned_us && now_us - lane->warned_us < WARN_EVERY_US)
        return false;
    lane->warned_us = now_us;
    return true;
}

/* ---- replies ---------------------------------------------------------------- */

/* A caller that does not read loses its connection. */
static void put_error(struct rpc_outbox *o, uint32_t call, uint8_t flags,
                      const struct err *err)
{
    struct rpc_frame f = {
        .type = RPC_REPLY, .flags = RPC_FLAG_ERROR | flags, .call = call};
    size_t begun = rpc_frame_begin(&o->frames, &f);

    rpc_envelope_put(&o->frames, err);
    if (rpc_frame_end(&o->frames, begun))
        rpc_outbox_touch(o);
    else
        rpc_peer_close(o->peer);
}

static void put_result(struct rpc_outbox *o, const struct served *s,
                       const struct rpc_method *m)
{
    struct rpc_frame f = {.type = RPC_REPLY, .call = s->call};
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
    put_error(o, s->call, 0, ERR_STATIC(INTERNAL));
}

static void put_control(struct rpc_outbox *o, const struct rpc_frame *f)
{
    rpc_frame_put(&o->frames, f);
    if (o->frames.failed)
        rpc_peer_close(o->peer);
    o->frames.failed = false;
    rpc_outbox_touch(o);
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
    if (!s->silent && err)
        put_error(s->outbox, s->call, 0, err);
    else if (!s->silent)
        put_result(s->outbox, s, lane->server->methods[s->row].method);
    count_in_flight(lane, -1); /* last: at 0 the answer is in its outbox */
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
    s->key = frame->of_call.key;
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

/* ---- frames ----------------------------------------------------------------- */

static bool on_call(struct rpc_outbox *o, struct rpc_inbound *in,
                    const struct rpc_frame *f)
{
    int row = rpc_server_row(o->lane->server, f->method);
    const struct err *refusal = reason_to_refuse(o, row);

    if (find_call(o->lane, o->peer, f->call))
        return false;
    if (row < 0 && may_warn(o->lane))
        LOG_WARN(NULL, "rpc.unknown_method", KV("method", f->method));
    if (refusal)
        put_error(o, f->call, RPC_FLAG_NOT_STARTED, refusal);
    else
        begin_call(o, in, f, row);
    return true;
}

static void cancel_call(struct served *s)
{
    s->silent = true;
    flow_cancel(s->flow, ERR_STATIC(CANCELLED));
}

static bool on_cancel(struct rpc_outbox *o, struct rpc_inbound *in,
                      const struct rpc_frame *f)
{
    struct served *s = find_call(o->lane, o->peer, f->call);

    (void)in;
    if (s)
        cancel_call(s);
    else
        rpc_listen_cancel(o->lane->server->listen, o->lane->index, o->peer, f->call);
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
    if (atomic_exchange(&o->peer->greeted, true))
        return true;
    mine.name = str_of(o->lane->server->service);
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
    [RPC_CALL] = on_call, [RPC_CANCEL] = on_cancel, [RPC_HELLO] = on_hello,
    [RPC_PING] = on_ping, [RPC_PONG] = on_pong,
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
        if (may_warn(arg))
            LOG_WARN(NULL, "rpc.bad_frame", KV("bytes", in->bytes.n));
        rpc_peer_close(peer);
    }
    rpc_inbound_drop(in);
}

/* ---- connections end -------------------------------------------------------- */

static void drop_outbox(struct rpc_outbox *o)
{
    struct list *it;

    while ((it = list_pop(&o->calls)))
        cancel_call(CONTAINER_OF(it, struct served, of_peer));
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
    struct served *s = find_call(arg, peer, call);

    if (s)
        cancel_call(s);
}

const struct rpc_listen_ops rpc_lane_ops = {.message = on_message,
                                            .gone = on_gone,
                                            .drain = on_drain,
                                            .cancel = on_cancel_elsewhere};

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
