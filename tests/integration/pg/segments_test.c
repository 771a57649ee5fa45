// SPDX-License-Identifier: Apache-2.0
/* Cancelling, deadlines, limits, lost connections, statements that cannot be prepared. */
#include "bench.h"

#include "kit/obs/metrics.h"

#include <criterion/criterion.h>

enum { FOR_EVER_MS = 600 * 1000 };

static const struct pg_stmt number = {.name = "number", .sql = "select $1::bigint"};
static const struct pg_stmt sleep_for = {
    .name = "sleep_for", .sql = "select pg_sleep($1::double precision / 1000)::text"};
/* Only the first time: sequences do not roll back. */
static const struct pg_stmt sleep_once = {
    .name = "sleep_once",
    .sql = "select case when nextval('slept') = 1 then pg_sleep(60) end::text"};
static const struct pg_stmt times = {.name = "times",
                                     .sql = "select last_value from slept"};
static const struct pg_stmt slow_insert = {
    .name = "slow_insert",
    .writes = true,
    .sql = "insert into note select $1 from pg_sleep($2::double precision / 1000)"};
static const struct pg_stmt notes = {.name = "notes", .sql = "select count(*) from note"};
/* The sessions of this pool but the one that asks. */
static const struct pg_stmt kill_busy = {
    .name = "kill_busy",
    .sql = "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity"
           " where application_name = current_setting('application_name') and state = "
           "'active'"
           " and pid <> pg_backend_pid() and query like '%' || $1 || '%'"};
static const struct pg_stmt later = {.name = "later", .sql = "select a from later_table"};
static const struct pg_stmt *const stmts[] = {
    &number, &sleep_for, &sleep_once, &times, &slow_insert, &notes, &kill_busy, NULL};
static const struct pg_stmt *const later_stmts[] = {&number, &later, NULL};

static struct bench b;

static void begin_with(struct pg_conf conf)
{
    bench_begin(&b, live_setting("VIADUCT_USERS_PG"),
                "create table note (id bigint); create sequence slept", conf);
}

static void end(void)
{
    bench_end(&b);
}

TestSuite(pg_segments, .fini = end);

static struct pg_query *ask_number(int64_t v)
{
    struct pg_query *q = bench_query(&b, &number);

    pg_i64(q, v);
    return q;
}

static struct pg_query *ask_sleep(int64_t ms)
{
    struct pg_query *q = bench_query(&b, &sleep_for);

    pg_i64(q, ms);
    return q;
}

Test(pg_segments, every_query_of_a_turn_gets_its_own_answer)
{
    struct pg_query *q[500];

    begin_with(bench_conf(stmts, 3));
    for (int i = 0; i < 500; i++) {
        q[i] = ask_number(i);
        bench_start(&b, q[i]);
    }
    for (int i = 0; i < 500; i++) {
        cr_assert(live_until(b.loop, bench_over, q[i]));
        cr_assert_str_eq(bench_outcome(q[i]), "ok");
        cr_assert_eq(pg_get_i64(&q[i]->rows, 0, 0), i);
    }
}

Test(pg_segments, a_cancelled_query_leaves_its_neighbours_their_answers)
{
    struct pg_query *q[60];

    begin_with(bench_conf(stmts, 1));
    bench_up(&b);
    for (int i = 0; i < 60; i++) {
        q[i] = ask_number(i);
        bench_start(&b, q[i]);
    }
    for (int i = 0; i < 60; i += 3) /* before they are sent */
        flow_cancel(b.flows[i], ERR_STATIC(CANCELLED));
    live_turns(b.loop, 0);
    for (int i = 1; i < 60; i += 3) /* perhaps after */
        if (b.flows[i])
            flow_cancel(b.flows[i], ERR_STATIC(CANCELLED));
    for (int i = 2; i < 60; i += 3) {
        cr_assert(live_until(b.loop, bench_over, q[i]));
        cr_assert_eq(pg_get_i64(&q[i]->rows, 0, 0), i);
    }
}

