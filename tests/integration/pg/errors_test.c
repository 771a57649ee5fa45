// SPDX-License-Identifier: Apache-2.0
/* What goes wrong in a statement, and whom it hurts. */
#include "bench.h"

#include <criterion/criterion.h>

static const struct pg_stmt divide = {.name = "divide", .sql = "select 10 / $1::integer"};
static const struct pg_stmt sleep_for = {
    .name = "sleep_for", .sql = "select pg_sleep($1::double precision / 1000)::text"};
static const struct pg_stmt insert = {
    .name = "insert",
    .writes = true,
    .sql = "insert into account (id, name, balance) values ($1, $2, $3)"};
static const struct pg_stmt count = {.name = "count",
                                     .sql = "select count(*) from account"};
static const struct pg_stmt raise = {
    .name = "raise", .writes = true, .sql = "select complain($1, $2)::text"};
static const struct pg_stmt defer = {
    .name = "defer", .writes = true, .sql = "insert into child (parent) values ($1)"};
/* Fails with SQLSTATE $1 until it has been called $2 times: sequences do not roll back.
 */
static const struct pg_stmt flaky = {
    .name = "flaky", .writes = true, .sql = "select flaky($1, $2)"};
static const struct pg_stmt calls = {.name = "calls",
                                     .sql = "select last_value from calls"};
static const struct pg_stmt backend = {.name = "backend",
                                       .sql = "select pg_backend_pid()"};
static const struct pg_stmt star = {.name = "star", .sql = "select * from star"};
static const struct pg_stmt *const stmts[] = {&divide,  &sleep_for, &insert, &count,
                                              &raise,   &defer,     &flaky,  &calls,
                                              &backend, &star,      NULL};
static const char ddl[] =
    "create table account (id bigint primary key, name text not null,"
    " balance bigint constraint balance_not_negative check (balance >= 0));"
    "create table parent (id bigint primary key);"
    "create table child (parent bigint constraint child_of_parent references parent"
    " deferrable initially deferred);"
    "create table star (a bigint); insert into star values (1);"
    "create sequence calls;"
    "create function complain(state text, message text) returns void language plpgsql as"
    " $$ begin raise exception using errcode = state, message = message; end $$;"
    "create function flaky(state text, good bigint) returns bigint language plpgsql as"
    " $$ declare n bigint := nextval('calls'); begin"
    " if n < good then raise exception using errcode = state; end if; return n; end $$;";

static struct bench b;

static void begin_with(int64_t statement_timeout_ms)
{
    struct pg_conf conf = bench_conf(stmts, 1);

    conf.statement_timeout_ms = statement_timeout_ms;
    bench_begin(&b, live_setting("VIADUCT_USERS_PG"), ddl, conf);
    bench_up(&b);
}

static void begin(void)
{
    begin_with(20000);
}

static void begin_in_haste(void)
{
    begin_with(1000);
}

static void end(void)
{
    bench_end(&b);
}

TestSuite(pg_errors, .init = begin, .fini = end);
TestSuite(pg_slow, .init = begin_in_haste, .fini = end);

static struct pg_query *insert_account(int64_t id, struct str name, int64_t balance)
{
    struct pg_query *q = bench_query(&b, &insert);

    pg_i64(q, id);
    pg_str(q, name);
    pg_i64(q, balance);
    return q;
}

Test(pg_errors, a_failed_read_hurts_no_other_of_its_turn)
{
    struct pg_query *q[40];

    for (int i = 0; i < 40; i++) {
        q[i] = bench_query(&b, &divide);
        pg_i32(q[i], i % 10); /* 0, 10, 20, 30 fail */
        bench_start(&b, q[i]);
    }
    for (int i = 0; i < 40; i++)
        cr_assert(live_until(b.loop, bench_over, q[i]));
    for (int i = 0; i < 40; i++) {
        cr_expect_str_eq(bench_outcome(q[i]), i % 10 ? "ok" : "internal", "%d", i);
        if (i % 10)
            cr_expect_eq(pg_get_i64(&q[i]->rows, 0, 0), 10 / (i % 10));
    }
}

