// SPDX-License-Identifier: Apache-2.0
/* The wheel in simulated time, against a plain list of timers. */
#include "kit/base/id.h"
#include "kit/loop/wheel.h"

#include <criterion/criterion.h>

enum { TICK_US = LOOP_TICK_MS * 1000, TIMERS = 300 };

static struct wheel wheel;
static struct loop_timer timers[TIMERS];
static int64_t now = 1000000123;

static void setup(void)
{
    wheel_init(&wheel, now);
    for (int i = 0; i < TIMERS; i++)
        loop_timer_init(&timers[i], NULL, NULL);
}

TestSuite(wheel, .init = setup);

static void add(int i, int64_t after_us)
{
    list_remove(&timers[i].link);
    timers[i].due_us = now + after_us;
    wheel_add(&wheel, &timers[i]);
}

static int64_t earliest_due(void)
{
    int64_t due = INT64_MAX;

    for (int i = 0; i < TIMERS; i++)
        if (loop_timer_is_set(&timers[i]) && timers[i].due_us < due)
            due = timers[i].due_us;
    return due;
}

/* Advances, and checks that what comes out is due and what stays is not overdue. */
static int advance(int64_t by_us)
{
    struct list due;
    struct list *it;
    int fired = 0;

    now += by_us;
    list_init(&due);
    wheel_advance(&wheel, now, &due);
    while ((it = list_pop(&due))) {
        cr_assert_leq(CONTAINER_OF(it, struct loop_timer, link)->due_us, now, "early");
        fired++;
    }
    cr_assert_gt(earliest_due(), now - TICK_US, "late");
    return fired;
}

Test(wheel, an_empty_wheel_never_wakes)
{
    cr_assert_eq(wheel_next_us(&wheel), INT64_MAX);
    cr_assert_eq(advance(1000000000), 0);
    cr_assert_eq(wheel_next_us(&wheel), INT64_MAX);
}

Test(wheel, a_far_timer_is_slept_for_in_one_go)
{
    int64_t far_us = (int64_t)60 * 1000000;

    add(0, far_us);
    cr_assert_geq(wheel_next_us(&wheel), now + far_us);
    cr_assert_leq(wheel_next_us(&wheel), now + far_us + TICK_US);
    add(1, 10000); /* another one in between is followed by the same sleep */
    cr_assert_eq(advance(20000), 1);
    cr_assert_geq(wheel_next_us(&wheel), timers[0].due_us);
    cr_assert_eq(advance(far_us), 1);
    cr_assert_eq(wheel_next_us(&wheel), INT64_MAX);
}

Test(wheel, timers_of_later_rounds_in_the_same_slot_stay)
{
    int64_t round_us = (int64_t)WHEEL_SLOTS * TICK_US;

    for (int i = 0; i < 4; i++)
        add(i, 50000 + i * round_us);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(advance(i ? round_us - 10000 : 45000), 0);
        cr_assert_eq(advance(10000), 1);
    }
}

Test(wheel, a_long_standstill_fires_all_that_was_due)
{
    for (int i = 0; i < TIMERS; i++)
        add(i, i * (int64_t)100000);
    cr_assert_eq(advance((int64_t)TIMERS * 100000), TIMERS);
}

Test(wheel, agrees_with_a_plain_list_through_a_long_random_life)
{
    int fired = 0, added = 0, cleared = 0;

    for (int step = 0; step < 200000; step++) {
        int i = (int)(random_u32() % TIMERS);
        uint32_t what = random_u32() % 8;

        if (what < 4) {
            added += !loop_timer_is_set(&timers[i]);
            add(i, (int64_t)(random_u32() % (1u << (random_u32() % 24 + 1))));
        } else if (what < 6) {
            cleared += loop_timer_is_set(&timers[i]);
            list_remove(&timers[i].link);
        } else {
            fired += advance((int64_t)(random_u32() % (1u << (random_u32() % 21 + 1))));
        }
        cr_assert_leq(wheel_next_us(&wheel) - TICK_US,
                      earliest_due() == INT64_MAX ? INT64_MAX - TICK_US : earliest_due(),
                      "it would sleep too long");
    }
    fired += advance((int64_t)1 << 25);
    cr_assert_eq(fired + cleared, added);
    cr_assert_eq(wheel_next_us(&wheel), INT64_MAX);
}
