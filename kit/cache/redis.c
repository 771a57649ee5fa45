// SPDX-License-Identifier: Apache-2.0
/*
 * Commands: admitted by state, breaker and number, sent at the end of the turn, ended by
 * their reply, their time or the loss of the connection.
 */
#include "kit/cache/redis.h"

#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/cache/client.h"

#include <stdlib.h>

enum {
    STALLED = 4, /* timeouts without a reply: the connection is given up */
    ARGS_INLINE = 16,
    RETRY_MS = 1000 /* told to callers while there is no connection */
};

static const struct breaker_conf breaker_conf = {
    .window_ms = 5000,
    .min_calls = 20,
    .failure_ratio = 0.5,
    .slow_ratio = 1.1, /* a slow command is one that timed out */
    .slow_ms = 60000,
    .dead_ms = 250,
    .open_ms = 500,
    .open_max_ms = 5000,
    .probes = 3,
};

static void publish_breaker(struct redis *r)
{
    enum breaker_state state = r->breaker.state;
    bool open = state == BREAKER_OPEN;

    atomic_store(&r->refuse_until_us, open ? r->breaker.open_until_us : 0);
    if (state != r->breaker_shown)
        metric_add(r->m_breaker, (int64_t)state - (int64_t)r->breaker_shown);
    r->breaker_shown = state;
}

static void report(struct redis *r, bool failed, int64_t took_us)
{
    breaker_report(&r->breaker, clock_mono_us(), failed, took_us);
    publish_breaker(r);
}

bool redis_up(const struct redis *r)
{
    return atomic_load(&r->ready) && clock_mono_us() >= atomic_load(&r->refuse_until_us);
}

bool redis_url_valid(const char *url)
{
    struct redis_url parsed;

    return redis_url_parse(str_of(url), &parsed);
}

const struct err_code *redis_admit(struct redis *r)
{
    bool allowed;

    if (r->commands.state != REDIS_LINK_READY)
        return &ERR_CODE_UNAVAILABLE;
    if (r->in_flight >= r->max_in_flight)
        return &ERR_CODE_SHED;
    allowed = breaker_allow(&r->breaker, clock_mono_us());
    publish_breaker(r);
    return allowed ? NULL : &ERR_CODE_UNAVAILABLE;
}

/* ---- how an op ends ---- */

static void take_out(struct redis_op *op)
{
    list_remove(&op->link);
    op->redis->in_flight--;
}

/* Without a reply: nobody hears of the op any more. Runs flows. */
static void end_unavailable(struct redis_op *op)
{
    struct redis_cmd *c = op->cmd;
    void (*done)(void *, bool) = op->done;

    op->cmd = NULL;
    op->done = NULL;
    if (op->loads)
        op->loads->loading = false;
    if (c) {
        c->op = NULL;
        wait_end(&c->wait, ERR_STATIC(UNAVAILABLE));
    }
    if (done)
        done(op->arg, false);
}

static void end_cmd(struct redis_op *op, const redisReply *reply)
{
    struct redis_cmd *c = op->cmd;
    struct flow *f = c->wait.flow;
    const struct err_code *code = NULL;

    c->op = NULL;
    c->reply = redis_reply_copy(&f->arena, reply);
    if (reply->type == REDIS_REPLY_ERROR)
        code = redis_reply_error(&f->log, reply);
    wait_end(&c->wait, code ? err_new(&f->arena, code, "%s", code->title) : NULL);
}

static void end_done(struct redis_op *op, const redisReply *reply)
{
    bool ok = reply->type != REDIS_REPLY_ERROR;

    if (!ok)
        redis_reply_error(NULL, reply);
    if (op->done)
        op->done(op->arg, ok);
}

static bool not_known(const struct redis_op *op, const redisReply *reply)
{
    return op->cmd && op->cmd->script && reply->type == REDIS_REPLY_ERROR &&
           redis_reply_starts(reply, "NOSCRIPT");
}

