// SPDX-License-Identifier: Apache-2.0
/* Msgpack from other processes: it may be newer, broken or hostile. */
#include "tests/unit/kit/wire/arena_suite.h"
#include "tests/unit/kit/wire/packing.h"

ARENA_SUITE(msgpack);

static const char *read_all(struct str bytes)
{
    struct sample_all m = {0};

    return sample_told(&arena, wire_from_msgpack(&arena, &sample_all_msg, bytes, &m));
}

static struct str encoded(const struct sample_all *m)
{
    struct buf b;
    struct str bytes;

    buf_init(&b, 1 << 16);
    wire_to_msgpack(&b, &sample_all_msg, m);
    cr_assert_not(b.failed);
    bytes = arena_str(&arena, buf_view(&b));
    buf_fini(&b);
    return bytes;
}

static bool is_malformed(const char *told)
{
    return strstr(told, "request.malformed_msgpack: ") == told;
}

Test(msgpack, skips_names_it_does_not_know)
{
    cr_expect_str_eq(read_all(pack(&arena, "{1 name ok")), "ok");
    cr_expect_str_eq(read_all(pack(&arena, "{3 newer [2 1 {1 a X name ok later D")),
                     "ok");
    cr_expect_str_eq(read_all(pack(&arena, "{2 name ok line {3 sku x new U quantity 1")),
                     "ok");
}

Test(msgpack, takes_fields_in_any_order)
{
    struct sample_all m = {0};
    const struct err *e = wire_from_msgpack(
        &arena, &sample_all_msg,
        pack(&arena, "{5 tags [2 a b active T count -3 colour green name ok"), &m);

    cr_assert_null(e, "%s", sample_told(&arena, e));
    cr_assert(m.tags.n == 2 && m.active && m.count == -3 && m.colour == SAMPLE_GREEN);
    cr_assert(str_eq(m.name, STR("ok")));
}

Test(msgpack, names_every_bad_field_and_goes_on)
{
    static const struct told_case cases[] = {
        {"{0", "request.invalid /name is required"},
        {"[0", "request.invalid  must be an object"},
        {"N", "request.invalid  must be an object"},
        {"{1 name N", "request.invalid /name must be a string"},
        {"{2 name [2 1 {1 a 2 count 7",
         "request.invalid /name must be a string; /count must be at most 5"},
        {"{2 lines [3 {2 sku x quantity 0 7 {1 sku toolong name ok",
         "request.invalid /lines/0/quantity must be at least 1; /lines/1 must be an "
         "object; /lines/2/sku must have at most 5 characters; /lines/2/quantity is "
         "required"},
        {"{2 lines [4 {0 {0 7 N name ok",
         "request.invalid /lines must have at most 3 elements"},
        {"{2 tags [4 a b c d name ok",
         "request.invalid /tags must have at most 3 elements"},
        {"{2 tags [3 a [1 b 7 name ok",
         "request.invalid /tags/1 must be a string; /tags/2 must be a string"},
        {"{2 tags {0 name x",
         "request.invalid /tags must be an array of strings; /name must have at least 2 "
         "characters"},
    };

    EACH_CASE(c, cases)
    cr_expect_str_eq(read_all(pack(&arena, c->in)), c->told, "%s gave %s", c->in,
                     read_all(pack(&arena, c->in)));
}

/* For each field every value that is not of its kind. */
Test(msgpack, tells_wrong_kinds_for_every_kind)
{
    static const struct {
        const char *field, *right;
    } rows[] = {
        {"note", "text"},     {"mail", "text"}, {"link", "text"},    {"password", "text"},
        {"currency", "text"}, {"blob", "BU"},   {"big", "7"},        {"ratio", "D7"},
        {"active", "T"},      {"id", "U"},      {"created_at", "7"}, {"colour", "text"},
        {"line", "{0"},       {"lines", "[0"},  {"tags", "[0"},
    };
    static const char *const values[] = {"text", "7", "D", "T",  "N",
                                         "B",    "U", "X", "{0", "[0"};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t j = 0; j < sizeof values / sizeof *values; j++) {
            const char *in =
                arena_printf(&arena, "{2 name ok %s %s", rows[i].field, values[j]).p;
            const char *told = read_all(pack(&arena, in));

            if (!strstr(rows[i].right, values[j]))
                cr_expect(strstr(told, "must be"), "%s gave %s", in, told);
        }
    }
}

