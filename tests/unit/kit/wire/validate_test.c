// SPDX-License-Identifier: Apache-2.0
/* Bounds of each kind at min - 1, min, max, max + 1, and the syntax of addresses. */
#include "tests/unit/kit/wire/arena_suite.h"

#include <math.h>

ARENA_SUITE(validate);

static struct sample_all named(void)
{
    struct sample_all m = {0};

    WIRE_SET(&m, name, STR("ok"));
    return m;
}

static const char *told(const struct sample_all *m)
{
    return sample_told(&arena, wire_validate(&arena, &sample_all_msg, m));
}

/* n times the text. */
static struct str times(const char *text, size_t n)
{
    size_t len = strlen(text);
    char *p = arena_alloc(&arena, n * len + 1);

    for (size_t i = 0; i < n; i++)
        memcpy(p + i * len, text, len);
    return (struct str){p, n * len};
}

#define EXPECT_TOLD(field, value, what)                          \
    do {                                                         \
        struct sample_all m_ = named();                          \
                                                                 \
        WIRE_SET(&m_, field, value);                             \
        cr_expect_str_eq(told(&m_), what, "gave %s", told(&m_)); \
    } while (0)

Test(validate, bounds_a_str_by_code_points)
{
    static const char *const letters[] = {"x", "\xc3\xbc", "\xe2\x82\xac",
                                          "\xf0\x9f\x9a\x82"};

    for (size_t i = 0; i < 4; i++) {
        EXPECT_TOLD(name, times(letters[i], 1),
                    "request.invalid /name must have at least 2 characters");
        EXPECT_TOLD(name, times(letters[i], 2), "ok");
        EXPECT_TOLD(name, times(letters[i], 10), "ok");
        EXPECT_TOLD(name, times(letters[i], 11),
                    "request.invalid /name must have at most 10 characters");
    }
    EXPECT_TOLD(name, STR(""), "request.invalid /name must have at least 2 characters");
    EXPECT_TOLD(name, ((struct str){0}),
                "request.invalid /name must have at least 2 characters");
}

Test(validate, wants_a_str_on_one_line_of_utf8)
{
    static const char line[] =
        "request.invalid /name must be one line without control characters";

    EXPECT_TOLD(name, STR("a\nb"), line);
    EXPECT_TOLD(name, STR("a\tb"), line);
    EXPECT_TOLD(name, STR("ab\x7f"), line);
    EXPECT_TOLD(name, STR("ab\xc2\x85"), line);
    EXPECT_TOLD(name, STR("abcdefgh\x1f"), line);
    EXPECT_TOLD(name, ((struct str){"ab\0", 3}), line);
    EXPECT_TOLD(name, STR("ab\xc2\xa0"), "ok");
    EXPECT_TOLD(name, STR("\xff\xfe"), "request.invalid /name must be valid UTF-8");
    EXPECT_TOLD(name, STR("abcdefgh\xc3"), "request.invalid /name must be valid UTF-8");
    EXPECT_TOLD(name, STR("\xed\xa0\x80x"), "request.invalid /name must be valid UTF-8");
}

Test(validate, finds_a_bad_character_at_any_place)
{
    static const char bad[] = {'\x01', '\x1f', '\x7f', '\x80', '\x9f', '\xff'};

    for (size_t i = 0; i < sizeof bad; i++) {
        for (size_t at = 0; at < 20; at++) {
            struct str text = times("x", 20);
            struct sample_all m = named();

            ((char *)(uintptr_t)text.p)[at] = bad[i];
            WIRE_SET(&m, note, text);
            cr_expect_str_neq(told(&m), "ok", "%zu at %zu", i, at);
        }
    }
}

Test(validate, lets_a_text_have_lines_and_tabs)
{
    EXPECT_TOLD(note, STR(""), "ok");
    EXPECT_TOLD(note, STR("a\r\n\tb"), "ok");
    EXPECT_TOLD(note, STR("a\x01"),
                "request.invalid /note must not contain control characters");
    EXPECT_TOLD(note, STR("a\x7f"),
                "request.invalid /note must not contain control characters");
    EXPECT_TOLD(note, times("\xc3\xbc", 20), "ok");
    EXPECT_TOLD(note, times("\xc3\xbc", 21),
                "request.invalid /note must have at most 20 characters");
}

