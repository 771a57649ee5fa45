// SPDX-License-Identifier: Apache-2.0
/* Keys are kept for 24 hours: rows that are made old in a real database, as the orders
 * service's migration makes it. */
#include "kit/idempotency/idempotency.h"

#include "tests/support/database/database.h"
#include "tests/support/live/live.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { OLD = 2500, YOUNG = 10 }; /* old ones: more than two batches of the sweep */

static struct database db;
static struct arena arena;
static struct loop *loop;
static struct pg_pool *pool;

static const char *migration(void)
{
    const char *path =
        arena_printf(&arena, "%s/services/orders/migrations/0002_idempotency.sql",
                     getenv("VIADUCT_SOURCE"))
            .p;
    FILE *f = fopen(path, "r");
    char text[4096];
    size_t n;

    cr_assert_not_null(f, "%s", path);
    n = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    return arena_str(&arena, (struct str){text, n}).p;
}

static bool pool_is_up(void *unused)
{
    (void)unused;
    return pg_pool_up(pool);
}

static void begin(void)
{
    static const struct pg_stmt *const stmts[] = {IDEMPOTENCY_STATEMENTS, NULL};
    struct pg_conf conf = {.stmts = stmts,
                           .connections = 1,
                           .max_waiting = 8,
                           .statement_timeout_ms = 10000,
                           .name = "sweeper-test"};

    arena_init(&arena);
    database_create(&db, "VIADUCT_ORDERS_PG");
    database_run(&db, "%s", migration());
    loop = loop_create();
    conf.conninfo = db.conninfo;
    pool = pg_pool_create(loop, &conf);
    cr_assert(live_until(loop, pool_is_up, NULL));
}

static void end(void)
{
    pg_pool_destroy(pool);
    live_turns(loop, 1);
    loop_destroy(loop);
    database_drop(&db);
    arena_fini(&arena);
}

TestSuite(idempotency_sweeper, .init = begin, .fini = end);

/* So many keys that were used so long ago. */
static void add(int n, const char *method, const char *ago)
{
    database_run(&db,
                 "INSERT INTO idempotency_keys "
                 "SELECT gen_random_uuid(), '%s', n::text, 1, '{}', true, "
                 "now() - interval '%s' FROM generate_series(1, %d) n",
                 method, ago, n);
}

static long count(const char *method)
{
    return database_number(
        &db, "SELECT count(*) FROM idempotency_keys WHERE method = '%s'", method);
}

static bool old_are_gone(void *unused)
{
    (void)unused;
    return count("old") == 0;
}

Test(idempotency_sweeper, deletes_what_is_older_than_a_day_and_nothing_else)
{
    struct idempotency_sweeper *s;

    add(OLD, "old", "24 hours 1 minute");
    add(YOUNG, "young", "23 hours 55 minutes");
    add(YOUNG, "new", "0 hours");
    s = idempotency_sweeper_create(loop, pool);
    cr_assert(live_until(loop, old_are_gone, NULL), "%ld are left", count("old"));
    cr_assert_eq(count("young"), YOUNG);
    cr_assert_eq(count("new"), YOUNG);
    idempotency_sweeper_destroy(s);
}
