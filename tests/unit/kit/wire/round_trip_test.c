// SPDX-License-Identifier: Apache-2.0
/* Struct to msgpack to struct to JSON to struct, and nothing is lost on the way. */
#include "tests/unit/kit/wire/arena_suite.h"

ARENA_SUITE(round_trip);

static struct str to_msgpack(const struct wire_msg *msg, const void *in)
{
    struct buf b;
    struct str out;

    buf_init(&b, 1 << 20);
    wire_to_msgpack(&b, msg, in);
    out = arena_str(&arena, buf_view(&b));
    buf_fini(&b);
    return out;
}

static struct str to_json(const struct wire_msg *msg, const void *in)
{
    struct buf b;
    struct str out;

    buf_init(&b, 1 << 20);
    wire_to_json(&b, msg, in);
    out = arena_str(&arena, buf_view(&b));
    buf_fini(&b);
    return out;
}

static void expect_round_trip(const struct wire_msg *msg, const void *in)
{
    struct str bytes = to_msgpack(msg, in), json;
    void *second = arena_alloc(&arena, msg->size),
         *third = arena_alloc(&arena, msg->size);
    const struct err *e = wire_from_msgpack(&arena, msg, bytes, second);

    cr_assert_null(e, "%s", sample_told(&arena, e));
    json = to_json(msg, second);
    cr_assert(str_eq(json, to_json(msg, in)));
    e = wire_from_json(&arena, msg, json, third);
    cr_assert_null(e, "%s", sample_told(&arena, e));
    cr_assert(str_eq(bytes, to_msgpack(msg, third)));
    e = wire_validate(&arena, msg, third);
    cr_assert_null(e, "%s", sample_told(&arena, e));
}

Test(round_trip, loses_nothing_of_any_kind)
{
    struct sample_all all = sample_all_full(&arena);
    struct sample_user user = sample_user_full();

    expect_round_trip(&sample_all_msg, &all);
    expect_round_trip(&sample_user_msg, &user);
}

Test(round_trip, keeps_each_field_alone)
{
    for (unsigned i = 0; i < sample_all_msg.count; i++) {
        struct sample_all m = sample_all_full(&arena);

        for (unsigned j = 1; j < sample_all_msg.count; j++)
            if (j != i)
                *((bool *)(void *)&m + sample_all_msg.fields[j].has_offset) = false;
        expect_round_trip(&sample_all_msg, &m);
    }
}

static struct sample_all named(void)
{
    struct sample_all m = {0};

    WIRE_SET(&m, name, STR("ok"));
    return m;
}

Test(round_trip, keeps_numbers_exactly)
{
    static const int64_t integers[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX};
    static const double doubles[] = {0, -0.0, 0.1, -0.999999999999, 1e-300, 5e-324, 2};

    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        struct sample_all m = named();

        WIRE_SET(&m, big, integers[i]);
        expect_round_trip(&sample_all_msg, &m);
    }
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
        struct sample_all m = named();

        WIRE_SET(&m, ratio, doubles[i]);
        expect_round_trip(&sample_all_msg, &m);
    }
}

Test(round_trip, keeps_every_character_a_text_may_have)
{
    for (uint32_t c = 0x20; c < 0x110000; c = c < 0x800 ? c + 1 : c + 0x33) {
        struct sample_all m = named();
        char utf8[4];
        size_t n;

        if (c == 0x7f)
            c = 0xa0; /* past DEL and C1 */
        if (c >= 0xd800 && c < 0xe000)
            continue;
        if (c < 0x80) {
            utf8[0] = (char)c;
            n = 1;
        } else if (c < 0x800) {
            utf8[0] = (char)(0xc0 | c >> 6);
            n = 2;
        } else if (c < 0x10000) {
            utf8[0] = (char)(0xe0 | c >> 12);
            n = 3;
        } else {
            utf8[0] = (char)(0xf0 | c >> 18);
            n = 4;
        }
        for (size_t i = 1; i < n; i++)
            utf8[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
        WIRE_SET(&m, note, ((struct str){utf8, n}));
        expect_round_trip(&sample_all_msg, &m);
    }
}
