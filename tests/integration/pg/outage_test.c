// SPDX-License-Identifier: Apache-2.0
/* A PostgreSQL of our own that is stopped, frozen and started again. */
#include "bench.h"

#include "kit/base/clock.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

#define INSTANCE "test-pg-outage"

static const struct pg_stmt number = {.name = "number", .sql = "select $1::bigint"};
static const struct pg_stmt note = {
    .name = "note", .writes = true, .sql = "insert into note values ($1)"};
static const struct pg_stmt backend = {.name = "backend",
                                       .sql = "select pg_backend_pid()"};
static const struct pg_stmt *const stmts[] = {&number, &note, &backend, NULL};

static struct bench b;
static struct arena a;

static const char *server(void)
{
    char password[64] = "";
    const char *path =
        arena_printf(&a, "%s/.dev/state/" INSTANCE "/postgres/password-users",
                     live_setting("VIADUCT_SOURCE"))
            .p;
    FILE *file = fopen(path, "r");

    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fscanf(file, "%63s", password), 1);
    (void)fclose(file);
    return arena_printf(&a, "postgresql://viaduct_users:%s@127.0.0.1:%d/viaduct_users",
                        password, live_server_port("postgres", INSTANCE))
        .p;
}

static void begin(void)
{
    struct pg_conf conf = bench_conf(stmts, 2);

    arena_init(&a);
    bench_server(&b, "postgres", INSTANCE);
    conf.statement_timeout_ms = 1000;
    bench_begin(&b, server(), "create table note (id bigint)", conf);
    bench_up(&b);
}

static void end(void)
{
    cr_assert(live_server("start", "postgres", INSTANCE));
    bench_end(&b);
    bench_server_done(&b, "postgres", INSTANCE);
    arena_fini(&a);
}

TestSuite(pg_outage, .init = begin, .fini = end);

static bool is_down(void *arg)
{
    return !pg_pool_up(arg);
}

static struct pg_query *ask(const struct pg_stmt *stmt, int64_t v)
{
    struct pg_query *q = bench_query(&b, stmt);

    pg_i64(q, v);
    return q;
}

static int64_t timed_run(struct pg_query *q)
{
    int64_t started = clock_mono_us();

    bench_run(&b, q);
    return (clock_mono_us() - started) / 1000;
}

Test(pg_outage, queries_fail_soon_then_at_once_and_work_again_when_it_is_back)
{
    struct pg_query *q = ask(&number, 1);
    int64_t took_ms;
    int tries = 0;

    bench_run(&b, q);
    cr_assert_str_eq(bench_outcome(q), "ok");
    cr_assert(live_server("stop", "postgres", INSTANCE));
    cr_assert(live_until(b.loop, is_down, b.pool));

    do { /* the first ones wait for a connection, until the breaker opens */
        q = ask(tries % 2 ? &note : &number, 1);
        took_ms = timed_run(q);
        cr_assert_str_eq(bench_outcome(q), "unavailable");
        cr_assert_gt(q->wait.err->retry_after_ms, 0);
        cr_assert_lt(took_ms, 20000, "inside the deadline");
    } while (took_ms > 50 && ++tries < 50);
    cr_assert_lt(tries, 50, "the breaker never opened");

    cr_assert(live_server("start", "postgres", INSTANCE));
    bench_up(&b);
    q = ask(&note, 1);
    bench_run(&b, q);
    cr_assert_str_eq(bench_outcome(q), "ok");
}

Test(pg_outage, a_query_within_a_short_deadline_hears_before_it)
{
    struct pg_query *q;
    struct flow *f;

    cr_assert(live_server("stop", "postgres", INSTANCE));
    cr_assert(live_until(b.loop, is_down, b.pool));
    f = bench_flow(&b, 1900); /* it waits for half of that */
    q = pg_query(f, b.pool, &number);
    pg_i64(q, 1);
    pg_start(f, q, false);
    cr_assert(live_until(b.loop, bench_over, q));
    cr_assert_not_null(b.flows[0]);
    cr_assert_str_eq(bench_outcome(q), "unavailable");
}

Test(pg_outage, a_frozen_server_is_given_up)
{
    struct pg_query *q;
    pid_t pid[2];
    bool ended;

    bench_ready(&b, 2);
    pid[0] = (pid_t)bench_value(&b, &backend);
    q = ask(&number, 7);
    cr_assert_eq(kill(pid[0], SIGSTOP), 0);
    bench_start(&b, q);
    ended = live_until(b.loop, bench_over, q);
    cr_assert_eq(kill(pid[0], SIGCONT), 0); /* whatever came out of it */
    cr_assert(ended);
    cr_assert_str_eq(bench_outcome(q), "ok", "repeated on another connection");
    pid[1] = (pid_t)bench_value(&b, &backend);
    cr_assert_neq(pid[0], pid[1]);
}

Test(pg_outage, writes_during_a_crash_are_acknowledged_only_when_they_are_there)
{
    enum { WRITES = 400 };
    struct pg_query *q[WRITES];
    static const struct pg_stmt count = {.name = "count",
                                         .sql = "select count(*) from note"};
    static const struct pg_stmt *const count_stmts[] = {&count, NULL};
    struct pg_conf conf = bench_conf(count_stmts, 1);
    struct pg_pool *pool;
    int64_t acknowledged = 0, unknown = 0, there;

    for (int i = 0; i < WRITES; i++) {
        q[i] = ask(&note, i);
        bench_start(&b, q[i]);
        if (i == WRITES / 2) {
            live_turns(b.loop, 10);
            cr_assert(live_server("stop", "postgres", INSTANCE));
        }
    }
    for (int i = 0; i < WRITES; i++) {
        cr_assert(live_until(b.loop, bench_over, q[i]));
        acknowledged += strcmp(bench_outcome(q[i]), "ok") == 0;
        unknown += strcmp(bench_outcome(q[i]), "unknown_outcome") == 0;
    }
    cr_assert(live_server("start", "postgres", INSTANCE));

    conf.conninfo = b.conninfo;
    pool = b.pool;
    b.pool = pg_pool_create(b.loop, &conf);
    bench_up(&b);
    there = bench_value(&b, &count);
    cr_expect_geq(there, acknowledged, "%lld rows, %lld acknowledged", (long long)there,
                  (long long)acknowledged);
    cr_expect_leq(there, acknowledged + unknown);
    pg_pool_destroy(pool);
}
