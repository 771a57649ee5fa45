// SPDX-License-Identifier: Apache-2.0
/* Amounts for people. */
#include "jobs/kinds/money.h"

#include <criterion/criterion.h>

static struct arena a;

static void expect(int64_t minor, const char *currency, const char *text)
{
    struct str got;

    arena_init(&a);
    got = money_amount(&a, minor, str_of(currency));
    cr_expect(str_eq(got, str_of(text)), "%.*s instead of %s", STR_FMT(got), text);
    arena_fini(&a);
}

Test(money, has_the_decimals_of_its_currency)
{
    expect(1234, "EUR", "12.34");
    expect(5, "USD", "0.05");
    expect(0, "EUR", "0.00");
    expect(1234, "JPY", "1234");
    expect(1234, "KWD", "1.234");
    expect(12, "KWD", "0.012");
}

Test(money, may_be_negative_and_as_large_as_it_gets)
{
    expect(-5, "EUR", "-0.05");
    expect(INT64_MAX, "EUR", "92233720368547758.07");
    expect(INT64_MIN, "EUR", "-92233720368547758.08");
}