/* NULL when the connection ends: on_lost() does that, outside of hiredis. */
static void on_reply(redisAsyncContext *ac, void *r, void *privdata)
{
    struct redis_op *op = privdata;
    struct redis *redis = op->redis;
    const redisReply *reply = r;
    int64_t took_us;

    (void)ac;
    if (!reply)
        return;
    take_out(op);
    took_us = clock_mono_us() - op->sent_us;
    metric_observe_us(redis->m_duration, took_us);
    if (!op->reported)
        report(redis, false, took_us);
    if (not_known(op, reply) && redis_script_resend(op))
        return;
    if (op->loads)
        redis_script_loaded(op->loads, reply);
    else if (op->cmd)
        end_cmd(op, reply);
    else
        end_done(op, reply);
    free(op);
}

/* ---- time ---- */

static bool end_late_ops(struct redis *r, int64_t now)
{
    int64_t timeout_us = r->timeout_ms * 1000;
    struct redis_op *oldest;

    LIST_EACH (it, &r->ops) {
        struct redis_op *op = CONTAINER_OF(it, struct redis_op, link);

        if (now - op->sent_us < timeout_us)
            break;
        if (!op->reported)
            report(r, true, now - op->sent_us);
        op->reported = true;
    }
    oldest = CONTAINER_OF(r->ops.next, struct redis_op, link);
    return now - oldest->sent_us > STALLED * timeout_us;
}

/* Ending a command runs flows, which may start others: these come at the end of the list,
 * and nothing in it is freed here. */
static void tell_late_ops(struct redis *r)
{
    LIST_EACH (it, &r->ops) {
        struct redis_op *op = CONTAINER_OF(it, struct redis_op, link);

        if (!op->reported)
            break;
        if (op->cmd || op->done)
            end_unavailable(op);
    }
}

static void watch(struct redis *r)
{
    if (!loop_timer_is_set(&r->sweep))
        loop_timer_set(&r->sweep, r->timeout_ms / 4 + 1);
}

static void on_sweep(struct loop_timer *t)
{
    struct redis *r = CONTAINER_OF(t, struct redis, sweep);

    if (list_empty(&r->ops))
        return;
    if (end_late_ops(r, clock_mono_us()))
        redis_link_drop(&r->commands, "stalled");
    tell_late_ops(r);
    if (!list_empty(&r->ops))
        watch(r);
}

/* ---- sending ---- */

static bool send_argv(struct redis *r, struct redis_op *op, const struct str *argv,
                      size_t argc)
{
    const char *few[ARGS_INLINE], **args = few;
    size_t few_lengths[ARGS_INLINE], *lengths = few_lengths;
    int rc;

    if (argc > ARGS_INLINE) {
        args = mem_alloc(argc * sizeof *args);
        lengths = mem_alloc(argc * sizeof *lengths);
    }
    for (size_t i = 0; i < argc; i++) {
        args[i] = argv[i].p ? argv[i].p : "";
        lengths[i] = argv[i].n;
    }
    rc = redisAsyncCommandArgv(r->commands.ac, on_reply, op, (int)argc, args, lengths);
    if (args != few) {
        free(args);
        free(lengths);
    }
    return rc == REDIS_OK;
}

bool redis_submit(struct redis *r, struct redis_op *op, const struct str *argv,
                  size_t argc)
{
    op->redis = r;
    op->sent_us = clock_mono_us();
    op->reported = false;
    list_init(&op->link);
    if (!send_argv(r, op, argv, argc)) {
        report(r, true, 0);
        return false;
    }
    list_push(&r->ops, &op->link);
    r->in_flight++;
    watch(r);
    return true;
}

/* The reply of a cancelled command is dropped when it comes. */
static void on_cancel(struct wait *w)
{
    struct redis_cmd *c = CONTAINER_OF(w, struct redis_cmd, wait);

    if (c->op)
        c->op->cmd = NULL;
    c->op = NULL;
}

static void refuse(struct flow *f, struct redis_cmd *c, const struct err_code *code)
{
    struct err *e = err_new(&f->arena, code, "%s", code->title);
    int64_t ms = breaker_retry_after_ms(&c->redis->breaker, clock_mono_us());

    metric_add(c->redis->m_refused, 1);
    e->retry_after_ms = ms > RETRY_MS ? ms : RETRY_MS;
    wait_end(&c->wait, e);
}

