// SPDX-License-Identifier: Apache-2.0
/* Msgpack to JSON without a struct gives what decoding and writing gives. */
#include "tests/unit/kit/wire/arena_suite.h"
#include "tests/unit/kit/wire/packing.h"

ARENA_SUITE(transcode);

static const char *told(struct str bytes)
{
    struct buf b;
    const struct err *e;
    const char *text;

    buf_init(&b, 1 << 16);
    e = wire_msgpack_to_json(&arena, &sample_all_msg, bytes, &b);
    cr_expect(!e || b.n == 0);
    text = e ? sample_told(&arena, e) : arena_str(&arena, buf_view(&b)).p;
    buf_fini(&b);
    return text;
}

static void expect_same(const struct wire_msg *msg, const void *in)
{
    struct buf bytes, straight, twice;

    buf_init(&bytes, 1 << 16);
    buf_init(&straight, 1 << 16);
    buf_init(&twice, 1 << 16);
    wire_to_msgpack(&bytes, msg, in);
    cr_assert_null(wire_msgpack_to_json(&arena, msg, buf_view(&bytes), &straight));
    wire_to_json(&twice, msg, in);
    cr_assert(str_eq(buf_view(&straight), buf_view(&twice)), "%.*s\n%.*s",
              STR_FMT(buf_view(&straight)), STR_FMT(buf_view(&twice)));
    buf_fini(&bytes);
    buf_fini(&straight);
    buf_fini(&twice);
}

Test(transcode, gives_what_decoding_and_writing_gives)
{
    struct sample_all all = sample_all_full(&arena), none = {0};
    struct sample_user user = sample_user_full();

    expect_same(&sample_all_msg, &all);
    expect_same(&sample_all_msg, &none);
    expect_same(&sample_user_msg, &user);
}

Test(transcode, leaves_out_unknown_fields_and_checks_no_bounds)
{
    static const struct told_case cases[] = {
        {"{0", "{}"},
        {"{1 new [1 {1 a X", "{}"},
        {"{3 new T count 99 newer U", "{\"count\":99}"},
        {"{2 count 1 lines [2 {1 quantity -1 {2 x D sku y",
         "{\"count\":1,\"lines\":[{\"quantity\":-1},{\"sku\":\"y\"}]}"},
        {"{2 lines [0 tags [0", "{\"lines\":[],\"tags\":[]}"},
        {"{1 ratio 2", "{\"ratio\":2.0}"},
        {"{1 colour violet", "{\"colour\":\"violet\"}"},
        {"{1 line {0", "{\"line\":{}}"},
    };

    EACH_CASE(c, cases)
    cr_expect_str_eq(told(pack(&arena, c->in)), c->told, "%s gave %s", c->in,
                     told(pack(&arena, c->in)));
}

Test(transcode, tells_wrong_kinds)
{
    static const struct told_case cases[] = {
        {"[0", "request.invalid  must be an object"},
        {"{1 name 7", "request.invalid /name must be a string"},
        {"{1 name B", "request.invalid /name must be a string"},
        {"{2 count T ratio N",
         "request.invalid /count must be an integer; /ratio must be a number"},
        {"{1 active 1", "request.invalid /active must be true or false"},
        {"{1 id B", "request.invalid /id must be a UUID"},
        {"{1 id text", "request.invalid /id must be a UUID"},
        {"{1 blob text", "request.invalid /blob must be base64url without padding"},
        {"{1 created_at text",
         "request.invalid /created_at must be an RFC 3339 time, such as "
         "2026-01-31T12:00:00Z"},
        {"{1 created_at 9223372036854775807",
         "request.invalid /created_at must be an RFC 3339 time, such as "
         "2026-01-31T12:00:00Z"},
        {"{1 colour 1", "request.invalid /colour must be one of red, green, blue"},
        {"{2 line 7 count 1", "request.invalid /line must be an object"},
        {"{2 lines [3 {0 [1 7 {1 sku 7 count 1",
         "request.invalid /lines/1 must be an object; /lines/2/sku must be a string"},
        {"{2 tags [2 [1 x a count 1", "request.invalid /tags/0 must be a string"},
        {"{1 tags {0", "request.invalid /tags must be an array of strings"},
    };

    EACH_CASE(c, cases)
    cr_expect_str_eq(told(pack(&arena, c->in)), c->told, "%s gave %s", c->in,
                     told(pack(&arena, c->in)));
}

