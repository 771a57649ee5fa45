// SPDX-License-Identifier: Apache-2.0
#include "gateway/edge/lease.h"

#include <criterion/criterion.h>

enum { US = 1000000 };

static const struct lease_terms terms = {.permits = 16, .remaining = 100, .reset_us = 60};

static struct lease *hot(struct lease_table *t, uint64_t hash, int64_t now_us)
{
    struct lease *l = NULL;

    for (int i = 0; i < LEASE_HOT; i++)
        l = lease_seen(t, hash, 1, now_us);
    return l;
}

static struct lease *held(struct lease_table *t, uint64_t hash, int64_t now_us)
{
    struct lease *l = hot(t, hash, now_us);

    lease_asked(l, hash, now_us);
    cr_assert(lease_granted(t, l, hash, &terms, 0, STR("key")));
    return l;
}

Test(lease, is_wanted_by_who_calls_often)
{
    struct lease_table *t = lease_table_create();
    struct lease *l;

    for (int i = 1; i < LEASE_HOT; i++)
        cr_expect_eq(lease_wanted(lease_seen(t, 1, 1, US), US), 0);
    l = lease_seen(t, 1, 1, US);
    cr_expect_eq(lease_wanted(l, US), 2 * LEASE_HOT);
    l = lease_seen(t, 1, 1, 2 * US); /* of the second before */
    cr_expect_eq(lease_wanted(l, 2 * US), 2 * LEASE_HOT);
    l = lease_seen(t, 1, 1, 9 * US);
    cr_expect_eq(lease_wanted(l, 9 * US), 0);
    lease_table_destroy(t);
}

Test(lease, is_asked_for_once_at_a_time)
{
    struct lease_table *t = lease_table_create();
    struct lease *l = hot(t, 1, US);

    lease_asked(l, 7, US);
    cr_expect_eq(lease_wanted(l, US), 0);
    cr_expect_gt(lease_wanted(l, 2 * US), 0, "that one is lost");
    cr_expect_not(lease_granted(t, l, 8, &terms, 0, STR("key")));
    cr_expect(lease_granted(t, l, 7, &terms, 0, STR("key")));
    cr_expect_not(lease_granted(t, l, 7, &terms, 0, STR("key")));
    lease_table_destroy(t);
}

Test(lease, covers_its_permits_for_its_time)
{
    struct lease_table *t = lease_table_create();
    struct lease *l = held(t, 1, US);

    cr_expect(lease_covers(l, 16, 2 * US - 1));
    cr_expect_not(lease_covers(l, 17, US));
    cr_expect_not(lease_covers(l, 1, 2 * US));
    lease_use(l, 15);
    cr_expect(lease_covers(l, 1, US));
    cr_expect_not(lease_covers(l, 2, US));
    cr_expect_eq(lease_end(l), 15);
    cr_expect_not(lease_covers(l, 1, US));
    lease_table_destroy(t);
}

Test(lease, a_place_that_is_held_is_nobody_elses)
{
    struct lease_table *t = lease_table_create();
    struct lease *l = held(t, 1, US);

    cr_expect_null(lease_seen(t, 1 + LEASE_PLACES, 1, 9 * US));
    cr_expect_null(lease_find(t, 1 + LEASE_PLACES));
    (void)lease_end(l);
    cr_expect_eq(lease_seen(t, 1 + LEASE_PLACES, 1, 9 * US), l);
    cr_expect_null(lease_find(t, 1));
    lease_table_destroy(t);
}

Test(lease, those_that_are_over_come_in_order)
{
    struct lease_table *t = lease_table_create();
    struct lease *one = held(t, 1, US), *two = held(t, 2, US + 500);

    cr_expect_eq(lease_next_us(t), 2 * US);
    cr_expect_null(lease_over(t, false, 2 * US - 1));
    cr_expect_eq(lease_over(t, false, 2 * US), one);
    (void)lease_end(one);
    cr_expect_null(lease_over(t, false, 2 * US));
    cr_expect_eq(lease_over(t, true, 0), two);
    (void)lease_end(two);
    cr_expect_eq(lease_next_us(t), 0);
    lease_table_destroy(t);
}