void redis_start(struct flow *f, struct redis_cmd *c, struct redis *r,
                 const struct str *argv, size_t argc, bool required)
{
    const struct err_code *code = redis_admit(r);
    struct redis_op *op;

    c->redis = r;
    c->op = NULL;
    c->reply = (struct redis_reply){0};
    wait_begin(f, &c->wait, on_cancel, required);
    if (code) {
        refuse(f, c, code);
        return;
    }
    op = MEM_NEW(struct redis_op);
    op->cmd = c;
    c->op = op;
    if (!redis_submit(r, op, argv, argc)) {
        c->op = NULL;
        free(op);
        refuse(f, c, &ERR_CODE_UNAVAILABLE);
    }
}

void redis_send_done(struct redis *r, const struct str *argv, size_t argc,
                     void (*done)(void *arg, bool ok), void *arg)
{
    struct redis_op *op;

    if (redis_admit(r)) {
        metric_add(r->m_refused, 1);
        if (done)
            done(arg, false);
        return;
    }
    op = MEM_NEW(struct redis_op);
    op->done = done;
    op->arg = arg;
    if (redis_submit(r, op, argv, argc))
        return;
    free(op);
    if (done)
        done(arg, false);
}

void redis_send(struct redis *r, const struct str *argv, size_t argc)
{
    redis_send_done(r, argv, argc, NULL, NULL);
}

/* ---- the connection ---- */

static void on_ready(void *arg)
{
    struct redis *r = arg;

    breaker_init(&r->breaker, &breaker_conf, clock_mono_us());
    publish_breaker(r);
    atomic_store(&r->ready, true);
    metric_add(r->m_up, 1);
}

static void end_all(struct redis *r)
{
    struct list lost, *it;

    list_init(&lost);
    list_splice(&lost, &r->ops);
    r->in_flight = 0;
    while ((it = list_pop(&lost))) {
        struct redis_op *op = CONTAINER_OF(it, struct redis_op, link);

        if (!op->reported)
            report(r, true, clock_mono_us() - op->sent_us);
        end_unavailable(op);
        free(op);
    }
}

static void on_lost(void *arg)
{
    struct redis *r = arg;

    atomic_store(&r->ready, false);
    metric_add(r->m_up, -1);
    end_all(r);
}

/* ---- life cycle ---- */

static void init_metrics(struct redis *r)
{
    r->m_duration = metrics_histogram("viaduct_redis_command_duration_seconds",
                                      "From the start of a command to its reply", NULL);
    r->m_refused =
        metrics_counter("viaduct_redis_refused_total",
                        "Commands ended at once: no connection, breaker, limit", NULL);
    r->m_breaker =
        metrics_gauge("viaduct_breaker_state",
                      "0 closed, 1 half open, 2 open; the sum over the process's loops",
                      "target", "redis", NULL);
    r->m_up =
        metrics_gauge("viaduct_redis_connections", "Loops that are connected", NULL);
}

struct redis *redis_create(struct loop *l, const struct redis_conf *conf)
{
    struct redis *r = MEM_NEW(struct redis);

    if (!redis_url_parse(str_of(conf->url), &r->url))
        mem_die("redis: the URL is not redis://[user:password@]host[:port][/db]");
    r->loop = l;
    r->max_in_flight = conf->max_in_flight;
    r->timeout_ms = conf->timeout_ms;
    list_init(&r->ops);
    loop_timer_init(&r->sweep, l, on_sweep);
    breaker_init(&r->breaker, &breaker_conf, clock_mono_us());
    init_metrics(r);
    redis_link_init(&r->commands, l, &r->url, "commands");
    r->commands.ready = on_ready;
    r->commands.lost = on_lost;
    r->commands.arg = r;
    redis_pubsub_init(r);
    redis_link_open(&r->commands);
    return r;
}

void redis_destroy(struct redis *r)
{
    if (!r)
        return;
    redis_link_fini(&r->commands);
    redis_pubsub_fini(r);
    if (atomic_exchange(&r->ready, false))
        metric_add(r->m_up, -1);
    end_all(r);
    metric_add(r->m_breaker, -(int64_t)r->breaker_shown);
    loop_timer_clear(&r->sweep);
    loop_free_later(r->loop, free, r);
}
