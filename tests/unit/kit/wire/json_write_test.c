// SPDX-License-Identifier: Apache-2.0
/* What is written is JSON, whatever the struct holds. */
#include "tests/unit/kit/wire/arena_suite.h"

#include <math.h>

ARENA_SUITE(json_write);

static struct str written(const struct wire_msg *msg, const void *in)
{
    struct buf b;
    struct str text;

    buf_init(&b, 1 << 16);
    wire_to_json(&b, msg, in);
    cr_assert_not(b.failed);
    text = arena_str(&arena, buf_view(&b));
    buf_fini(&b);
    return text;
}

static void expect_string(struct str in, const char *json)
{
    struct buf b;

    buf_init(&b, 4096);
    wire_json_string(&b, in);
    cr_expect(str_eq(buf_view(&b), str_of(json)), "%.*s is not %s", STR_FMT(buf_view(&b)),
              json);
    buf_fini(&b);
}

Test(json_write, writes_every_kind)
{
    struct sample_all m = sample_all_full(&arena);

    cr_assert_str_eq(
        written(&sample_all_msg, &m).p,
        "{\"name\":\"J\xc3\xb6rg \\\"J\\\"\",\"note\":\"two\\n\\tlines \\\\ "
        "\xf0\x9f\x9a\x82\",\"mail\":\"joerg@example.org\",\"link\":\"https://"
        "example.org/hook?a=b\",\"password\":\"correct horse\",\"currency\":\"EUR\","
        "\"blob\":\"AP_-AQ\",\"count\":-5,\"big\":-9223372036854775808,\"ratio\":0.1,"
        "\"active\":true,\"id\":\"0190b31e-7c4d-7a11-80ff-102030405060\","
        "\"created_at\":\"2026-01-31T23:59:59.123456Z\",\"colour\":\"blue\","
        "\"line\":{\"sku\":\"sku\",\"quantity\":1},\"lines\":[{\"sku\":\"sku\","
        "\"quantity\":34},{\"sku\":\"sku\",\"quantity\":67}],\"tags\":[\"fast\","
        "\"gr\xc3\xbcn\"]}");
}

Test(json_write, leaves_out_what_is_not_set)
{
    struct sample_all m = {.count = 3, .active = true};

    cr_assert_str_eq(written(&sample_all_msg, &m).p, "{}");
    m.has_count = true;
    cr_assert_str_eq(written(&sample_all_msg, &m).p, "{\"count\":3}");
}

