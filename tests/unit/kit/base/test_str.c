// SPDX-License-Identifier: Apache-2.0
/* String slices: cutting, numbers, UTF-8. */
#include "kit/base/str.h"

#include <criterion/criterion.h>

static void assert_str(struct str got, const char *want)
{
    cr_assert(got.p && str_eq(got, str_of(want)), "got \"%.*s\", not \"%s\"",
              STR_FMT(got), want);
}

Test(str, case_is_folded_for_ascii_only)
{
    cr_assert(str_eq_nocase(STR("Content-Type"), STR("cONTENT-tYPE")));
    cr_assert_not(str_eq_nocase(STR("abc"), STR("abcd")));
    cr_assert_not(str_eq_nocase(STR("@"), STR("`"))); /* differ by 0x20 only */
    cr_assert_not(str_eq_nocase(STR("\xC4"), STR("\xE4")));
}

Test(str, split_cuts_at_the_first_separator)
{
    struct str rest;

    assert_str(str_split(STR("a,b,c"), ',', &rest), "a");
    assert_str(rest, "b,c");
    assert_str(str_split(STR(",x"), ',', &rest), "");
    assert_str(rest, "x");
    assert_str(str_split(STR("x,"), ',', &rest), "x");
    assert_str(rest, "");
    assert_str(str_split(STR("abc"), ',', &rest), "abc");
    cr_assert_null(rest.p);
    cr_assert_null(str_split((struct str){NULL, 0}, ',', &rest).p);
}

Test(str, trim_takes_spaces_and_tabs_off_both_ends)
{
    assert_str(str_trim(STR(" \t a b\t ")), "a b");
    assert_str(str_trim(STR(" \t ")), "");
    assert_str(str_trim(STR("\na")), "\na");
}

Test(str, numbers_are_whole_decimals_within_bounds)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0},
                {"-0", 0},
                {"007", 7},
                {"-12", -12},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1a",
                                      "--1",
                                      "0x1",
                                      "1.0",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999"};
    int64_t v = 1;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert(str_to_i64(str_of(good[i].text), INT64_MIN, INT64_MAX, &v), "%s",
                  good[i].text);
        cr_assert_eq(v, good[i].value, "%s", good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(str_to_i64(str_of(bad[i]), INT64_MIN, INT64_MAX, &v), "%s", bad[i]);
    cr_assert(str_to_i64(STR("10"), 1, 10, &v));
    cr_assert_not(str_to_i64(STR("11"), 1, 10, &v));
    cr_assert_not(str_to_i64(STR("0"), 1, 10, &v));
    cr_assert_eq(v, 10, "a refused number leaves the result alone");
}

Test(str, utf8_is_checked_by_table_3_7_of_unicode)
{
    static const char *const good[] = {"",
                                       "abc",
                                       "\x7F",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "a\xE2\x82\xAC"};
    static const char *const bad[] = {"\x80",
                                      "\xC0\xAF",
                                      "\xC1\xBF",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80", /* a surrogate */
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "\xC2",
                                      "\xE2\x82",
                                      "\xF0\x9F\x98",
                                      "a\xE2\x28\xA1"};

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_assert(str_is_utf8(str_of(good[i])), "good %zu", i);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(str_is_utf8(str_of(bad[i])), "bad %zu", i);
    cr_assert(str_is_utf8((struct str){"a\0b", 3}));
}

/* However the words of ASCII before and behind it fall. */
Test(str, utf8_is_checked_at_every_place)
{
    for (size_t n = 1; n < 40; n++) {
        for (size_t at = 0; at < n; at++) {
            char b[40];

            memset(b, 'a', sizeof b);
            cr_assert(str_is_utf8((struct str){b, n}));
            b[at] = '\x80';
            cr_assert_not(str_is_utf8((struct str){b, n}), "byte %zu of %zu", at, n);
        }
    }
}

/* Every code point and every pair of a lead with what may not follow it. */
Test(str, utf8_takes_each_code_point_but_surrogates)
{
    for (uint32_t c = 0x80; c <= 0x10FFFF; c++) {
        char b[4];
        size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        uint32_t left = c;

        for (size_t i = n - 1; i > 0; i--, left >>= 6)
            b[i] = (char)(0x80 | (left & 0x3F));
        b[0] = (char)((0xF00 >> n & 0xFF) | left);
        cr_assert_eq(str_is_utf8((struct str){b, n}), c < 0xD800 || c > 0xDFFF, "U+%04X",
                     c);
        cr_assert_not(str_is_utf8((struct str){b, n - 1}), "U+%04X cut", c);
    }
}

Test(str, utf8_length_counts_code_points)
{
    cr_assert_eq(str_utf8_len(STR("")), 0);
    cr_assert_eq(str_utf8_len(STR("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80")), 4);
}

static void check_decimal(int64_t v, const char *want)
{
    char text[STR_I64_MAX];
    size_t n = str_from_i64(v, text);

    cr_assert(str_eq((struct str){text, n}, str_of(want)), "%.*s", (int)n, text);
}

Test(str, numbers_are_written_in_decimal)
{
    check_decimal(0, "0");
    check_decimal(7, "7");
    check_decimal(-10, "-10");
    check_decimal(99, "99");
    check_decimal(100, "100");
    check_decimal(-1000, "-1000");
    check_decimal(INT64_MAX, "9223372036854775807");
    check_decimal(INT64_MIN, "-9223372036854775808");
}