Test(pg_segments, a_query_cancelled_while_it_runs_is_dropped)
{
    struct pg_query *q = NULL;

    begin_with(bench_conf(stmts, 1));
    bench_up(&b);
    bench_start(&b, ask_sleep(200));
    live_turns(b.loop, 50);
    flow_cancel(b.flows[0], ERR_STATIC(CANCELLED));
    q = ask_number(5); /* behind it, on the only connection */
    bench_run(&b, q);
    cr_assert_eq(pg_get_i64(&q->rows, 0, 0), 5);
}

/* With a server that would let statements run for ever. */
static void begin_patient(void)
{
    struct pg_conf conf = bench_conf(stmts, 1);

    conf.statement_timeout_ms = FOR_EVER_MS;
    begin_with(conf);
    bench_up(&b);
}

Test(pg_segments, what_nobody_waits_for_is_cancelled_in_the_server)
{
    struct pg_query *beside, *behind;

    begin_patient();
    bench_start(&b, ask_sleep(FOR_EVER_MS));
    beside = ask_number(7); /* in the same sync: rolled back with it, and repeated */
    bench_start(&b, beside);
    live_turns(b.loop, 50);
    flow_cancel(b.flows[0], ERR_STATIC(CANCELLED));
    behind = ask_number(5);
    bench_run(&b, behind);
    cr_assert_eq(pg_get_i64(&behind->rows, 0, 0), 5);
    cr_assert(live_until(b.loop, bench_over, beside));
    cr_assert_str_eq(bench_outcome(beside), "ok");
    cr_assert_eq(pg_get_i64(&beside->rows, 0, 0), 7);
}

Test(pg_segments, a_write_that_is_cancelled_has_not_been_done)
{
    struct pg_query *q;

    begin_patient();
    q = bench_query(&b, &slow_insert);
    pg_i64(q, 1);
    pg_i64(q, FOR_EVER_MS);
    bench_start(&b, q);
    live_turns(b.loop, 50);
    flow_cancel(b.flows[0], ERR_STATIC(CANCELLED));
    cr_assert_eq(bench_value(&b, &notes), 0);
}

static bool flow_gone(void *arg)
{
    return !*(struct flow **)arg;
}

Test(pg_segments, waiting_for_a_connection_ends_at_the_deadline)
{
    struct flow *f;
    struct pg_query *q;

    begin_with(bench_conf(stmts, 1));
    bench_up(&b);
    bench_start(&b, ask_sleep(15000));
    f = bench_flow(&b, 100);
    q = pg_query(f, b.pool, &number);
    pg_i64(q, 1);
    pg_start(f, q, true);
    cr_assert(live_until(b.loop, flow_gone, &b.flows[1]));
    cr_assert_str_eq(b.ended_with->name, "request.deadline");
}

Test(pg_segments, above_the_limit_queries_are_shed)
{
    struct pg_conf conf = bench_conf(stmts, 1);
    struct pg_query *q[20];
    int shed = 0;

    conf.max_waiting = 12;
    begin_with(conf);
    bench_up(&b);
    for (int i = 0; i < 20; i++) {
        q[i] = ask_number(i);
        bench_start(&b, q[i]);
    }
    for (int i = 0; i < 20; i++) {
        cr_assert(live_until(b.loop, bench_over, q[i]));
        shed += strcmp(bench_outcome(q[i]), "overloaded") == 0;
    }
    cr_assert_eq(shed, 8);
    cr_assert_gt(q[19]->wait.err->retry_after_ms, 0);
}

/* Asks the other connection to kill the one that runs `what`, until it was there to kill.
 */
static void kill_backend(struct str what)
{
    for (int tries = 0; tries < 200; tries++) {
        struct pg_query *q = bench_query(&b, &kill_busy);

        pg_str(q, what);
        bench_run(&b, q);
        cr_assert_str_eq(bench_outcome(q), "ok");
        if (pg_get_i64(&q->rows, 0, 0) == 1)
            return;
        live_turns(b.loop, 50);
    }
    cr_assert_fail("no session to kill");
}