Test(transcode, refuses_strings_that_are_not_utf8_and_numbers_without_json)
{
    cr_expect_str_eq(told(STR("\x81\xa4name\xa1\xff")),
                     "request.invalid /name must be a string");
    cr_expect_str_eq(told(STR("\x81\xa5ratio\xcb\x7f\xf8\0\0\0\0\0\0")),
                     "request.invalid /ratio must be a number");
    cr_expect_str_eq(told(STR("\x81\xa5ratio\xca\x7f\x80\0\0")),
                     "request.invalid /ratio must be a number");
}

Test(transcode, refuses_what_is_malformed)
{
    static const struct str cases[] = {
        {"", 0},
        {"\xc1", 1},
        {"\xdf\xff\xff\xff\xff", 5},
        {"\x81\x01\x01", 3},
        {"\x80\xc0", 2},
        {"\x81\xa1x\x91", 4},
        {"\x82\xa4name\xa1x\xa4name\xa1x", 15},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(strstr(told(cases[i]), "request.malformed_msgpack: byte "), "row %zu",
                  i);
}

Test(transcode, refuses_what_is_cut_at_any_byte_and_leaves_the_buffer_alone)
{
    struct sample_all m = sample_all_full(&arena);
    struct buf bytes, out;

    buf_init(&bytes, 1 << 16);
    buf_init(&out, 1 << 16);
    wire_to_msgpack(&bytes, &sample_all_msg, &m);
    buf_str(&out, STR("before"));
    for (size_t n = 0; n < bytes.n; n++) {
        struct str part = arena_str(&arena, (struct str){bytes.p, n});
        const struct err *e = wire_msgpack_to_json(&arena, &sample_all_msg, part, &out);

        cr_assert_not_null(e, "%zu bytes", n);
        cr_assert(str_eq(buf_view(&out), STR("before")));
    }
    buf_fini(&bytes);
    buf_fini(&out);
}

static bool goes_through(size_t depth, const char *innermost)
{
    const struct err *e;
    struct buf in, out;

    buf_init(&in, 8 << 20);
    buf_init(&out, 8 << 20);
    for (size_t i = 1; i < depth; i++)
        buf_str(&in, STR("\x81\xa5"
                         "child"));
    buf_str(&in, pack(&arena, innermost));
    e = wire_msgpack_to_json(&arena, &sample_node_msg, buf_view(&in), &out);
    buf_fini(&in);
    buf_fini(&out);
    cr_expect(!e || e->code == &ERR_CODE_BAD_MSGPACK);
    return !e;
}

Test(transcode, bounds_the_depth)
{
    cr_expect(goes_through(WIRE_DEPTH_MAX, "{0"));
    cr_expect_not(goes_through(WIRE_DEPTH_MAX + 1, "{0"));
    cr_expect_not(goes_through(500000, "{0"));
    cr_expect(goes_through(WIRE_DEPTH_MAX - 1, "{1 words [1 a"));
    cr_expect_not(goes_through(WIRE_DEPTH_MAX, "{1 words [1 a"));
    cr_expect(goes_through(WIRE_DEPTH_MAX - 2, "{1 lines [1 {0"));
    cr_expect_not(goes_through(WIRE_DEPTH_MAX - 1, "{1 lines [1 {0"));
    cr_expect(goes_through(WIRE_DEPTH_MAX - 1, "{1 unknown [1 a"));
    cr_expect_not(goes_through(WIRE_DEPTH_MAX, "{1 unknown [1 a"));
}

Test(transcode, tells_the_cap_of_the_buffer_by_the_buffer)
{
    struct sample_user m = sample_user_full();
    struct buf bytes, out;

    buf_init(&bytes, 1 << 16);
    buf_init(&out, 50);
    wire_to_msgpack(&bytes, &sample_user_msg, &m);
    cr_assert_null(
        wire_msgpack_to_json(&arena, &sample_user_msg, buf_view(&bytes), &out));
    cr_assert(out.failed);
    buf_fini(&bytes);
    buf_fini(&out);
}
