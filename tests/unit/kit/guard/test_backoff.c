// SPDX-License-Identifier: Apache-2.0
/* Bounds of the back-off, and that it spreads. */
#include "kit/guard/backoff.h"

#include <criterion/criterion.h>

static void check_within(int64_t base, int64_t cap, unsigned attempt, int64_t low,
                         int64_t high)
{
    for (int i = 0; i < 2000; i++) {
        int64_t ms = backoff_ms(base, cap, attempt);

        cr_assert(ms >= low && ms <= high, "attempt %u gave %lld", attempt,
                  (long long)ms);
    }
}

Test(backoff, stays_between_half_the_base_and_the_doubled_base)
{
    check_within(100, 100000, 0, 50, 100);
    check_within(100, 100000, 1, 50, 200);
    check_within(100, 100000, 5, 50, 3200);
}

Test(backoff, is_capped_even_after_very_many_attempts)
{
    check_within(100, 5000, 6, 50, 5000);
    check_within(100, 5000, 4000000000U, 50, 5000);
    check_within(3, INT64_MAX, 4000000000U, 1, INT64_MAX);
    check_within(100, 20, 0, 20, 20);
}

Test(backoff, of_nothing_is_nothing)
{
    cr_assert_eq(backoff_ms(0, 100, 3), 0);
    cr_assert_eq(backoff_ms(100, 0, 3), 0);
}

Test(backoff, draws_reach_both_ends_of_the_range)
{
    int low = 0, high = 0;

    for (int i = 0; i < 2000; i++) {
        int64_t ms = backoff_ms(1000, 8000, 3);

        low += ms < 2000;
        high += ms > 6500;
    }
    cr_assert_gt(low, 150);
    cr_assert_gt(high, 150);
}
