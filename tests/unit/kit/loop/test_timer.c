// SPDX-License-Identifier: Apache-2.0
/* Timers on a running loop. Upper bounds of times are generous; lower ones are exact. */
#include "guard.h"

#include "kit/base/clock.h"

#include <unistd.h>

static struct loop *loop;
static char trace[64];

static void setup(void)
{
    loop = loop_create();
}

static void teardown(void)
{
    loop_destroy(loop);
}

TestSuite(loop_timer, .init = setup, .fini = teardown);

struct letter {
    struct loop_timer timer;
    int64_t not_before_us;
    struct letter *other;
    char c;
};

static void fire(struct loop_timer *t)
{
    struct letter *l = CONTAINER_OF(t, struct letter, timer);

    cr_assert_geq(clock_mono_us(), l->not_before_us, "early");
    cr_assert_not(loop_timer_is_set(t));
    trace[strlen(trace)] = l->c;
    if (l->c == 'z')
        loop_stop(loop);
}

static void set(struct letter *l, char c, int64_t ms)
{
    *l = (struct letter){.c = c};
    loop_timer_init(&l->timer, loop, fire);
    l->not_before_us = clock_mono_us() + ms * 1000;
    loop_timer_set(&l->timer, ms);
}

Test(loop_timer, timers_fire_in_the_order_of_their_times_and_never_early)
{
    struct letter a, b, c, z;

    set(&z, 'z', 80);
    set(&c, 'c', 50);
    set(&a, 'a', 0);
    set(&b, 'b', 20);
    cr_assert(loop_timer_is_set(&a.timer));
    guard_run(loop);
    cr_assert_str_eq(trace, "abcz");
}

Test(loop_timer, a_cleared_timer_does_not_fire)
{
    struct letter a, z;

    set(&a, 'a', 5);
    set(&z, 'z', 30);
    loop_timer_clear(&a.timer);
    loop_timer_clear(&a.timer);
    cr_assert_not(loop_timer_is_set(&a.timer));
    guard_run(loop);
    cr_assert_str_eq(trace, "z");
}

Test(loop_timer, setting_a_set_timer_moves_it_both_ways)
{
    struct letter a, b, z;

    set(&a, 'a', 5);
    set(&b, 'b', 100000);
    set(&z, 'z', 60);
    loop_timer_set(&a.timer, 100000);
    loop_timer_set(&b.timer, 5);
    b.not_before_us = 0;
    guard_run(loop);
    loop_timer_clear(&a.timer);
    cr_assert_str_eq(trace, "bz");
}

static void fire_and_clear_other(struct loop_timer *t)
{
    struct letter *l = CONTAINER_OF(t, struct letter, timer);

    trace[strlen(trace)] = l->c;
    loop_timer_clear(&l->other->timer);
}

/* Both are due in the same pass. */
Test(loop_timer, a_timer_may_clear_another_that_is_due)
{
    struct letter a, b, z;

    set(&a, 'a', 1);
    set(&b, 'b', 1);
    set(&z, 'z', 20);
    a.timer.fn = b.timer.fn = fire_and_clear_other;
    a.other = &b;
    b.other = &a;
    loop_timer_set_at(&a.timer, 1);
    loop_timer_set_at(&b.timer, 1);
    guard_run(loop);
    cr_assert_str_eq(trace, "az");
}

static void fire_three_times(struct loop_timer *t)
{
    struct letter *l = CONTAINER_OF(t, struct letter, timer);

    trace[strlen(trace)] = l->c++;
    if (l->c <= 'c')
        loop_timer_set(t, 0);
    else
        loop_stop(loop);
}

Test(loop_timer, a_timer_may_set_itself_again)
{
    struct letter a;

    set(&a, 'a', 0);
    a.timer.fn = fire_three_times;
    guard_run(loop);
    cr_assert_str_eq(trace, "abc");
    cr_assert_geq(loop_turns(loop).turns, 3, "each in a turn of its own");
}

Test(loop_timer, odd_times_are_taken)
{
    struct letter a, b, z;

    set(&a, 'a', -5);
    a.not_before_us = 0;
    set(&b, 'b', 0);
    loop_timer_set(&b.timer, INT64_MAX);
    set(&z, 'z', 30);
    guard_run(loop);
    loop_timer_clear(&b.timer);
    cr_assert_str_eq(trace, "az");
}

static struct letter near;

static void set_near(void *arg, int ready)
{
    (void)ready;
    loop_fd_want(*(struct loop_fd **)arg, 0);
    set(&near, 'z', 5);
}

/* The loop already sleeps for the guard's time when something else sets a nearer timer.
 */
Test(loop_timer, a_nearer_timer_shortens_the_sleep)
{
    int64_t began = clock_mono_us();
    struct loop_fd *fd;
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "x", 1), 1);
    fd = loop_fd_create(loop, ends[0], set_near, &fd);
    loop_fd_want(fd, LOOP_READ);
    guard_run(loop);
    cr_assert_lt(clock_mono_us() - began, GUARD_MS * 500);
    loop_fd_destroy(fd);
    close(ends[0]);
    close(ends[1]);
}

/* One timer 300 ms away: 75 ticks, but only a few wake-ups. */
Test(loop_timer, an_idle_loop_sleeps_until_the_next_timer)
{
    struct letter z;

    set(&z, 'z', 300);
    guard_run(loop);
    cr_assert_leq(loop_turns(loop).turns, 6);
}
