// SPDX-License-Identifier: Apache-2.0
/* Values to the server and back. */
#include "bench.h"

#include <criterion/criterion.h>

#define COLOURS(V) V(RED, "red") V(GREEN, "green")
WIRE_ENUM(colour, COLOURS)
WIRE_ENUM_DEFINE(colour, COLOURS)

#define THING(F, T)                                      \
    F(T, uuid, id, REQUIRED, 0, 0, "its name")           \
    F(T, str, name, REQUIRED, 1, 100, "what people say") \
    F(T, i64, amount, REQUIRED, 0, 100, "how much")      \
    F(T, flag, active, OPTIONAL, 0, 0, "on")             \
    F(T, time, made_at, OPTIONAL, 0, 0, "when")          \
    F(T, enum(colour), colour, OPTIONAL, 0, 0, "which")  \
    F(T, f64, ratio, OPTIONAL, 0, 1, "part")
WIRE_MESSAGE(thing, THING)
WIRE_DEFINE(thing, THING)

static const struct pg_stmt all = {
    .name = "all",
    .sql = "select $1::uuid, $2::text, $3::bytea, $4::bigint, $5::integer, $6::smallint,"
           " $7::boolean, $8::timestamptz, $9::jsonb, $10::numeric::text, $11::colour"};
static const struct pg_stmt arrays = {
    .name = "arrays",
    .sql = "select ($1::uuid[])[2], ($2::bigint[])[1], ($3::text[])[2],"
           " coalesce(array_length($1::uuid[], 1), 0), ($3::text[])[1] is null"};
static const struct pg_stmt nulls = {
    .name = "nulls", .sql = "select $1::uuid, $2::text, $3::bigint, $4::timestamptz"};
static const struct pg_stmt inferred = {
    .name = "inferred",
    .sql = "select n from generate_series(1, 10) n where n > $1 order by n limit $2"};
static const struct pg_stmt things = {.name = "things",
                                      .sql = "select * from thing order by name"};
static const struct pg_stmt insert = {
    .name = "insert",
    .writes = true,
    .sql = "insert into thing (id, name, amount, colour) values ($1, $2, $3, $4)"};
static const struct pg_stmt session = {
    .name = "session",
    .sql =
        "select current_setting('statement_timeout'), current_setting('client_encoding'),"
        " current_setting('application_name')"};
static const struct pg_stmt *const stmts[] = {&all,    &arrays, &nulls,   &inferred,
                                              &things, &insert, &session, NULL};

static struct bench b;

static void begin(void)
{
    bench_begin(&b, live_setting("VIADUCT_USERS_PG"),
                "create type colour as enum ('red', 'green');"
                "create table thing (id uuid primary key, name text not null,"
                " amount integer not null, active boolean, made_at timestamptz,"
                " colour colour, ratio double precision default 0.5, extra text)",
                bench_conf(stmts, 1));
}

static void end(void)
{
    bench_end(&b);
}

TestSuite(pg_types, .init = begin, .fini = end);

Test(pg_types, come_back_as_they_went)
{
    struct pg_query *q = bench_query(&b, &all);
    struct uuid id = uuid_new();
    const int64_t when = INT64_C(1767225599999999);

    pg_uuid(q, id);
    pg_str(q, STR("gr\xc3\xbc\xc3\x9f'; drop"));
    pg_bytes(q, STR("\0\xff"));
    pg_i64(q, INT64_MIN);
    pg_i32(q, -7);
    pg_i64(q, 32767);
    pg_flag(q, true);
    pg_time(q, when);
    pg_str(q, STR("{\"a\": [1]}"));
    pg_i64(q, 12);
    pg_str(q, STR("green"));
    bench_run(&b, q);

    cr_assert_str_eq(bench_outcome(q), "ok");
    cr_assert_eq(q->rows.count, 1);
    cr_expect(uuid_eq(pg_get_uuid(&q->rows, 0, 0), id));
    cr_expect(str_eq(pg_get_str(&q->rows, 0, 1), STR("gr\xc3\xbc\xc3\x9f'; drop")));
    cr_expect(str_eq(pg_get_str(&q->rows, 0, 2), STR("\0\xff")));
    cr_expect_eq(pg_get_i64(&q->rows, 0, 3), INT64_MIN);
    cr_expect_eq(pg_get_i64(&q->rows, 0, 4), -7);
    cr_expect_eq(pg_get_i64(&q->rows, 0, 5), 32767);
    cr_expect(pg_get_flag(&q->rows, 0, 6));
    cr_expect_eq(pg_get_time(&q->rows, 0, 7), when);
    cr_expect(str_eq(pg_get_str(&q->rows, 0, 8), STR("{\"a\": [1]}")));
    cr_expect(str_eq(pg_get_str(&q->rows, 0, 9), STR("12")));
    cr_expect(str_eq(pg_get_str(&q->rows, 0, 10), STR("green")));
}