Test(json_write, escapes_what_json_wants_escaped_and_nothing_else)
{
    expect_string(STR(""), "\"\"");
    expect_string((struct str){0}, "\"\"");
    expect_string(STR("plain / text' <b>"), "\"plain / text' <b>\"");
    expect_string(STR("\""), "\"\\\"\"");
    expect_string(STR("a\\b"), "\"a\\\\b\"");
    expect_string(STR("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
    expect_string((struct str){"\0", 1}, "\"\\u0000\"");
    expect_string(STR("\x01\x1f\x7f"), "\"\\u0001\\u001f\x7f\"");
    expect_string(STR("abcdefghijk\"lmnopq\x1e"), "\"abcdefghijk\\\"lmnopq\\u001e\"");
    expect_string(STR("\xe2\x82\xac"), "\"\xe2\x82\xac\"");
}

/* `special` among up to 40 letters becomes `written`. */
static void expect_at_any_place(char special, const char *written_as)
{
    size_t len = strlen(written_as);

    for (size_t n = 1; n < 40; n++) {
        for (size_t at = 0; at < n; at++) {
            char in[40], out[64];

            memset(in, 'x', n);
            memset(out, 'x', sizeof out);
            in[at] = special;
            out[0] = out[n + len] = '"';
            memcpy(out + 1 + at, written_as, len);
            out[n + len + 1] = '\0';
            expect_string((struct str){in, n}, out);
        }
    }
}

Test(json_write, finds_what_is_special_at_any_place)
{
    expect_at_any_place('"', "\\\"");
    expect_at_any_place('\\', "\\\\");
    expect_at_any_place('\n', "\\n");
    expect_at_any_place('\x1f', "\\u001f");
    expect_at_any_place('\x00', "\\u0000");
    expect_at_any_place('\x7f', "\x7f");
    expect_at_any_place('\x80', "\xef\xbf\xbd");
    expect_at_any_place('\xff', "\xef\xbf\xbd");
}

Test(json_write, repairs_what_is_not_utf8)
{
    expect_string(STR("a\xff"), "\"a\xef\xbf\xbd\"");
    expect_string(STR("\xc3\xbc\xc3"), "\"\xc3\xbc\xef\xbf\xbd\"");
    expect_string(STR("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_string(STR("\"\x80\n"), "\"\\\"\xef\xbf\xbd\\n\"");
}

#define EXPECT_JSON(field, value, json)                                                \
    do {                                                                               \
        struct sample_all m_ = {0};                                                    \
                                                                                       \
        WIRE_SET(&m_, field, value);                                                   \
        cr_expect_str_eq(written(&sample_all_msg, &m_).p, "{\"" #field "\":" json "}", \
                         "gave %s", written(&sample_all_msg, &m_).p);                  \
    } while (0)

Test(json_write, writes_numbers_exactly)
{
    EXPECT_JSON(big, 0, "0");
    EXPECT_JSON(big, 9, "9");
    EXPECT_JSON(big, 10, "10");
    EXPECT_JSON(big, -1, "-1");
    EXPECT_JSON(big, 1234567890123456789, "1234567890123456789");
    EXPECT_JSON(big, INT64_MAX, "9223372036854775807");
    EXPECT_JSON(big, INT64_MIN, "-9223372036854775808");
    EXPECT_JSON(ratio, 0.5, "0.5");
    EXPECT_JSON(ratio, 1e300, "1e300");
    EXPECT_JSON(ratio, -5e-324, "-5e-324");
    EXPECT_JSON(ratio, 0.1 + 0.2, "0.30000000000000004");
    EXPECT_JSON(ratio, 1.7976931348623157e308, "1.7976931348623157e308");
}

Test(json_write, stays_json_for_values_that_have_no_json)
{
    EXPECT_JSON(ratio, NAN, "0.0");
    EXPECT_JSON(ratio, -INFINITY, "0.0");
    EXPECT_JSON(created_at, INT64_MAX, "\"9999-12-31T23:59:59.999999Z\"");
    EXPECT_JSON(created_at, INT64_MIN, "\"0000-01-01T00:00:00.000000Z\"");
    EXPECT_JSON(colour, (enum sample_colour)9, "\"?\"");
    EXPECT_JSON(name, ((struct str){0}), "\"\"");
    EXPECT_JSON(tags, ((struct str_list){NULL, 0}), "[]");
    EXPECT_JSON(lines, ((struct sample_line_list){NULL, 0}), "[]");
}

Test(json_write, writes_bytes_as_base64url_without_padding)
{
    EXPECT_JSON(blob, STR(""), "\"\"");
    EXPECT_JSON(blob, STR("f"), "\"Zg\"");
    EXPECT_JSON(blob, STR("fo"), "\"Zm8\"");
    EXPECT_JSON(blob, STR("foo"), "\"Zm9v\"");
    EXPECT_JSON(blob, STR("foob"), "\"Zm9vYg\"");
    EXPECT_JSON(blob, STR("\xfb\xff\xfe"), "\"-__-\"");
}

Test(json_write, stops_at_the_cap_of_the_buffer)
{
    struct sample_all m = sample_all_full(&arena);
    size_t whole = written(&sample_all_msg, &m).n;

    for (size_t cap = 0; cap <= whole; cap++) {
        struct buf b;

        buf_init(&b, cap);
        wire_to_json(&b, &sample_all_msg, &m);
        cr_expect_eq(b.failed, cap < whole, "cap %zu of %zu", cap, whole);
        cr_expect_leq(b.n, cap);
        buf_fini(&b);
    }
}
