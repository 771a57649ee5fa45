// SPDX-License-Identifier: Apache-2.0
/* The msgpack cursor and the writers of single values. */
#include "tests/unit/kit/wire/arena_suite.h"

ARENA_SUITE(mp);

static struct mp_reader reader(struct str s)
{
    const uint8_t *p = (const uint8_t *)s.p;

    return (struct mp_reader){p, p + s.n};
}

/* A copy that ends where the heap block ends, so that asan sees a read beyond. */
static struct str tight(const void *p, size_t n)
{
    return arena_str(&arena, (struct str){p, n});
}

#define BYTES(...)                                              \
    ((struct str){(const char *)(const uint8_t[]){__VA_ARGS__}, \
                  sizeof((const uint8_t[]){__VA_ARGS__})})

static struct mp_value only(struct str s)
{
    struct mp_reader r = reader(s);
    struct mp_value v = {0};

    cr_assert(mp_next(&r, &v));
    cr_assert_eq(r.p, r.end);
    return v;
}

static bool is_int(struct str s, int64_t wanted)
{
    struct mp_value v = only(s);

    return v.type == MP_INT && v.i == wanted;
}

Test(mp, reads_integers_of_every_width)
{
    struct mp_value v;

    cr_expect(is_int(BYTES(0x00), 0));
    cr_expect(is_int(BYTES(0x7f), 127));
    cr_expect(is_int(BYTES(0xff), -1));
    cr_expect(is_int(BYTES(0xe0), -32));
    cr_expect(is_int(BYTES(0xcc, 0xff), 255));
    cr_expect(is_int(BYTES(0xcd, 0xff, 0xff), 65535));
    cr_expect(is_int(BYTES(0xce, 0xff, 0xff, 0xff, 0xff), UINT32_MAX));
    cr_expect(
        is_int(BYTES(0xcf, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), INT64_MAX));
    cr_expect(is_int(BYTES(0xd0, 0x80), -128));
    cr_expect(is_int(BYTES(0xd1, 0x80, 0x00), -32768));
    cr_expect(is_int(BYTES(0xd2, 0x80, 0x00, 0x00, 0x00), INT32_MIN));
    cr_expect(is_int(BYTES(0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0), INT64_MIN));
    cr_expect(is_int(BYTES(0xd3, 0, 0, 0, 0, 0, 0, 0, 7), 7));
    v = only(BYTES(0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0));
    cr_expect(v.type == MP_UINT && v.u == UINT64_C(1) << 63);
}

Test(mp, reads_the_other_scalars)
{
    struct mp_value v;

    cr_expect_eq(only(BYTES(0xc0)).type, MP_NIL);
    v = only(BYTES(0xc2));
    cr_expect(v.type == MP_BOOL && !v.flag);
    v = only(BYTES(0xc3));
    cr_expect(v.type == MP_BOOL && v.flag);
    v = only(BYTES(0xca, 0x3f, 0x00, 0x00, 0x00));
    cr_expect(v.type == MP_FLOAT && v.f > 0.49 && v.f < 0.51);
    v = only(BYTES(0xcb, 0xbf, 0xe0, 0, 0, 0, 0, 0, 0));
    cr_expect(v.type == MP_FLOAT && v.f < -0.49 && v.f > -0.51);
}

static void expect_bytes(struct str s, enum mp_type type, const char *content)
{
    struct mp_value v = only(s);

    cr_expect(v.type == type && str_eq(v.s, str_of(content)));
}

Test(mp, reads_strings_and_bytes_of_every_form)
{
    expect_bytes(BYTES(0xa0), MP_STR, "");
    expect_bytes(BYTES(0xa2, 'h', 'i'), MP_STR, "hi");
    expect_bytes(BYTES(0xd9, 2, 'h', 'i'), MP_STR, "hi");
    expect_bytes(BYTES(0xda, 0, 2, 'h', 'i'), MP_STR, "hi");
    expect_bytes(BYTES(0xdb, 0, 0, 0, 2, 'h', 'i'), MP_STR, "hi");
    expect_bytes(BYTES(0xc4, 2, 'h', 'i'), MP_BIN, "hi");
    expect_bytes(BYTES(0xc5, 0, 2, 'h', 'i'), MP_BIN, "hi");
    expect_bytes(BYTES(0xc6, 0, 0, 0, 2, 'h', 'i'), MP_BIN, "hi");
    expect_bytes(BYTES(0xd4, 9, 'x'), MP_EXT, "x");
    expect_bytes(BYTES(0xd5, 9, 'x', 'y'), MP_EXT, "xy");
    expect_bytes(BYTES(0xd6, 9, 'a', 'b', 'c', 'd'), MP_EXT, "abcd");
    expect_bytes(BYTES(0xd7, 9, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), MP_EXT,
                 "abcdefgh");
    expect_bytes(BYTES(0xc7, 3, 9, 'x', 'y', 'z'), MP_EXT, "xyz");
    expect_bytes(BYTES(0xc8, 0, 1, 9, 'x'), MP_EXT, "x");
    expect_bytes(BYTES(0xc9, 0, 0, 0, 0, 9), MP_EXT, "");
}

Test(mp, reads_heads_of_containers)
{
    static const uint8_t heads[][7] = {
        {0x92, 1, 2}, {0xdc, 0, 2, 1, 2}, {0xdd, 0, 0, 0, 2, 1, 2}};
    static const size_t sizes[] = {3, 5, 7};

    for (size_t i = 0; i < 3; i++) {
        struct mp_reader r = reader(tight(heads[i], sizes[i]));
        struct mp_value v;

        cr_assert(mp_next(&r, &v));
        cr_expect(v.type == MP_ARRAY && v.n == 2 && r.end - r.p == 2);
    }
}