Test(pg_segments, a_read_is_repeated_when_its_connection_is_lost)
{
    struct pg_query *q;

    begin_with(bench_conf(stmts, 2));
    bench_ready(&b, 2);
    q = bench_query(&b, &sleep_once);
    bench_start(&b, q);
    live_turns(b.loop, 50); /* sent, so that the next goes to another connection */
    kill_backend(STR("select case when nextval"));
    cr_assert(live_until(b.loop, bench_over, q));
    cr_assert_str_eq(bench_outcome(q), "ok");
    cr_assert_eq(bench_value(&b, &times), 2);
}

Test(pg_segments, a_read_that_loses_two_connections_is_unavailable)
{
    struct pg_query *q;

    begin_with(bench_conf(stmts, 3));
    bench_ready(&b, 3);
    q = ask_sleep(15000);
    bench_start(&b, q);
    live_turns(b.loop, 50); /* sent, so that the next goes to another connection */
    kill_backend(STR("pg_sleep($1::double precision / 1000)::text"));
    kill_backend(STR("pg_sleep($1::double precision / 1000)::text"));
    cr_assert(live_until(b.loop, bench_over, q));
    cr_assert_str_eq(bench_outcome(q), "unavailable");
}

Test(pg_segments, a_sent_write_whose_connection_is_lost_has_an_unknown_outcome)
{
    struct pg_query *q;

    begin_with(bench_conf(stmts, 2));
    bench_ready(&b, 2);
    q = bench_query(&b, &slow_insert);
    pg_i64(q, 1);
    pg_i64(q, 15000);
    bench_start(&b, q);
    live_turns(b.loop, 50); /* sent, so that the next goes to another connection */
    kill_backend(STR("insert into note select"));
    cr_assert(live_until(b.loop, bench_over, q));
    cr_assert_str_eq(bench_outcome(q), "unknown_outcome");
    cr_assert_eq(bench_value(&b, &notes), 0, "and it was not repeated");
}

static bool never_up(void *arg)
{
    return pg_pool_up(arg);
}

Test(pg_segments, a_pool_is_up_when_all_its_statements_can_be_prepared)
{
    begin_with(bench_conf(later_stmts, 1));
    cr_assert_not(live_until_ms(b.loop, never_up, b.pool, 300));
    bench_script(&b, "create table later_table (a bigint)");
    bench_up(&b);
}

Test(pg_segments, a_server_is_found_by_name_among_several)
{
    struct pg_conf conf = bench_conf(stmts, 1);
    struct pg_pool *by_address;
    struct str after, before;

    begin_with(bench_conf(stmts, 1));
    by_address = b.pool;
    before = str_split(str_of(b.conninfo), '@', &after);
    after.p += strcspn(after.p, ":/?");
    conf.conninfo = arena_printf(&b.arena, "%.*s@no-such-host.invalid:1,localhost%s",
                                 STR_FMT(before), after.p)
                        .p;
    b.pool = pg_pool_create(b.loop, &conf);
    bench_up(&b);
    bench_run(&b, ask_number(1));
    pg_pool_destroy(by_address);
}

static bool mentions(const struct buf *text, const char *what)
{
    return memmem(text->p, text->n, what, strlen(what)) != NULL;
}

Test(pg_segments, queries_and_connections_are_counted)
{
    struct buf text;

    begin_with(bench_conf(stmts, 1));
    bench_run(&b, ask_number(1));
    buf_init(&text, 1 << 20);
    metrics_render(&text);
    cr_expect(mentions(
        &text, "viaduct_pg_query_duration_seconds_count{statement=\"number\"} 1"));
    cr_expect(
        mentions(&text, "viaduct_pg_pool_connections{pool=\"test\",state=\"ready\"} 1"));
    cr_expect(mentions(
        &text, "viaduct_pg_pool_connections{pool=\"test\",state=\"connecting\"} 0"));
    buf_fini(&text);
}

Test(pg_segments, a_pool_that_is_destroyed_ends_what_is_under_way)
{
    struct pg_query *q;

    begin_with(bench_conf(stmts, 1));
    bench_up(&b);
    q = ask_sleep(60000);
    bench_start(&b, q);
    live_turns(b.loop, 50);
    pg_pool_destroy(b.pool);
    b.pool = NULL;
    cr_assert(bench_over(q));
    cr_assert_str_eq(bench_outcome(q), "unavailable");
}
