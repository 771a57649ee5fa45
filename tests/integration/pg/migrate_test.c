// SPDX-License-Identifier: Apache-2.0
/* Migrations: in order, once, all or nothing, by many at a time. */
#include "bench.h"

#include "kit/pg/migrate.h"

#include <criterion/criterion.h>
#include <pthread.h>

static const struct pg_stmt marks = {.name = "marks", .sql = "select count(*) from mark"};
static const struct pg_stmt *const stmts[] = {&marks, NULL};

#define FIRST \
    {1, "first", "create table mark (what text); insert into mark values ('1');"}
#define SECOND {2, "second", "insert into mark values ('2')"}

static const struct pg_migration one[] = {FIRST, {0}};
static const struct pg_migration two[] = {FIRST, SECOND, {0}};
static const struct pg_migration changed[] = {{1, "first", "select 1"}, {0}};
static const struct pg_migration broken[] = {
    FIRST, {2, "broken", "insert into mark values ('3'); select nonsense"}, {0}};
static const struct pg_migration escaping[] = {
    FIRST, {2, "escaping", "insert into mark values ('4'); commit"}, {0}};

static struct bench b;

static void begin(void)
{
    bench_begin(&b, live_setting("VIADUCT_USERS_PG"), NULL, bench_conf(stmts, 1));
}

static void end(void)
{
    bench_end(&b);
}

TestSuite(pg_migrate, .init = begin, .fini = end);

static const struct err *migrate(const struct pg_migration *list, int *applied)
{
    return pg_migrate(&b.arena, b.conninfo, list, applied);
}

Test(pg_migrate, applies_what_is_new_and_nothing_twice)
{
    int applied;

    cr_assert_null(migrate(one, &applied));
    cr_expect_eq(applied, 1);
    cr_assert_null(migrate(two, &applied));
    cr_expect_eq(applied, 1);
    cr_assert_null(migrate(two, &applied));
    cr_expect_eq(applied, 0);
    cr_assert_null(migrate(one, &applied), "a newer release ran");
    cr_expect_eq(bench_value(&b, &marks), 2);
}

Test(pg_migrate, refuses_a_text_that_was_changed)
{
    const struct err *e;
    int applied;

    cr_assert_null(migrate(one, &applied));
    e = migrate(changed, &applied);
    cr_assert_not_null(e);
    cr_expect_not_null(strstr(e->detail.p, "migration 1 (first) was changed"));
}

Test(pg_migrate, leaves_nothing_of_one_that_fails)
{
    const struct err *e;
    int applied;

    e = migrate(broken, &applied);
    cr_assert_not_null(e);
    cr_expect_eq(applied, 1);
    cr_expect_not_null(strstr(e->detail.p, "nonsense"), "%s", e->detail.p);
    cr_expect_eq(bench_value(&b, &marks), 1);
    cr_assert_null(migrate(two, &applied), "a corrected one is applied");
    cr_expect_eq(applied, 1);
}

Test(pg_migrate, refuses_a_text_that_commits_by_itself)
{
    int applied;

    cr_assert_not_null(migrate(escaping, &applied));
}

struct runner {
    pthread_t thread;
    const char *conninfo;
    int applied;
    bool failed;
};

static void *run(void *arg)
{
    struct runner *r = arg;
    struct arena a;

    arena_init(&a);
    r->failed = pg_migrate(&a, r->conninfo, two, &r->applied);
    arena_fini(&a);
    return NULL;
}

Test(pg_migrate, runs_once_when_many_processes_start_together)
{
    struct runner r[8];
    int applied = 0;

    for (int i = 0; i < 8; i++) {
        r[i] = (struct runner){.conninfo = b.conninfo};
        cr_assert_eq(pthread_create(&r[i].thread, NULL, run, &r[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(r[i].thread, NULL);
        cr_expect_not(r[i].failed);
        applied += r[i].applied;
    }
    cr_expect_eq(applied, 2);
    cr_expect_eq(bench_value(&b, &marks), 2);
}

Test(pg_migrate, says_that_it_cannot_connect)
{
    const struct err *e;
    int applied;

    e = pg_migrate(&b.arena, "postgresql://127.0.0.1:1/none", one, &applied);
    cr_assert_not_null(e);
    cr_expect_str_eq(e->code->name, "unavailable");
}

Test(pg_migrate, a_script_is_one_transaction)
{
    int applied;

    cr_assert_null(migrate(one, &applied));
    cr_assert_not_null(pg_run_script(&b.arena, b.conninfo,
                                     "insert into mark values ('5'); select nonsense"));
    cr_expect_eq(bench_value(&b, &marks), 1);
}
