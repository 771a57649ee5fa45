// SPDX-License-Identifier: Apache-2.0
/* Reading results that are made by hand, as the server would send them. */
#include "kit/pg/oids.h"
#include "kit/pg/rows.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define COLOURS(V) V(RED, "red") V(GREEN, "green")
WIRE_ENUM(colour, COLOURS)
WIRE_ENUM_DEFINE(colour, COLOURS)

#define PART(F, T)                            \
    F(T, str, name, REQUIRED, 1, 100, "name") \
    F(T, i64, count, REQUIRED, 0, 9, "how many")
WIRE_MESSAGE(part, PART)
WIRE_DEFINE(part, PART)

#define BOX(F, T) F(T, list(part), parts, OPTIONAL, 0, 9, "what it holds")
WIRE_MESSAGE(box, BOX)
WIRE_DEFINE(box, BOX)

#define THING(F, T)                                      \
    F(T, uuid, id, REQUIRED, 0, 0, "its name")           \
    F(T, str, name, REQUIRED, 1, 100, "what people say") \
    F(T, i64, count, REQUIRED, 0, 100, "how many")       \
    F(T, f64, ratio, OPTIONAL, 0, 1, "part")             \
    F(T, flag, active, OPTIONAL, 0, 0, "on")             \
    F(T, time, made_at, OPTIONAL, 0, 0, "when")          \
    F(T, enum(colour), colour, OPTIONAL, 0, 0, "which")  \
    F(T, strs, tags, OPTIONAL, 0, 3, "words")
WIRE_MESSAGE(thing, THING)
WIRE_DEFINE(thing, THING)

struct column {
    const char *name;
    unsigned oid;
    const char *p; /* NULL: NULL */
    int n;
};

static struct arena a;
static struct pg_rows rows;

static double f64_at(int col)
{
    struct pg_cell c = pg_cell(&rows, 0, col);

    return pg_cell_f64(&c);
}

static void load(const struct column *columns, int n)
{
    PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc attributes[16] = {0};

    for (int i = 0; i < n; i++) {
        static char names[16][32];

        snprintf(names[i], sizeof names[i], "%s", columns[i].name);
        attributes[i] =
            (PGresAttDesc){.name = names[i], .typid = columns[i].oid, .format = 1};
    }
    cr_assert(PQsetResultAttrs(r, n, attributes));
    for (int i = 0; i < n; i++) {
        static char bytes[256];

        if (columns[i].p)
            memcpy(bytes, columns[i].p, (size_t)columns[i].n);
        cr_assert(PQsetvalue(r, 0, i, columns[i].p ? bytes : NULL,
                             columns[i].p ? columns[i].n : -1));
    }
    PQclear(rows.result);
    rows.result = r;
    rows.count = 1;
    rows.layout = pg_layout(r);
}

static void begin(void)
{
    arena_init(&a);
    rows = (struct pg_rows){.maps = pg_maps_create()};
}

static void end(void)
{
    PQclear(rows.result);
    pg_maps_destroy(rows.maps);
    arena_fini(&a);
}

TestSuite(pg_rows, .init = begin, .fini = end);

Test(pg_rows, read_each_type)
{
    const struct column columns[] = {
        {"a", PG_INT2, "\xff\xfe", 2},
        {"b", PG_INT4, "\x80\0\0\0", 4},
        {"c", PG_INT8, "\0\0\0\1\0\0\0\0", 8},
        {"d", PG_TEXT, "x\0y", 3},
        {"e", PG_JSONB, "\1{}", 3},
        {"f", PG_BOOL, "\1", 1},
        {"g", PG_TIMESTAMPTZ, "\0\0\0\0\0\0\0\1", 8},
        {"h", PG_FLOAT8, "\x3f\xe0\0\0\0\0\0\0", 8},
        {"i", PG_FLOAT4, "\x3f\0\0\0", 4},
        {"j", 20000, "paid", 4},
    };

    load(columns, 10);
    cr_expect_eq(pg_get_i64(&rows, 0, 0), -2);
    cr_expect_eq(pg_get_i64(&rows, 0, 1), INT64_C(-2147483648));
    cr_expect_eq(pg_get_i64(&rows, 0, 2), INT64_C(4294967296));
    cr_expect(str_eq(pg_get_str(&rows, 0, 3), STR("x\0y")));
    cr_expect(str_eq(pg_get_str(&rows, 0, 4), STR("{}")));
    cr_expect(pg_get_flag(&rows, 0, 5));
    cr_expect_eq(pg_get_time(&rows, 0, 6), INT64_C(946684800000001));
    cr_expect(f64_at(7) == 0.5);
    cr_expect(f64_at(8) == 0.5);
    cr_expect(str_eq(pg_get_str(&rows, 0, 9), STR("paid")));
}

Test(pg_rows, infinity_is_the_end_of_time)
{
    const struct column column = {"t", PG_TIMESTAMPTZ, "\x7f\xff\xff\xff\xff\xff\xff\xff",
                                  8};

    load(&column, 1);
    cr_expect_eq(pg_get_time(&rows, 0, 0), INT64_MAX);
}

Test(pg_rows, null_is_nothing_of_any_kind)
{
    const struct column columns[] = {
        {"a", PG_INT8, NULL, 0}, {"b", PG_TEXT, NULL, 0}, {"c", PG_UUID, NULL, 0}};

    load(columns, 3);
    cr_expect(pg_is_null(&rows, 0, 0));
    cr_expect_eq(pg_get_i64(&rows, 0, 0), 0);
    cr_expect_null(pg_get_str(&rows, 0, 1).p);
    cr_expect(uuid_is_nil(pg_get_uuid(&rows, 0, 2)));
}

