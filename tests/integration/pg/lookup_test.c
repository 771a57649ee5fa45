// SPDX-License-Identifier: Apache-2.0
/* Lookups: many reads by id in one statement, each with the fate of its own. */
#include "bench.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { NOTES = 200, EACH = 3, FOR_EVER_MS = 600 * 1000 };

/* There is no note n when EACH divides n; `shared` says with how many ids the statement
 * was asked. */
static const char ddl[] = "create table note (id uuid, text text);"
                          "insert into note"
                          " select lpad(to_hex(n), 32, '0')::uuid, 'note ' || n"
                          " from generate_series(0, 199) n where n % 3 > 0";
#define FROM_IDS " from unnest((select $1::uuid[])) id"

static const struct pg_stmt one = {
    .name = "one", .sql = "select id, text, 1 as shared from note where id = $1"};
static const struct pg_stmt many = {
    .name = "many",
    .sql = "select id, text, cardinality($1::uuid[]) as shared from note"
           " where id = any ($1) order by random()"};
static const struct pg_stmt nap = {.name = "nap",
                                   .sql = "select $1::uuid, pg_sleep(1)::text"};
static const struct pg_stmt slow_one = {.name = "slow_one",
                                        .sql = "select $1::uuid, pg_sleep(600)::text"};
static const struct pg_stmt slow_many = {
    .name = "slow_many", .sql = "select id, pg_sleep(600)::text" FROM_IDS};
static const struct pg_stmt bad_many = {
    .name = "bad_many",
    .sql = "select id, (1 / (ascii(id::text) - ascii(id::text)))::text" FROM_IDS};
static const struct pg_stmt *const stmts[] = {&one,       &many,     &nap, &slow_one,
                                              &slow_many, &bad_many, NULL};

static struct bench b;

static void begin(unsigned connections)
{
    struct pg_conf conf = bench_conf(stmts, connections);

    conf.statement_timeout_ms = FOR_EVER_MS;
    bench_begin(&b, live_setting("VIADUCT_USERS_PG"), ddl, conf);
    bench_up(&b);
}

static void end(void)
{
    bench_end(&b);
}

TestSuite(pg_lookup, .fini = end);

static struct pg_lookup *look(const struct pg_stmt *single, const struct pg_stmt *all,
                              unsigned n)
{
    struct uuid id = {{0}};

    id.b[15] = (uint8_t)n;
    return pg_lookup(bench_flow(&b, 2 * LIVE_BOUND_MS), b.pool, single, all, id);
}

static bool over(void *lookup)
{
    const struct pg_lookup *l = lookup;

    return list_empty(&l->wait.link);
}

static int64_t shared_of(const struct pg_lookup *l)
{
    return pg_get_i64(&l->rows, 0, 2);
}

static void check_note(const struct pg_lookup *l, unsigned n)
{
    char text[16];

    snprintf(text, sizeof text, "note %u", n);
    cr_assert_eq(l->rows.count, n % EACH > 0, "note %u has %d rows", n, l->rows.count);
    if (l->rows.count > 0)
        cr_assert(str_eq(pg_get_str(&l->rows, 0, 1), str_of(text)));
}

Test(pg_lookup, each_of_a_turn_gets_the_row_of_its_id)
{
    struct pg_lookup *l[NOTES + 1];

    begin(2);
    for (unsigned n = 0; n < NOTES; n++)
        l[n] = look(&one, &many, n);
    l[NOTES] = look(&one, &many, 8); /* once more */
    for (unsigned n = 0; n <= NOTES; n++)
        cr_assert(live_until(b.loop, over, l[n]));
    for (unsigned n = 0; n < NOTES; n++) /* also when those it came with have gone */
        if (n % 5 == 0)
            flow_cancel(b.flows[n], ERR_STATIC(CANCELLED));
    live_turns(b.loop, 1);
    for (unsigned n = 0; n < NOTES; n++)
        if (n % 5 != 0)
            check_note(l[n], n);
    check_note(l[NOTES], 8);
}

Test(pg_lookup, one_alone_has_its_own_statement_and_those_of_a_turn_share_one)
{
    struct pg_lookup *l[10];

    begin(1);
    l[0] = look(&one, &many, 1);
    cr_assert(live_until(b.loop, over, l[0]));
    cr_assert_eq(shared_of(l[0]), 1);
    for (int i = 0; i < 10; i++)
        l[i] = look(&one, &many, 1);
    for (int i = 0; i < 10; i++) {
        cr_assert(live_until(b.loop, over, l[i]));
        cr_assert_eq(shared_of(l[i]), 10);
    }
}