Test(pg_types, arrays_keep_order_nulls_and_emptiness)
{
    struct uuid ids[] = {uuid_new(), uuid_new()};
    const int64_t numbers[] = {INT64_MAX};
    const struct str strings[] = {{NULL, 0}, {"{a,b}", 5}};
    struct pg_query *q = bench_query(&b, &arrays);

    pg_uuid_array(q, ids, 2);
    pg_i64_array(q, numbers, 1);
    pg_str_array(q, strings, 2);
    bench_run(&b, q);
    cr_expect(uuid_eq(pg_get_uuid(&q->rows, 0, 0), ids[1]));
    cr_expect_eq(pg_get_i64(&q->rows, 0, 1), INT64_MAX);
    cr_expect(str_eq(pg_get_str(&q->rows, 0, 2), STR("{a,b}")));
    cr_expect_eq(pg_get_i64(&q->rows, 0, 3), 2);
    cr_expect(pg_get_flag(&q->rows, 0, 4));

    q = bench_query(&b, &arrays);
    pg_uuid_array(q, NULL, 0);
    pg_i64_array(q, NULL, 0);
    pg_str_array(q, NULL, 0);
    bench_run(&b, q);
    cr_assert_str_eq(bench_outcome(q), "ok");
    cr_expect(pg_is_null(&q->rows, 0, 0));
    cr_expect_eq(pg_get_i64(&q->rows, 0, 3), 0);
}

Test(pg_types, absent_values_are_null)
{
    struct pg_query *q = bench_query(&b, &nulls);

    pg_uuid_opt(q, false, (struct uuid){{0}});
    pg_str(q, (struct str){0});
    pg_null(q);
    pg_time_opt(q, false, 5);
    bench_run(&b, q);
    for (int i = 0; i < 4; i++)
        cr_expect(pg_is_null(&q->rows, 0, i));
}

Test(pg_types, a_number_takes_the_type_that_the_server_infers)
{
    struct pg_query *q = bench_query(&b, &inferred);

    pg_i64(q, 3); /* integer, from generate_series */
    pg_i32(q, 2); /* bigint, from limit */
    bench_run(&b, q);
    cr_assert_eq(q->rows.count, 2);
    cr_expect_eq(pg_get_i64(&q->rows, 0, 0), 4);
}

Test(pg_types, a_number_that_does_not_fit_ends_with_internal_and_hurts_nobody_else)
{
    struct pg_query *bad = bench_query(&b, &inferred), *good = bench_query(&b, &inferred);

    pg_i64(bad, INT64_C(1) << 40);
    pg_i64(bad, 1);
    pg_i64(good, 0);
    pg_i64(good, 1);
    bench_start(&b, bad);
    bench_run(&b, good);
    cr_expect_str_eq(bench_outcome(bad), "internal");
    cr_expect_str_eq(bench_outcome(good), "ok");
}

Test(pg_types, too_few_parameters_end_with_internal)
{
    struct pg_query *q = bench_query(&b, &inferred);

    pg_i64(q, 1);
    bench_run(&b, q);
    cr_expect_str_eq(bench_outcome(q), "internal");
}

static void add_thing(struct str name, int64_t amount)
{
    struct pg_query *q = bench_query(&b, &insert);

    pg_uuid(q, uuid_new());
    pg_str(q, name);
    pg_i64(q, amount);
    pg_str(q, amount % 2 ? STR("green") : (struct str){0});
    bench_run(&b, q);
    cr_assert_str_eq(bench_outcome(q), "ok");
    cr_assert_eq(q->rows.affected, 1);
}

Test(pg_types, rows_become_messages)
{
    struct pg_query *q = bench_query(&b, &things);
    struct thing t[3] = {0};

    add_thing(STR("b"), 3);
    add_thing(STR("a"), 1);
    add_thing(STR("c"), 2);
    bench_run(&b, q);
    cr_assert_eq(q->rows.count, 3);
    for (int i = 0; i < 3; i++)
        pg_get_msg(&b.arena, &q->rows, i, &thing_msg, &t[i]);
    cr_expect(str_eq(t[0].name, STR("a")) && str_eq(t[2].name, STR("c")));
    cr_expect_eq(t[1].amount, 3);
    cr_expect(t[0].has_colour && t[0].colour == GREEN);
    cr_expect_not(t[2].has_colour);
    cr_expect_not(t[0].has_active);
    cr_expect(t[0].has_ratio && t[0].ratio == 0.5);
    cr_expect(t[0].has_id && !uuid_is_nil(t[0].id));
}

Test(pg_types, the_session_is_set_up)
{
    struct pg_query *q = bench_query(&b, &session);

    bench_run(&b, q);
    cr_expect(str_eq(pg_get_str(&q->rows, 0, 0), STR("20s")));
    cr_expect(str_eq(pg_get_str(&q->rows, 0, 1), STR("UTF8")));
    cr_expect(str_eq(pg_get_str(&q->rows, 0, 2), str_of(b.schema)));
}