Test(pg_rows, the_wrong_type_dies_in_development, .signal = SIGABRT)
{
    const struct column column = {"a", PG_TEXT, "12", 2};

    load(&column, 1);
    (void)pg_get_i64(&rows, 0, 0);
}

Test(pg_rows, fill_the_fields_whose_names_they_have)
{
    const struct column columns[] = {
        {"id", PG_UUID, "0123456789abcdef", 16},
        {"unknown", PG_INT4, "\0\0\0\7", 4},
        {"colour", PG_TEXT, "green", 5},
        {"name", PG_TEXT, "lamp", 4},
        {"count", PG_INT4, "\0\0\0\5", 4},
        {"active", PG_BOOL, "\0", 1},
        {"ratio", PG_FLOAT8, NULL, 0},
        {"made_at", PG_TIMESTAMPTZ, "\0\0\0\0\0\0\0\0", 8},
    };
    struct thing t = {0};

    load(columns, 8);
    pg_get_msg(&a, &rows, 0, &thing_msg, &t);
    cr_expect(t.has_id && memcmp(t.id.b, "0123456789abcdef", 16) == 0);
    cr_expect(t.has_name && str_eq(t.name, STR("lamp")));
    cr_expect(t.has_count && t.count == 5);
    cr_expect(t.has_active && !t.active);
    cr_expect(t.has_colour && t.colour == GREEN);
    cr_expect(t.has_made_at && t.made_at == INT64_C(946684800000000));
    cr_expect_not(t.has_ratio);
    cr_expect_not(t.has_tags);
}

/* One dimension, NULLs, type 20001; two elements from 1: ("leg", 4) and ("top", NULL). */
#define NAMED(name) \
    "\0\0\0\2"      \
    "\0\0\0\x19"    \
    "\0\0\0\3" name
static const char parts[] =
    "\0\0\0\1"
    "\0\0\0\1"
    "\0\0\x4e\x21"
    "\0\0\0\2"
    "\0\0\0\1"
    "\0\0\0\x1f" NAMED("leg") "\0\0\0\x14"
                              "\0\0\0\x8"
                              "\0\0\0\0\0\0\0\4"
                              "\0\0\0\x17" NAMED("top") "\0\0\0\x14"
                                                        "\xff\xff\xff\xff";

static struct box box_of(const char *p, size_t n)
{
    const struct column column = {"parts", 20000, p, (int)n};
    struct box b = {0};

    load(&column, 1);
    pg_get_msg(&a, &rows, 0, &box_msg, &b);
    return b;
}

Test(pg_rows, an_array_of_a_composite_type_fills_a_list)
{
    struct box b = box_of(parts, sizeof parts - 1);

    cr_assert(b.has_parts && b.parts.n == 2);
    cr_expect(str_eq(b.parts.v[0].name, STR("leg")) && b.parts.v[0].count == 4);
    cr_expect(str_eq(b.parts.v[1].name, STR("top")) && !b.parts.v[1].has_count);
    b = box_of("\0\0\0\0"
               "\0\0\0\0"
               "\0\0\x4e\x21",
               12);
    cr_expect(b.has_parts && b.parts.n == 0);
    b = box_of(NULL, 0);
    cr_expect_not(b.has_parts);
}

/* Development says so, by ending; see the_wrong_type_dies_in_development. */
Test(pg_rows, of_a_list_that_ends_too_soon_nothing_is_read_behind_its_end)
{
    for (size_t n = 0; n < sizeof parts - 1; n++) {
        char *exact = malloc(n ? n : 1); /* asan knows its end */
        struct sigaction on_abort = {.sa_handler = SIG_DFL};
        int status;
        pid_t child;

        memcpy(exact, parts, n);
        child = fork();
        if (child == 0) {
            sigaction(SIGABRT, &on_abort, NULL);
            (void)freopen("/dev/null", "w", stderr);
            (void)box_of(exact, n);
            _exit(0);
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%zu bytes", n);
        free(exact);
    }
}

Test(pg_rows, filled_strings_outlive_the_result)
{
    const struct column column = {"name", PG_TEXT, "lamp", 4};
    struct thing t = {0};

    load(&column, 1);
    pg_get_msg(&a, &rows, 0, &thing_msg, &t);
    PQclear(rows.result);
    rows.result = NULL;
    cr_expect(str_eq(t.name, STR("lamp")));
}

Test(pg_rows, a_label_that_is_not_known_leaves_the_field_absent)
{
    const struct column column = {"colour", PG_TEXT, "violet", 6};
    struct thing t = {0};

    load(&column, 1);
    pg_get_msg(&a, &rows, 0, &thing_msg, &t);
    cr_expect_not(t.has_colour);
}

Test(pg_rows, another_layout_is_mapped_anew)
{
    const struct column first[] = {{"name", PG_TEXT, "lamp", 4},
                                   {"count", PG_INT4, "\0\0\0\5", 4}};
    const struct column then[] = {{"count", PG_INT8, "\0\0\0\0\0\0\0\6", 8},
                                  {"name", PG_TEXT, "desk", 4}};
    struct thing t = {0}, u = {0};

    load(first, 2);
    pg_get_msg(&a, &rows, 0, &thing_msg, &t);
    load(then, 2);
    pg_get_msg(&a, &rows, 0, &thing_msg, &u);
    cr_expect_eq(t.count, 5);
    cr_expect_eq(u.count, 6);
    cr_expect(str_eq(u.name, STR("desk")));
}

Test(pg_rows, a_query_without_a_result_fills_nothing)
{
    struct thing t = {0};

    pg_get_msg(&a, &(struct pg_rows){0}, 0, &thing_msg, &t);
    cr_expect_not(t.has_name);
}
