// SPDX-License-Identifier: Apache-2.0
/* The caller of the tests. */
#include "tests/support/rpc/rig.h"

#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/rpc/stream.h"

#include <stdio.h>
#include <stdlib.h>

/* Generous: below the two minutes of a call. Slow: no answer is, as it may be the
 * machine's fault. */
enum { GENEROUS_MS = 100000, LOOK_MS = 2, SLOW_MS = 600000 };

struct loop *rig_loop;
struct rpc_client *rig_client;
unsigned rig_running;

/* ---- running until ---------------------------------------------------------- */

struct watch {
    struct loop_timer timer;
    bool (*holds)(void *arg);
    void *arg;
    int64_t until_us;
    bool held;
};

static void on_look(struct loop_timer *t)
{
    struct watch *w = CONTAINER_OF(t, struct watch, timer);

    w->held = w->holds(w->arg);
    if (w->held || clock_mono_us() > w->until_us)
        loop_stop(rig_loop);
    else
        loop_timer_set(t, LOOK_MS);
}

bool rig_until(bool (*holds)(void *arg), void *arg)
{
    struct watch w = {.holds = holds, .arg = arg};

    w.until_us = clock_mono_us() + GENEROUS_MS * INT64_C(1000);
    loop_timer_init(&w.timer, rig_loop, on_look);
    loop_timer_set(&w.timer, 0);
    loop_run(rig_loop);
    loop_timer_clear(&w.timer);
    return w.held;
}

bool rig_all_ended(void *unused)
{
    (void)unused;
    return rig_running == 0;
}

bool rig_is_up(void *unused)
{
    (void)unused;
    return rpc_client_up(rig_client, "rig");
}

bool rig_is_down(void *unused)
{
    return !rig_is_up(unused);
}

/* ---- calls ------------------------------------------------------------------ */

struct doing {
    struct rig_call call;
    struct rig_outcome *outcome;
    struct rpc_call rpc;
    struct rpc_stream *stream;
    struct rig_text in, out;
    int64_t begun_us;
};

static size_t copy(char *to, size_t room, struct str from)
{
    size_t n = from.n < room - 1 ? from.n : room - 1;

    if (n)
        memcpy(to, from.p, n);
    to[n] = '\0';
    return from.n;
}

static void note_error(struct rig_outcome *o, const struct err *err)
{
    size_t used = 0;

    o->code = err->code;
    o->retry_after_ms = err->retry_after_ms;
    o->text_len = copy(o->text, sizeof o->text, err->detail);
    for (const struct err_field *f = err->fields; f && used < sizeof o->fields;
         f = f->next)
        used += (size_t)snprintf(o->fields + used, sizeof o->fields - used,
                                 "%.*s: %.*s; ", STR_FMT(f->pointer), STR_FMT(f->detail));
}

static void on_end(struct flow *f, const struct err *err)
{
    struct doing *d = f->owner;
    struct rig_outcome *o = d->outcome;

    rig_running--;
    o->ended = true;
    o->flow = NULL;
    o->took_ms = (clock_mono_us() - d->begun_us) / 1000;
    if (err)
        note_error(o, err);
    else
        o->text_len = copy(o->text, sizeof o->text, d->out.text);
}

static enum step replied(struct flow *f)
{
    return flow_done(f);
}

static enum step ask(struct flow *f)
{
    struct doing *d = f->owner;

    rpc_start(f, &d->rpc, rig_client, d->call.method, &d->in, &d->out, true);
    return flow_await(f, replied);
}

static enum step read_chunk(struct flow *f);

static enum step chunk_came(struct flow *f)
{
    struct doing *d = f->owner;
    struct str chunk = rpc_stream_chunk(d->stream);

    if (!chunk.p)
        return flow_done(f);
    if (chunk.n == 1)
        return d->call.pause_ms ? flow_sleep(f, d->call.pause_ms, read_chunk)
                                : read_chunk(f);
    if (chunk.n != RIG_CHUNK ||
        memcmp(chunk.p, &d->outcome->chunks, sizeof(unsigned)) != 0)
        mem_die("rig: a chunk is lost, or not the one that was sent");
    if (++d->outcome->chunks == d->call.most)
        return flow_done(f);
    return d->call.pause_ms ? flow_sleep(f, d->call.pause_ms, read_chunk) : read_chunk(f);
}

static enum step read_chunk(struct flow *f)
{
    struct doing *d = f->owner;

    return rpc_stream_next(f, d->stream, chunk_came);
}

static enum step read_stream(struct flow *f)
{
    struct doing *d = f->owner;

    d->stream = rpc_stream_open(f, rig_client, d->call.method, &d->in);
    return read_chunk(f);
}

void rig_begin(const struct rig_call *call, struct rig_outcome *o)
{
    int64_t ms = call->timeout_ms ? call->timeout_ms : 120000;
    struct flow *f = flow_create(rig_loop, ms, on_end, NULL);
    struct doing *d = ARENA_NEW(&f->arena, struct doing);

    *o = (struct rig_outcome){.flow = f};
    f->owner = d;
    f->log.request_id = str_of(call->request_id);
    memset(f->trace.trace_id, 0xab, sizeof f->trace.trace_id);
    memset(f->caller.user.b, 0x11, sizeof f->caller.user.b);
    f->caller.roles = 5;
    f->priority = call->priority;
    d->call = *call;
    d->outcome = o;
    d->rpc.idempotency_key = str_of(call->key);
    d->begun_us = clock_mono_us();
    WIRE_SET(&d->in, text, str_of(call->text ? call->text : ""));
    WIRE_SET(&d->in, number, call->number);
    rig_running++;
    flow_start(f, call->method == &RIG_STREAM ? read_stream : ask);
}

void rig_do(const struct rig_call *call, struct rig_outcome *o)
{
    rig_begin(call, o);
    rig_until(rig_all_ended, NULL);
}

/* ---- life ------------------------------------------------------------------- */

void rig_connect(const char *urls)
{
    rig_connect_as(urls, &(struct rpc_client_conf){0});
}

void rig_connect_as(const char *urls, const struct rpc_client_conf *as)
{
    static const struct err_code *const CODES[] = {&RIG_OUT_OF_STOCK, NULL};
    struct rpc_client_conf conf = *as;
    const struct err *err;
    struct arena a;

    conf.self = "test";
    conf.codes = CODES;
    conf.slow_ms = SLOW_MS;
    rpc_process_init();
    arena_init(&a);
    rig_loop = loop_create();
    rig_client = rpc_client_create(rig_loop, &conf);
    err = rpc_client_add(rig_client, &a, "rig", urls);
    if (err)
        mem_die("rig: %.*s", STR_FMT(err->detail));
    arena_fini(&a);
    if (!rig_until(rig_is_up, NULL))
        mem_die("rig: %s does not come up", urls);
}

void rig_disconnect(void)
{
    rpc_client_destroy(rig_client);
    loop_destroy(rig_loop);
}
