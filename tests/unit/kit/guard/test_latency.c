// SPDX-License-Identifier: Apache-2.0
/* Which of two replicas is the cheaper one, on a clock of our own. */
#include "kit/guard/latency.h"

#include <criterion/criterion.h>

enum { MS = 1000 };

static int64_t now = MS;

static void calls(struct latency *l, int n, int64_t took_us)
{
    while (n-- > 0) {
        now += MS;
        latency_add(l, now, took_us);
    }
}

Test(latency, of_two_the_much_slower_one_gets_few)
{
    struct latency quick = {0}, slow = {0};

    calls(&quick, 50, 1 * MS);
    calls(&slow, 50, 200 * MS);
    cr_assert(latency_cheaper(&quick, 100, &slow, 0, now));
    cr_assert_not(latency_cheaper(&quick, 300, &slow, 0, now));
}

Test(latency, small_differences_leave_the_choice_to_who_is_busy)
{
    struct latency a = {0}, b = {0};

    calls(&a, 200, 1 * MS);
    calls(&b, 200, 5 * MS);
    cr_assert(latency_cheaper(&b, 2, &a, 3, now));
    cr_assert(latency_cheaper(&a, 2, &b, 3, now));
}

Test(latency, one_hiccup_is_not_a_slow_replica)
{
    struct latency l = {0}, steady = {0};

    calls(&steady, 50, 1 * MS);
    calls(&l, 50, 1 * MS);
    latency_add(&l, now, 40 * MS);
    cr_assert_not(latency_much_slower(latency_us(&l, now), latency_us(&steady, now)));
    calls(&l, 20, 40 * MS);
    cr_assert(latency_much_slower(latency_us(&l, now), latency_us(&steady, now)));
}

Test(latency, a_slow_one_is_forgiven_with_time_and_by_quick_calls)
{
    struct latency silent = {0}, mended;

    calls(&silent, 50, 200 * MS);
    mended = silent;
    cr_assert_float_eq(latency_us(&silent, now + LATENCY_FALL_US),
                       latency_us(&silent, now) / 2, 1);
    calls(&mended, 50, 1 * MS);
    cr_assert_lt(latency_us(&mended, now), 2 * MS);
}

Test(latency, a_new_one_takes_calls_at_once)
{
    struct latency fresh = {0}, quick = {0};

    calls(&quick, 20, 1 * MS);
    cr_assert(latency_cheaper(&fresh, 0, &quick, 1, now));
}

Test(latency, one_that_begins_anew_is_as_good_as_any)
{
    struct latency back = {0}, quick = {0};

    calls(&quick, 50, 1 * MS);
    calls(&back, 50, 1500 * MS);
    latency_begin(&back, now, 2 * MS);
    cr_assert(latency_cheaper(&back, 1, &quick, 2, now));
    cr_assert(latency_cheaper(&quick, 1, &back, 2, now));
}
