// SPDX-License-Identifier: Apache-2.0
/*
 * Reading a stream. Its call has a flow of its own, so that the reader's flow can wait
 * for one chunk at a time. The stream lives until both have let go of it.
 */
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/rpc/internal.h"
#include "kit/rpc/stream.h"

#include <stdlib.h>

enum { GRANT_AT_ONCE = RPC_STREAM_WINDOW / 2 };

struct chunk {
    struct list link;
    size_t n;
    char bytes[];
};

struct rpc_stream {
    struct rpc_call call;
    const void *in;    /* until the call has begun */
    struct flow *flow; /* the call's; NULL: it is over */
    struct list came;  /* chunks not yet read */
    struct chunk *current;
    unsigned expected; /* chunks that the service may still send */
    unsigned read;     /* since the last grant */
    bool waiting;
    struct wait wait;      /* the reader's */
    const struct err *err; /* how the call ended */
    struct arena of_err;
    unsigned refs;
};

static void unref(struct rpc_stream *s)
{
    struct list *it;

    if (--s->refs > 0)
        return;
    while ((it = list_pop(&s->came)))
        free(CONTAINER_OF(it, struct chunk, link));
    free(s->current);
    arena_fini(&s->of_err);
    free(s);
}

/* ---- chunks come ------------------------------------------------------------ */

static void wake_reader(struct rpc_stream *s, const struct err *err)
{
    if (!s->waiting)
        return;
    s->waiting = false;
    wait_end(&s->wait, err);
}

static void take_next(struct rpc_stream *s)
{
    struct list *it = list_pop(&s->came);

    free(s->current);
    s->current = it ? CONTAINER_OF(it, struct chunk, link) : NULL;
}

/* False: more than was granted, or too long. A copy, because the message that it came in
 * may hold much else. */
bool rpc_stream_take(struct rpc_call *call, struct str bytes)
{
    struct rpc_stream *s = call->stream;
    struct chunk *c;

    if (!s || s->expected == 0 || bytes.n == 0 || bytes.n > RPC_CHUNK_MAX)
        return false;
    s->expected--;
    if (!call->first_us)
        call->first_us = clock_mono_us();
    c = mem_alloc(sizeof *c + bytes.n);
    c->n = bytes.n;
    memcpy(c->bytes, bytes.p, bytes.n);
    list_init(&c->link);
    list_push(&s->came, &c->link);
    if (s->waiting)
        take_next(s);
    wake_reader(s, NULL);
    return true;
}

/* ---- the call --------------------------------------------------------------- */

static enum step call_ended(struct flow *f)
{
    return flow_done(f);
}

static enum step call_service(struct flow *f)
{
    struct rpc_stream *s = f->owner;

    rpc_start(f, &s->call, s->call.client, s->call.method, s->in, NULL, true);
    return flow_await(f, call_ended);
}

static void on_end(struct flow *f, const struct err *err)
{
    struct rpc_stream *s = f->owner;

    s->flow = NULL;
    s->err = err ? err_copy(&s->of_err, err) : NULL;
    wake_reader(s, s->err);
    unref(s);
}

static void on_reader_gone(void *arg)
{
    struct rpc_stream *s = arg;

    if (s->flow)
        flow_cancel(s->flow, ERR_STATIC(CANCELLED));
    unref(s);
}

static struct flow *make_flow(struct flow *reader, struct rpc_stream *s)
{
    struct flow *f = flow_create(reader->loop, flow_left_ms(reader), on_end, s);

    f->trace = reader->trace;
    f->caller = reader->caller;
    f->priority = reader->priority;
    f->log.request_id = arena_str(&f->arena, reader->log.request_id);
    f->log.trace_id = arena_str(&f->arena, reader->log.trace_id);
    f->log.user_id = arena_str(&f->arena, reader->log.user_id);
    f->log.route = arena_str(&f->arena, reader->log.route);
    return f;
}

struct rpc_stream *rpc_stream_open(struct flow *f, struct rpc_client *c,
                                   const struct rpc_method *m, const void *in)
{
    struct rpc_stream *s = MEM_NEW(struct rpc_stream);

    s->refs = 2;
    s->call.stream = s;
    s->call.client = c;
    s->call.method = m;
    s->in = in;
    s->expected = RPC_STREAM_WINDOW;
    list_init(&s->came);
    arena_init(&s->of_err);
    arena_defer(&f->arena, on_reader_gone, s);
    s->flow = make_flow(f, s);
    flow_start(s->flow, call_service);
    s->in = NULL;
    return s;
}

/* ---- reading ---------------------------------------------------------------- */

static void forget(struct wait *w)
{
    CONTAINER_OF(w, struct rpc_stream, wait)->waiting = false;
}

/* A grant for several at once: half as many frames, and the service never waits for it
 * when the reader keeps up. */
static void grant(struct rpc_stream *s)
{
    if (++s->read < GRANT_AT_ONCE || !s->flow || !s->call.replica)
        return;
    rpc_replica_control(
        s->call.replica,
        &(struct rpc_frame){.type = RPC_CREDIT, .call = s->call.id, .credit = s->read});
    s->expected += s->read;
    s->read = 0;
}

enum step rpc_stream_next(struct flow *f, struct rpc_stream *s, flow_step next)
{
    if (s->current)
        grant(s);
    take_next(s);
    if (s->current)
        return flow_await(f, next);
    if (s->err)
        return flow_fail(f, s->err);
    if (s->flow) {
        wait_begin(f, &s->wait, forget, true);
        s->waiting = true;
    }
    return flow_await(f, next);
}

struct str rpc_stream_chunk(const struct rpc_stream *s)
{
    return s->current ? (struct str){s->current->bytes, s->current->n} : (struct str){0};
}
