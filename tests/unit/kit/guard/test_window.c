// SPDX-License-Identifier: Apache-2.0
/* The sliding window against its definition, and the table's bound. */
#include "kit/guard/window.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { MS = 1000 };

static struct window_table *t;
static int64_t now;

static void setup(void)
{
    t = window_table_create(100);
    now = 77000000;
}

static void teardown(void)
{
    window_table_destroy(t);
}

static struct window_answer take(const char *who)
{
    return window_take(t, str_of(who), 10, 1, 1000, now);
}

static void take_all(const char *who)
{
    for (int i = 9; i >= 0; i--) {
        struct window_answer a = take(who);

        cr_assert(a.allowed);
        cr_assert_eq(a.remaining, i);
    }
}

TestSuite(window, .init = setup, .fini = teardown);

Test(window, allows_up_to_the_limit_and_no_further)
{
    take_all("ann");
    cr_assert_not(take("ann").allowed);
    cr_assert_eq(take("ann").remaining, 0);
}

Test(window, counts_identities_apart)
{
    take_all("ann");
    take_all("bob");
    take_all("");
}

Test(window, refused_calls_do_not_count)
{
    take_all("ann");
    for (int i = 0; i < 1000; i++)
        cr_assert_not(take("ann").allowed);
    now += 2000 * MS;
    take_all("ann");
}

Test(window, the_last_window_weighs_by_what_is_still_covered)
{
    take_all("ann");
    now += 1000 * MS;
    cr_assert_not(take("ann").allowed);
    now += 500 * MS; /* half of the ten still count */
    for (int i = 0; i < 5; i++)
        cr_assert(take("ann").allowed);
    cr_assert_not(take("ann").allowed);
}

Test(window, is_empty_after_two_windows)
{
    take_all("ann");
    now += 2000 * MS;
    take_all("ann");
}

Test(window, says_exactly_when_a_refused_call_may_come_again)
{
    for (int round = 0; round < 200; round++) {
        struct window_answer a = take("ann");

        if (a.allowed) {
            now += round % 7 * 31 * MS;
            continue;
        }
        cr_assert_gt(a.reset_ms, 0);
        now += (a.reset_ms - 1) * MS;
        cr_assert_not(take("ann").allowed, "round %d, %lld ms", round,
                      (long long)a.reset_ms);
        now += 1 * MS;
        cr_assert(take("ann").allowed);
    }
}

Test(window, an_allowed_call_says_when_all_is_free_again)
{
    struct window_answer a = take("ann");

    now += a.reset_ms * MS;
    take_all("ann");
}

Test(window, never_lets_more_than_twice_the_limit_into_any_window)
{
    enum { STEPS = 4000 };
    static bool allowed[STEPS]; /* one a millisecond */

    for (int i = 0; i < STEPS; i++, now += MS)
        allowed[i] = take("ann").allowed;
    for (int i = 0; i + 1000 <= STEPS; i++) {
        int n = 0;

        for (int j = i; j < i + 1000; j++)
            n += allowed[j];
        cr_assert_leq(n, 20);
    }
}

Test(window, a_limit_of_nothing_refuses_everything)
{
    struct window_answer a = window_take(t, STR("ann"), 0, 1, 1000, now);

    cr_assert_not(a.allowed);
    cr_assert_eq(a.reset_ms, 1000);
}

Test(window, a_lowered_limit_holds_at_once)
{
    take_all("ann");
    cr_assert_not(window_take(t, STR("ann"), 5, 1, 1000, now).allowed);
    now += 1000 * MS;
    cr_assert_not(window_take(t, STR("ann"), 5, 1, 1000, now).allowed);
}

Test(window, a_full_table_forgets_the_least_recently_seen)
{
    char name[32];

    take_all("ann");
    take_all("bob");
    for (int i = 0; i < 98; i++) {
        snprintf(name, sizeof name, "other %d", i);
        take(name);
    }
    cr_assert_not(take("ann").allowed); /* seen again: bob is now the oldest */
    take("one more");
    cr_assert_not(take("ann").allowed);
    cr_assert(take("bob").allowed);
}

Test(window, a_flood_of_identities_stays_within_the_table)
{
    char name[32];

    for (int i = 0; i < 200000; i++) {
        snprintf(name, sizeof name, "%d", i);
        cr_assert(take(name).allowed);
    }
}

Test(window, a_call_may_cost_more_and_be_taken_back)
{
    struct window_table *table = window_table_create(10);
    const int64_t at = 1000000;

    cr_assert(window_take(table, STR("ann"), 10, 7, 1000, at).allowed);
    cr_assert_not(window_take(table, STR("ann"), 10, 4, 1000, at).allowed);
    cr_assert_eq(window_take(table, STR("ann"), 10, 3, 1000, at).remaining, 0);
    window_undo(table, STR("ann"), 3);
    window_undo(table, STR("bob"), 3);
    cr_assert_eq(window_take(table, STR("ann"), 10, 2, 1000, at).remaining, 1);
    window_table_destroy(table);
}