Test(validate, bounds_a_secret_by_bytes)
{
    EXPECT_TOLD(password, times("x", 7),
                "request.invalid /password must have at least 8 bytes");
    EXPECT_TOLD(password, times("x", 8), "ok");
    EXPECT_TOLD(password, times("\xc3\xbc", 4), "ok");
    EXPECT_TOLD(password, times("x", 64), "ok");
    EXPECT_TOLD(password, times("x", 65),
                "request.invalid /password must have at most 64 bytes");
    EXPECT_TOLD(password, times("\xc3\xbc", 33),
                "request.invalid /password must have at most 64 bytes");
    EXPECT_TOLD(password, times("\xff", 9),
                "request.invalid /password must be valid UTF-8");
}

Test(validate, bounds_bytes)
{
    EXPECT_TOLD(blob, times("\xff", 1),
                "request.invalid /blob must have at least 2 bytes");
    EXPECT_TOLD(blob, times("\xff", 2), "ok");
    EXPECT_TOLD(blob, times("\xff", 8), "ok");
    EXPECT_TOLD(blob, times("\xff", 9),
                "request.invalid /blob must have at most 8 bytes");
}

Test(validate, bounds_numbers)
{
    EXPECT_TOLD(count, -6, "request.invalid /count must be at least -5");
    EXPECT_TOLD(count, -5, "ok");
    EXPECT_TOLD(count, 5, "ok");
    EXPECT_TOLD(count, 6, "request.invalid /count must be at most 5");
    EXPECT_TOLD(big, INT64_MIN, "ok");
    EXPECT_TOLD(big, INT64_MAX, "ok");
    EXPECT_TOLD(ratio, -1.000001, "request.invalid /ratio must be at least -1");
    EXPECT_TOLD(ratio, -1.0, "ok");
    EXPECT_TOLD(ratio, 2.0, "ok");
    EXPECT_TOLD(ratio, 2.000001, "request.invalid /ratio must be at most 2");
    EXPECT_TOLD(ratio, NAN, "request.invalid /ratio must be a finite number");
    EXPECT_TOLD(ratio, INFINITY, "request.invalid /ratio must be a finite number");
}

Test(validate, wants_times_that_can_be_written)
{
    static const char bad[] = "request.invalid /created_at must be an RFC 3339 time, "
                              "such as 2026-01-31T12:00:00Z";

    EXPECT_TOLD(created_at, INT64_C(-62167219200000001), bad);
    EXPECT_TOLD(created_at, INT64_C(-62167219200000000), "ok");
    EXPECT_TOLD(created_at, INT64_C(253402300799999999), "ok");
    EXPECT_TOLD(created_at, INT64_C(253402300800000000), bad);
}

Test(validate, wants_enum_values_of_the_table)
{
    EXPECT_TOLD(colour, SAMPLE_BLUE, "ok");
    EXPECT_TOLD(colour, (enum sample_colour)3,
                "request.invalid /colour must be one of red, green, blue");
}

Test(validate, bounds_lists_and_looks_at_each_element)
{
    struct sample_line lines[4] = {0};

    for (int i = 0; i < 4; i++) {
        WIRE_SET(lines + i, sku, STR("x"));
        WIRE_SET(lines + i, quantity, i);
    }
    EXPECT_TOLD(lines, ((struct sample_line_list){lines, 0}),
                "request.invalid /lines must have at least 1 element");
    EXPECT_TOLD(lines, ((struct sample_line_list){lines + 1, 1}), "ok");
    EXPECT_TOLD(lines, ((struct sample_line_list){lines + 1, 3}), "ok");
    EXPECT_TOLD(lines, ((struct sample_line_list){lines, 3}),
                "request.invalid /lines/0/quantity must be at least 1");
    EXPECT_TOLD(lines, ((struct sample_line_list){lines, 4}),
                "request.invalid /lines must have at most 3 elements");
    EXPECT_TOLD(line, lines, "request.invalid /line/quantity must be at least 1");
    EXPECT_TOLD(line, NULL, "request.invalid /line must be an object");
}

Test(validate, bounds_strs_and_their_elements)
{
    struct str tags[4] = {STR("a"), times("\xc3\xbc", 256), STR("b"), STR("c")};

    EXPECT_TOLD(tags, ((struct str_list){tags, 0}),
                "request.invalid /tags must have at least 1 element");
    EXPECT_TOLD(tags, ((struct str_list){tags, 3}), "ok");
    EXPECT_TOLD(tags, ((struct str_list){tags, 4}),
                "request.invalid /tags must have at most 3 elements");
    tags[1] = times("x", 257);
    tags[2] = STR("");
    EXPECT_TOLD(tags, ((struct str_list){tags, 3}),
                "request.invalid /tags/1 must have at most 256 characters; /tags/2 must "
                "have at least 1 character");
}

