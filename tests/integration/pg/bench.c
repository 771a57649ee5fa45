// SPDX-License-Identifier: Apache-2.0
/* Pools and held flows for the tests of kit/pg. */
#include "bench.h"

#include "kit/obs/metrics.h"
#include "kit/pg/migrate.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

static void run_script(struct bench *b, const char *conninfo, const char *sql)
{
    const struct err *e = pg_run_script(&b->arena, conninfo, sql);

    cr_assert_null(e, "%s", e ? e->detail.p : "");
}

struct pg_conf bench_conf(const struct pg_stmt *const *stmts, unsigned connections)
{
    return (struct pg_conf){
        .stmts = stmts,
        .connections = connections,
        .max_waiting = 1000,
        .statement_timeout_ms = 20000,
        .name = "test",
    };
}

void bench_begin(struct bench *b, const char *server, const char *ddl,
                 struct pg_conf conf)
{
    *b = (struct bench){.lock = b->lock, .loop = loop_create(), .server = server};
    arena_init(&b->arena);
    b->schema = live_name(&b->arena, "test");
    run_script(b, server, arena_printf(&b->arena, "create schema \"%s\"", b->schema).p);
    b->conninfo =
        arena_printf(&b->arena, "%s?application_name=%s&options=-csearch_path%%3D%s",
                     server, b->schema, b->schema)
            .p;
    if (ddl)
        bench_script(b, ddl);
    conf.conninfo = b->conninfo;
    b->pool = pg_pool_create(b->loop, &conf);
}

void bench_end(struct bench *b)
{
    for (int i = 0; i < b->n_flows; i++)
        if (b->flows[i])
            flow_cancel(b->flows[i], ERR_STATIC(CANCELLED));
    pg_pool_destroy(b->pool);
    live_turns(b->loop, 1);
    loop_destroy(b->loop);
    run_script(b, b->server,
               arena_printf(&b->arena, "drop schema \"%s\" cascade", b->schema).p);
    arena_fini(&b->arena);
}

static bool is_up(void *arg)
{
    return pg_pool_up(arg);
}

void bench_up(struct bench *b)
{
    cr_assert(live_until(b->loop, is_up, b->pool), "the pool never came up");
}

static bool are_ready(void *connections)
{
    return metric_value(metrics_gauge("viaduct_pg_pool_connections", "", "pool", "test",
                                      "state", "ready", NULL)) == *(int *)connections;
}

void bench_ready(struct bench *b, int connections)
{
    cr_assert(live_until(b->loop, are_ready, &connections), "not all are ready");
}

void bench_script(struct bench *b, const char *sql)
{
    run_script(b, b->conninfo, sql);
}

static void on_end(struct flow *f, const struct err *err)
{
    struct bench *b = f->owner;

    for (int i = 0; i < b->n_flows; i++)
        if (b->flows[i] == f)
            b->flows[i] = NULL;
    b->ended++;
    b->ended_with = err ? err->code : NULL;
}

static enum step hold(struct flow *f)
{
    return flow_sleep(f, 3600 * 1000, hold);
}

struct flow *bench_flow(struct bench *b, int64_t timeout_ms)
{
    struct flow *f = flow_create(b->loop, timeout_ms, on_end, b);

    cr_assert_lt(b->n_flows, BENCH_FLOWS);
    b->flows[b->n_flows++] = f;
    flow_start(f, hold);
    return f;
}

struct pg_query *bench_query(struct bench *b, const struct pg_stmt *stmt)
{
    struct flow *f = bench_flow(b, 2 * LIVE_BOUND_MS);

    f->state = pg_query(f, b->pool, stmt);
    return f->state;
}

bool bench_over(void *query)
{
    struct pg_query *q = query;

    return list_empty(&q->wait.link);
}

static struct flow *flow_of(const struct bench *b, const struct pg_query *q)
{
    for (int i = 0; i < b->n_flows; i++)
        if (b->flows[i] && b->flows[i]->state == q)
            return b->flows[i];
    cr_assert_fail("a query of no flow");
    return NULL;
}

void bench_start(struct bench *b, struct pg_query *q)
{
    pg_start(flow_of(b, q), q, false);
}

void bench_run(struct bench *b, struct pg_query *q)
{
    bench_start(b, q);
    cr_assert(live_until(b->loop, bench_over, q), "a query never ended");
}

const char *bench_outcome(const struct pg_query *q)
{
    return q->wait.err ? q->wait.err->code->name : "ok";
}

int64_t bench_value(struct bench *b, const struct pg_stmt *stmt)
{
    struct pg_query *q = bench_query(b, stmt);

    bench_run(b, q);
    cr_assert_str_eq(bench_outcome(q), "ok");
    cr_assert_eq(q->rows.count, 1);
    return pg_get_i64(&q->rows, 0, 0);
}

/* Criterion runs tests side by side. */
void bench_server(struct bench *b, const char *server, const char *instance)
{
    char path[512];

    snprintf(path, sizeof path, "%s/.dev/state/%s.lock", live_setting("VIADUCT_SOURCE"),
             instance);
    b->lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    cr_assert_geq(b->lock, 0);
    cr_assert_eq(flock(b->lock, LOCK_EX), 0);
    cr_assert(live_server("start", server, instance));
}

void bench_server_done(struct bench *b, const char *server, const char *instance)
{
    cr_assert(live_server("stop", server, instance));
    (void)close(b->lock);
}