Test(pg_errors, a_violated_constraint_is_named_and_no_error)
{
    struct pg_query *good = insert_account(1, STR("a"), 0),
                    *twice = insert_account(1, STR("b"), 0);
    struct pg_query *negative = insert_account(2, STR("c"), -1);
    struct pg_query *nameless = insert_account(3, (struct str){0}, 0);

    bench_start(&b, good);
    bench_start(&b, twice);
    bench_start(&b, negative);
    bench_run(&b, nameless);
    cr_expect_str_eq(bench_outcome(good), "ok");
    cr_expect_null(good->violated.p);
    cr_expect_str_eq(bench_outcome(twice), "ok");
    cr_expect(str_eq(twice->violated, STR("account_pkey")));
    cr_expect(str_eq(negative->violated, STR("balance_not_negative")));
    cr_expect(str_eq(nameless->violated, STR("name")), "NOT NULL has the column's name");
    cr_expect_eq(bench_value(&b, &count), 1);
}

Test(pg_errors, a_raised_exception_gives_its_message)
{
    struct pg_query *q = bench_query(&b, &raise);

    pg_str(q, STR("P0001"));
    pg_str(q, STR("out_of_stock"));
    bench_run(&b, q);
    cr_expect_str_eq(bench_outcome(q), "ok");
    cr_expect(str_eq(q->violated, STR("out_of_stock")));
}

Test(pg_errors, a_constraint_that_fails_at_the_commit_is_seen)
{
    struct pg_query *q = bench_query(&b, &defer);

    pg_i64(q, 7);
    bench_run(&b, q);
    cr_expect_str_eq(bench_outcome(q), "ok");
    cr_expect(str_eq(q->violated, STR("child_of_parent")));
}

Test(pg_errors, statements_of_one_segment_happen_together_or_not_at_all)
{
    struct pg_query *first = insert_account(1, STR("a"), 0);
    struct flow *f = b.flows[b.n_flows - 1];
    struct pg_query *then = pg_query_then(f, first, &insert);

    pg_i64(then, 2);
    pg_str(then, STR("b"));
    pg_i64(then, -5);
    bench_run(&b, first);
    cr_expect(str_eq(first->violated, STR("balance_not_negative")));
    cr_expect(str_eq(then->violated, STR("balance_not_negative")));
    cr_expect_eq(bench_value(&b, &count), 0);
}

Test(pg_slow, a_statement_ends_with_the_deadline)
{
    struct pg_query *q = bench_query(&b, &sleep_for);

    pg_i64(q, 60000);
    bench_run(&b, q);
    cr_expect_str_eq(bench_outcome(q), "request.deadline");
}

Test(pg_errors, a_rolled_back_transaction_is_repeated_a_few_times)
{
    struct pg_query *q = bench_query(&b, &flaky);

    pg_str(q, STR("40001"));
    pg_i64(q, 3);
    bench_run(&b, q);
    cr_expect_str_eq(bench_outcome(q), "ok");
    cr_expect_eq(pg_get_i64(&q->rows, 0, 0), 3);

    q = bench_query(&b, &flaky);
    pg_str(q, STR("40P01"));
    pg_i64(q, 1000);
    bench_run(&b, q);
    cr_expect_str_eq(bench_outcome(q), "unavailable");
    cr_expect_eq(bench_value(&b, &calls), 6);
}

Test(pg_errors, a_read_only_server_costs_the_connection_and_not_the_query)
{
    int64_t before = bench_value(&b, &backend);
    struct pg_query *q = bench_query(&b, &flaky);

    pg_str(q, STR("25006"));
    pg_i64(q, 2);
    bench_run(&b, q);
    cr_expect_str_eq(bench_outcome(q), "ok");
    cr_expect_neq(bench_value(&b, &backend), before);
}

Test(pg_errors, a_statement_whose_table_has_changed_is_prepared_again)
{
    struct pg_query *q;

    cr_assert_eq(bench_value(&b, &star), 1);
    bench_script(&b, "alter table star add column b text default 'new'");
    q = bench_query(&b, &star);
    bench_run(&b, q);
    cr_assert_str_eq(bench_outcome(q), "ok");
    cr_expect(str_eq(pg_get_str(&q->rows, 0, 1), STR("new")));
}

Test(pg_errors, many_writes_of_a_turn_are_separate_transactions)
{
    struct pg_query *q[200];

    for (int i = 0; i < 200; i++) {
        q[i] = insert_account(i / 2, STR("x"), 0); /* each id twice */
        bench_start(&b, q[i]);
    }
    for (int i = 0; i < 200; i++) {
        cr_assert(live_until(b.loop, bench_over, q[i]));
        cr_expect_str_eq(bench_outcome(q[i]), "ok");
        cr_expect_eq(q[i]->violated.p != NULL, i % 2, "%d", i);
    }
    cr_expect_eq(bench_value(&b, &count), 100);
}