Test(mp, believes_no_count_that_the_bytes_left_cannot_hold)
{
    static const uint8_t huge[][6] = {
        {0xdd, 0xff, 0xff, 0xff, 0xff, 0}, {0xdf, 0xff, 0xff, 0xff, 0xff, 0},
        {0xdb, 0xff, 0xff, 0xff, 0xff, 0}, {0xc6, 0xff, 0xff, 0xff, 0xff, 0},
        {0xc9, 0xff, 0xff, 0xff, 0xff, 0}, {0xdd, 0x00, 0x00, 0x00, 0x02, 0},
        {0xdf, 0x00, 0x00, 0x00, 0x01, 0},
    };

    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        struct mp_reader r = reader(tight(huge[i], 6));
        struct mp_value v;

        cr_expect_not(mp_next(&r, &v), "row %zu", i);
    }
}

Test(mp, never_reads_beyond_the_end)
{
    for (unsigned head = 0; head < 256; head++) {
        for (size_t n = 0; n < 20; n++) {
            uint8_t bytes[20] = {(uint8_t)head, 0x01, 0x00, 0x01};
            struct str s = tight(bytes, n);
            struct mp_reader r = reader(s);
            struct mp_value v;

            if (!mp_next(&r, &v))
                continue;
            cr_assert(r.p > (const uint8_t *)s.p && r.p <= r.end);
            cr_assert_neq(head, 0xc1);
        }
    }
}

Test(mp, skips_one_whole_value)
{
    /* {"a": [1, {"b": nil}], "c": "x"} and a 7 after it */
    struct str s = BYTES(0x82, 0xa1, 'a', 0x92, 0x01, 0x81, 0xa1, 'b', 0xc0, 0xa1, 'c',
                         0xa1, 'x', 0x07);
    struct mp_reader r = reader(s);
    struct mp_value v;

    cr_assert(mp_skip(&r));
    cr_assert(mp_next(&r, &v) && v.i == 7);
    for (size_t n = 0; n < s.n - 1; n++) {
        r = reader(tight(s.p, n));
        cr_expect_not(mp_skip(&r), "%zu bytes", n);
    }
}

static bool skips_nested(size_t depth)
{
    uint8_t *p = arena_alloc(&arena, depth + 1);
    struct mp_reader r = {p, p + depth + 1};

    memset(p, 0x91, depth);
    p[depth] = 0xc0;
    return mp_skip(&r);
}

Test(mp, skips_to_a_bounded_depth)
{
    cr_expect(skips_nested(0));
    cr_expect(skips_nested(WIRE_DEPTH_MAX));
    cr_expect_not(skips_nested(WIRE_DEPTH_MAX + 1));
    cr_expect_not(skips_nested(1000000));
}

Test(mp, skips_empty_containers_inside_others)
{
    struct mp_reader r = reader(BYTES(0x93, 0x90, 0x80, 0x91, 0x90, 0x2a));
    struct mp_value v;

    cr_assert(mp_skip(&r));
    cr_assert(mp_next(&r, &v) && v.i == 42);
}

Test(mp, reads_what_it_writes)
{
    static const int64_t numbers[] = {
        0,  1,   127, 128,  255,  256,    65535,     65536,     INT32_MAX, UINT32_MAX,
        -1, -32, -33, -128, -129, -32769, INT32_MIN, INT64_MIN, INT64_MAX};
    struct mp_reader r;
    struct mp_value v;
    struct buf b;

    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        mp_put_int(&b, numbers[i]);
    r = reader(buf_view(&b));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        cr_expect(mp_next(&r, &v) && v.type == MP_INT && v.i == numbers[i]);
    cr_expect_eq(r.p, r.end);
    buf_fini(&b);
}

Test(mp, writes_lengths_of_every_form)
{
    static const size_t sizes[] = {0, 1, 31, 32, 255, 256, 65535, 65536, 70000};
    char *text = arena_alloc(&arena, 70000);
    struct mp_reader r;
    struct mp_value v;
    struct buf b;

    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        mp_put_str(&b, (struct str){text, sizes[i]});
        mp_put_bin(&b, (struct str){text, sizes[i]});
    }
    r = reader(buf_view(&b));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        cr_expect(mp_next(&r, &v) && v.type == MP_STR && v.s.n == sizes[i]);
        cr_expect(mp_next(&r, &v) && v.type == MP_BIN && v.s.n == sizes[i]);
    }
    cr_expect_eq(r.p, r.end);
    buf_fini(&b);
}

Test(mp, writes_an_absent_string_as_an_empty_one)
{
    struct buf b;

    buf_init(&b, 16);
    mp_put_str(&b, (struct str){0});
    mp_put_bin(&b, (struct str){0});
    mp_put_nil(&b);
    mp_put_bool(&b, true);
    mp_put_bool(&b, false);
    mp_put_array(&b, 0);
    mp_put_map(&b, 0);
    cr_assert(
        str_eq(buf_view(&b), BYTES(0xa0, 0xc4, 0x00, 0xc0, 0xc3, 0xc2, 0x90, 0x80)));
    buf_fini(&b);
}

Test(mp, writes_doubles_bit_by_bit)
{
    struct buf b;

    buf_init(&b, 16);
    mp_put_double(&b, -0.5);
    cr_assert(str_eq(buf_view(&b), BYTES(0xcb, 0xbf, 0xe0, 0, 0, 0, 0, 0, 0)));
    buf_fini(&b);
}