/* The first keeps the only connection for a second. */
Test(pg_lookup, what_comes_while_all_connections_are_asked_goes_together)
{
    struct pg_lookup *l[4];

    begin(1);
    (void)look(&nap, &many, 1);
    for (int i = 0; i < 4; i++) {
        live_turns(b.loop, 5); /* a turn each */
        l[i] = look(&nap, &many, 2);
    }
    for (int i = 0; i < 4; i++) {
        cr_assert(live_until(b.loop, over, l[i]));
        cr_assert_eq(shared_of(l[i]), 4);
    }
}

/* Two statements that are not full are under way; there are connections left. */
Test(pg_lookup, a_third_statement_waits_until_it_is_full)
{
    enum { FULL = 32 };
    struct pg_lookup *l[FULL];

    begin(4);
    for (int i = 0; i < 2; i++) {
        (void)look(&slow_one, &many, 1);
        live_turns(b.loop, 5);
    }
    for (unsigned n = 0; n < FULL; n++) {
        live_turns(b.loop, 1);
        cr_assert(n == 0 || !over(l[0]));
        l[n] = look(&slow_one, &many, n);
    }
    for (unsigned n = 0; n < FULL; n++) {
        cr_assert(live_until(b.loop, over, l[n]));
        check_note(l[n], n);
    }
}

Test(pg_lookup, one_that_is_cancelled_leaves_the_others_theirs)
{
    struct pg_lookup *l[30];

    begin(1);
    for (unsigned n = 0; n < 30; n++)
        l[n] = look(&one, &many, n);
    for (unsigned n = 0; n < 30; n += 3) /* before they are sent */
        flow_cancel(b.flows[n], ERR_STATIC(CANCELLED));
    live_turns(b.loop, 0);
    for (unsigned n = 1; n < 30; n += 3) /* perhaps after */
        if (b.flows[n])
            flow_cancel(b.flows[n], ERR_STATIC(CANCELLED));
    for (unsigned n = 2; n < 30; n += 3) {
        cr_assert(live_until(b.loop, over, l[n]));
        check_note(l[n], n);
    }
}

Test(pg_lookup, the_statement_is_cancelled_in_the_server_when_all_have_gone)
{
    struct pg_lookup *behind;

    begin(1);
    for (unsigned n = 0; n < 3; n++)
        (void)look(&slow_one, &slow_many, n);
    live_turns(b.loop, 50);
    for (int n = 0; n < 3; n++)
        flow_cancel(b.flows[n], ERR_STATIC(CANCELLED));
    behind = look(&one, &many, 7); /* on the only connection */
    cr_assert(live_until(b.loop, over, behind));
    check_note(behind, 7);
}

static bool three_ended(void *arg)
{
    (void)arg;
    return b.ended == 3;
}

Test(pg_lookup, a_statement_that_fails_fails_all_that_share_it)
{
    begin(1);
    for (unsigned n = 0; n < 3; n++)
        (void)look(&one, &bad_many, n);
    cr_assert(live_until(b.loop, three_ended, NULL));
    cr_assert_str_eq(b.ended_with->name, "internal");
}

Test(pg_lookup, each_ends_at_its_own_deadline)
{
    struct uuid id = {{0}};
    struct pg_lookup *patient;

    begin(1);
    patient = look(&slow_one, &slow_many, 1);
    for (int i = 0; i < 3; i++)
        (void)pg_lookup(bench_flow(&b, 100), b.pool, &slow_one, &slow_many, id);
    cr_assert(live_until(b.loop, three_ended, NULL));
    cr_assert_str_eq(b.ended_with->name, "request.deadline");
    cr_assert_not(over(patient));
}

Test(pg_lookup, a_pool_that_is_destroyed_ends_those_that_are_sent_and_those_that_wait)
{
    begin(1);
    (void)look(&slow_one, &slow_many, 1);
    live_turns(b.loop, 50);
    (void)look(&slow_one, &slow_many, 2);
    pg_pool_destroy(b.pool);
    (void)look(&one, &many, 3);
    cr_assert_eq(b.ended, 3);
    cr_assert_str_eq(b.ended_with->name, "unavailable");
    b.pool = NULL;
}
