// SPDX-License-Identifier: Apache-2.0
/* The period of a report. */
#include "jobs/rules/jobs.h"

#include <criterion/criterion.h>

static const int64_t day_us = INT64_C(86400) * 1000000;

static struct arena a;

static const struct err *check(int64_t from, int64_t to)
{
    const struct report_create in = {.from = from, .to = to};

    return report_period_check(&a, &in);
}

static void begin(void)
{
    arena_init(&a);
}

static void end(void)
{
    arena_fini(&a);
}

TestSuite(period, .init = begin, .fini = end);

Test(period, may_be_a_year)
{
    cr_expect_null(check(0, 1));
    cr_expect_null(check(0, 366 * day_us));
}

Test(period, names_the_field_that_is_wrong)
{
    const struct err *err = check(5, 5);

    cr_assert_not_null(err);
    cr_expect_eq(err->code, &ERR_CODE_INVALID_FIELDS);
    cr_expect(str_eq(err->fields->pointer, STR("/to")));
    cr_expect_not_null(check(0, 366 * day_us + 1));
    cr_expect_not_null(check(INT64_MIN, INT64_MAX), "no overflow");
}
