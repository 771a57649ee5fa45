// SPDX-License-Identifier: Apache-2.0
/* Time and its text, against the C library's own calendar. */
#include "kit/base/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <time.h>

static const int64_t second = 1000000;

static void assert_format(int64_t us, const char *want)
{
    char out[CLOCK_RFC3339_LEN + 1] = "";

    clock_format_rfc3339(us, out);
    cr_assert_str_eq(out, want);
}

Test(clock, monotonic_time_does_not_go_back)
{
    int64_t last = clock_mono_us();

    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_mono_us();

        cr_assert_geq(now, last);
        last = now;
    }
    cr_assert_leq(clock_wall_us() / second - (int64_t)time(NULL), 1);
}

Test(clock, formats_known_times)
{
    assert_format(0, "1970-01-01T00:00:00.000000Z");
    assert_format(-1, "1969-12-31T23:59:59.999999Z");
    assert_format(951782400 * second, "2000-02-29T00:00:00.000000Z");
    assert_format(4107542399 * second + 123456, "2100-02-28T23:59:59.123456Z");
    assert_format(-62167219200 * second, "0000-01-01T00:00:00.000000Z");
    assert_format(253402300799 * second, "9999-12-31T23:59:59.000000Z");
    assert_format(INT64_MAX, "9999-12-31T23:59:59.999999Z");
    assert_format(INT64_MIN, "0000-01-01T00:00:00.000000Z");
}

/* A day and some more each step: all dates of all years, at changing times of day. */
Test(clock, agrees_with_gmtime_on_every_date)
{
    for (int64_t s = -62167219200; s < 253402300800; s += 86400 + 61) {
        char got[CLOCK_RFC3339_LEN];
        char want[64];
        time_t t = (time_t)s;
        struct tm tm;
        int64_t back;

        gmtime_r(&t, &tm);
        snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02d.000000Z",
                 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                 tm.tm_sec);
        clock_format_rfc3339(s * second, got);
        cr_assert(memcmp(got, want, sizeof got) == 0, "%s", want);
        cr_assert(clock_parse_rfc3339((struct str){got, sizeof got}, &back));
        cr_assert_eq(back, s * second, "%s", want);
    }
}

Test(clock, parses_offsets_fractions_and_lower_case)
{
    static const struct {
        const char *text;
        int64_t us;
    } good[] = {{"1970-01-01T00:00:00Z", 0},
                {"1970-01-01t00:00:00z", 0},
                {"1970-01-01T01:00:00+01:00", 0},
                {"1969-12-31T16:30:00-07:30", 0},
                {"1970-01-01T00:00:00.5Z", 500000},
                {"1970-01-01T00:00:00.1234569Z", 123456},
                {"1970-01-01T00:00:00.000001+00:00", 1},
                {"2000-02-29T12:00:00Z", 951825600000000},
                {"1990-12-31T23:59:60Z", 662688000000000}};
    int64_t us;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert(clock_parse_rfc3339(str_of(good[i].text), &us), "%s", good[i].text);
        cr_assert_eq(us, good[i].us, "%s", good[i].text);
    }
}

Test(clock, refuses_what_is_no_date)
{
    static const char *const bad[] = {
        "",
        "2026-01-31",
        "2026-01-31T10:00:00",
        "2026-01-31 10:00:00Z",
        "2026-02-29T10:00:00Z",
        "1900-02-29T10:00:00Z",
        "2026-00-10T10:00:00Z",
        "2026-13-10T10:00:00Z",
        "2026-04-31T10:00:00Z",
        "2026-01-00T10:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T10:60:00Z",
        "2026-01-31T10:00:61Z",
        "2026-01-31T10:00:00.Z",
        "2026-01-31T10:00:00,5Z",
        "2026-01-31T10:00:00+0100",
        "2026-01-31T10:00:00+24:00",
        "2026-01-31T10:00:00Zx",
        "2026-1-31T10:00:00Z",
        "-026-01-31T10:00:00Z",
        "2026--1-31T10:00:00Z",
        "0000-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    };
    int64_t us = 42;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(clock_parse_rfc3339(str_of(bad[i]), &us), "%s", bad[i]);
    cr_assert_eq(us, 42);
}