Test(msgpack, refuses_what_is_cut_at_any_byte)
{
    struct sample_all m = sample_all_full(&arena);
    struct str whole = encoded(&m);

    cr_assert_str_eq(read_all(whole), "ok");
    for (size_t n = 0; n < whole.n; n++) {
        const char *told = read_all(arena_str(&arena, (struct str){whole.p, n}));

        cr_expect(is_malformed(told), "%zu bytes gave %s", n, told);
    }
}

Test(msgpack, refuses_bytes_after_the_value)
{
    cr_expect_str_eq(read_all(pack(&arena, "{1 name ok N")),
                     "request.malformed_msgpack: byte 9: there is more after the value");
}

Test(msgpack, refuses_names_that_come_twice_or_are_no_strings)
{
    cr_expect_str_eq(read_all(pack(&arena, "{2 name ok name ok")),
                     "request.malformed_msgpack: byte 17: a name comes twice in a map");
    cr_expect(is_malformed(read_all(pack(&arena, "{1 7 ok"))));
    cr_expect(is_malformed(read_all(pack(&arena, "{1 [1 name ok"))));
}

Test(msgpack, refuses_counts_it_has_no_bytes_for)
{
    static const struct str cases[] = {
        {"\xdf\xff\xff\xff\xff", 5},
        {"\x82\xa4name\xa2ok\xa5lines\xdd\x00\xff\xff\xff", 19},
        {"\x82\xa4name\xa2ok\xa4tags\xdd\xff\xff\xff\xff", 18},
        {"\x81\xa4name\xdb\xff\xff\xff\xff", 11},
        {"\x82\xa4name\xa2ok\xa1x\xdd\xff\xff\xff\xff", 15},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(is_malformed(read_all(cases[i])), "row %zu", i);
}

/* depth maps in one another around `innermost`: {"child": {"child": ... }} */
static const char *nodes(size_t depth, const char *innermost)
{
    struct sample_node m = {0};
    const char *told;
    struct buf b;

    buf_init(&b, 8 << 20);
    for (size_t i = 1; i < depth; i++)
        buf_str(&b, STR("\x81\xa5"
                        "child"));
    buf_str(&b, pack(&arena, innermost));
    told = sample_told(&arena,
                       wire_from_msgpack(&arena, &sample_node_msg, buf_view(&b), &m));
    buf_fini(&b);
    return told;
}

Test(msgpack, bounds_the_depth_of_messages)
{
    cr_expect_str_eq(nodes(1, "{0"), "ok");
    cr_expect_str_eq(nodes(WIRE_DEPTH_MAX, "{0"), "ok");
    cr_expect(is_malformed(nodes(WIRE_DEPTH_MAX + 1, "{0")));
    cr_expect(is_malformed(nodes(500000, "{0")));
}

Test(msgpack, counts_arrays_into_the_depth)
{
    cr_expect_str_eq(nodes(WIRE_DEPTH_MAX - 1, "{1 words [1 a"), "ok");
    cr_expect(is_malformed(nodes(WIRE_DEPTH_MAX, "{1 words [1 a")));
    cr_expect_str_eq(nodes(WIRE_DEPTH_MAX - 2, "{1 lines [1 {2 sku a quantity 1"), "ok");
    cr_expect(is_malformed(nodes(WIRE_DEPTH_MAX - 1, "{1 lines [1 {2 sku a quantity 1")));
}

static const char *unknown_nested(size_t depth)
{
    const char *told;
    struct buf b;

    buf_init(&b, 8 << 20);
    buf_str(&b, STR("\x82\xa4name\xa2ok\xa1x"));
    for (size_t i = 0; i < depth; i++)
        mp_put_array(&b, 1);
    mp_put_nil(&b);
    told = read_all(buf_view(&b));
    buf_fini(&b);
    return told;
}

Test(msgpack, bounds_the_depth_of_what_it_skips)
{
    cr_expect_str_eq(unknown_nested(WIRE_DEPTH_MAX - 1), "ok");
    cr_expect(is_malformed(unknown_nested(WIRE_DEPTH_MAX)));
    cr_expect(is_malformed(unknown_nested(1000000)));
}

Test(msgpack, takes_no_memory_for_elements_beyond_the_bound)
{
    struct sample_all m = {0};
    struct buf b;

    buf_init(&b, 8 << 20);
    buf_str(&b, STR("\x82\xa4name\xa2ok\xa5lines"));
    mp_put_array(&b, 1000000);
    for (int i = 0; i < 1000000; i++)
        mp_put_map(&b, 0);
    cr_expect_str_eq(
        sample_told(&arena, wire_from_msgpack(&arena, &sample_all_msg, buf_view(&b), &m)),
        "request.invalid /lines must have at most 3 elements");
    cr_expect_null(m.lines.v);
    buf_fini(&b);
}

Test(msgpack, reads_integers_into_doubles_but_not_the_other_way)
{
    struct sample_all m = {0};

    cr_assert_null(wire_from_msgpack(&arena, &sample_all_msg,
                                     pack(&arena, "{2 name ok ratio 2"), &m));
    cr_assert(m.ratio > 1.9 && m.ratio < 2.1);
    cr_expect_str_eq(read_all(pack(&arena, "{2 name ok count D")),
                     "request.invalid /count must be an integer");
    cr_expect_str_eq(read_all(STR("\x82\xa4name\xa2ok\xa3"
                                  "big\xcf\xff\xff\xff\xff\xff\xff\xff\xff")),
                     "request.invalid /big must be an integer");
}

Test(msgpack, wants_utf8_in_strings)
{
    cr_expect_str_eq(read_all(STR("\x81\xa4name\xa2\xff\xfe")),
                     "request.invalid /name must be valid UTF-8");
    cr_expect_str_eq(read_all(STR("\x82\xa4name\xa2ok\xa4tags\x91\xa1\xc3")),
                     "request.invalid /tags/0 must be valid UTF-8");
}

Test(msgpack, writes_only_what_is_set)
{
    struct sample_all m = {.count = 3};

    cr_assert(str_eq(encoded(&m), STR("\x80")));
    m.has_count = true;
    cr_assert(str_eq(encoded(&m), STR("\x81\xa5"
                                      "count\x03")));
}

Test(msgpack, writes_uuid_and_bytes_raw_and_time_as_an_integer)
{
    struct sample_all m = {0};

    WIRE_SET(&m, blob, STR("\xff\x01"));
    WIRE_SET(&m, id, (struct uuid){{7}});
    WIRE_SET(&m, created_at, 5);
    WIRE_SET(&m, colour, SAMPLE_RED);
    cr_assert(
        str_eq(encoded(&m),
               STR("\x84\xa4"
                   "blob\xc4\x02\xff\x01\xa2id\xc4\x10\x07\0\0\0\0\0\0\0\0\0\0\0\0\0"
                   "\0\0\xaa"
                   "created_at\x05\xa6"
                   "colour\xa3red")));
}

Test(msgpack, stops_at_the_cap_of_the_buffer)
{
    struct sample_all m = sample_all_full(&arena);
    size_t whole = encoded(&m).n;

    for (size_t cap = 0; cap <= whole; cap++) {
        struct buf b;

        buf_init(&b, cap);
        wire_to_msgpack(&b, &sample_all_msg, &m);
        cr_expect_eq(b.failed, cap < whole, "cap %zu of %zu", cap, whole);
        buf_fini(&b);
    }
}