Test(validate, wants_required_fields_and_no_others)
{
    struct sample_all m = {0};

    cr_assert_str_eq(told(&m), "request.invalid /name is required");
}

Test(validate, ends_in_a_ring_of_messages)
{
    struct sample_node ring = {0};

    WIRE_SET(&ring, child, &ring);
    cr_assert(strstr(sample_told(&arena, wire_validate(&arena, &sample_node_msg, &ring)),
                     "is nested too deeply"));
}

Test(validate, takes_addresses_that_mail_servers_take)
{
    static const char *const good[] = {
        "a@b.example",        "first.last+tag@sub.example.org",
        "o'neil@example.org", "x_y-z@a-b.c1.de",
        "1@2.3.example",      "A@EXAMPLE.ORG",
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        EXPECT_TOLD(mail, str_of(good[i]), "ok");
    EXPECT_TOLD(mail, arena_printf(&arena, "%s@b.example", times("x", 64).p), "ok");
    EXPECT_TOLD(mail, arena_printf(&arena, "a@%s.example", times("x", 63).p), "ok");
}

Test(validate, refuses_addresses_that_they_do_not)
{
    static const char *const bad[] = {
        "nobody",           "@example.org",      "abcdef@",
        "abcdef@example",   "a b@example.org",   "a@exa mple.org",
        "a@b@example.org",  "\"a\"@example.org", "a@example.org\n",
        "a\t@example.org",  ".a@example.org",    "a.@example.org",
        "a..b@example.org", "a@.example.org",    "a@example..org",
        "a@example.org.",   "a@-example.org",    "a@example-.org",
        "a@[127.0.0.1]",    "a@127.0.0.1",       "a,b@example.org",
        "<a@example.org>",  "a@exam_ple.org",    "j\xc3\xb6rg@example.org",
        "a@ex\xc3\xa4.org", "a(b)@example.org",  "a:b@example.org",
    };
    static const char told_bad[] = "request.invalid /mail must be an e-mail address";

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        EXPECT_TOLD(mail, str_of(bad[i]), told_bad);
    EXPECT_TOLD(mail, arena_printf(&arena, "%s@b.example", times("x", 65).p), told_bad);
    EXPECT_TOLD(mail, arena_printf(&arena, "a@%s.example", times("x", 64).p), told_bad);
    EXPECT_TOLD(mail, STR("a@b.c"), "request.invalid /mail must have at least 6 bytes");
}

Test(validate, takes_web_addresses)
{
    static const char *const good[] = {
        "http://a.example",          "https://example.org:8443/a/b?c=d&e=%20#f",
        "HTTPS://EXAMPLE.ORG/",      "http://localhost:1",
        "http://127.0.0.1:65535/x",  "https://[2001:db8::1]:443/x",
        "https://example.org?x=a@b", "https://example.org/@name",
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        EXPECT_TOLD(link, str_of(good[i]), "ok");
}

Test(validate, refuses_other_schemes_user_names_and_odd_hosts)
{
    static const char *const bad[] = {
        "ftp://example.org/",
        "javascript:alert(1)",
        "//example.org/path",
        "http:/example.org",
        "https:///path-only",
        "https://user@example.org/",
        "https://user:pw@example.org/",
        "https://exa mple.org/",
        "https://example.org/a b",
        "https://example.org/\n",
        "https://example.org/\x7f",
        "https://example.org/\xc3\xbc",
        "https://example.org:0/",
        "https://example.org:65536/",
        "https://example.org:99999999999/",
        "https://example.org:80:80/",
        "https://:8080/nowhere",
        "https://example..org/",
        "https://[::1/",
        "https://[nothex::1]/",
        "https://[]/0123456789",
        "https://example.org\\@evil/",
        "https://exa<m>ple.org/",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        EXPECT_TOLD(link, str_of(bad[i]),
                    "request.invalid /link must be an http or https URL");
    EXPECT_TOLD(link, STR("http://ab"),
                "request.invalid /link must have at least 10 bytes");
}

Test(validate, wants_three_capital_letters_for_a_currency)
{
    static const char *const bad[] = {"", "EU", "EURO", "eur", "E1R", "EU\xc3"};

    EXPECT_TOLD(currency, STR("EUR"), "ok");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        EXPECT_TOLD(currency, str_of(bad[i]),
                    "request.invalid /currency must be a currency of three capital "
                    "letters, such as EUR");
}
