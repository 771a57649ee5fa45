// SPDX-License-Identifier: Apache-2.0
/* The adaptive limit against a simulated service, on a clock of our own. */
#include "kit/guard/gradient.h"

#include <criterion/criterion.h>

enum { MS = 1000, OFFERED = 400, READ = 1, LOGIN = 2 };

static const struct gradient_conf CONF = {.min = 10, .max = 1000, .calm_ms = 20};

static struct gradient g;
static int64_t now;

static void start(void)
{
    now = 1000000;
    gradient_init(&g, &CONF, now);
}

TestSuite(gradient, .init = start);

static unsigned enter_up_to(unsigned n, enum priority p)
{
    unsigned in = 0;

    while (in < n && gradient_enter(&g, p))
        in++;
    return in;
}

static void leave_all(void)
{
    while (g.in_flight > 0)
        gradient_leave(&g);
}

/* A window: as many as may, up to `offered`, each takes `took_us`. How many did. */
static unsigned window(unsigned offered, unsigned class, int64_t took_us)
{
    unsigned in = enter_up_to(offered, PRIORITY_VITAL);

    now += GRADIENT_WINDOW_MS * MS;
    for (unsigned i = 0; i < in; i++)
        gradient_sample(&g, class, now, took_us);
    leave_all();
    return in;
}

static void windows(int n, unsigned offered, unsigned class, int64_t took_us)
{
    while (n-- > 0)
        window(offered, class, took_us);
}

Test(gradient, starts_wide_open)
{
    cr_assert_eq(gradient_limit(&g), CONF.max);
    cr_assert_eq(enter_up_to(2000, PRIORITY_VITAL), CONF.max);
}

Test(gradient, falls_when_latency_steps_up_and_recovers_when_it_comes_down)
{
    unsigned low;

    windows(50, OFFERED, READ, 30 * MS);
    cr_assert_eq(gradient_limit(&g), CONF.max);
    windows(30, OFFERED, READ, 300 * MS);
    low = gradient_limit(&g);
    cr_assert_lt(low, OFFERED / 4);
    cr_assert_geq(low, CONF.min);
    windows(100, OFFERED, READ, 30 * MS);
    cr_assert_geq(gradient_limit(&g), OFFERED);
}

/* Latency that grows with what is under way, as behind a queue: room for 50 at 30 ms. */
Test(gradient, settles_near_what_the_service_can_do)
{
    windows(50, 40, READ, 30 * MS);
    for (int i = 0; i < 200; i++) {
        unsigned in = gradient_limit(&g) < OFFERED ? gradient_limit(&g) : OFFERED;

        window(OFFERED, READ, in <= 50 ? 30 * MS : 30 * MS * (int64_t)in / 50);
    }
    cr_assert_geq(gradient_limit(&g), 40);
    cr_assert_leq(gradient_limit(&g), 150);
}

Test(gradient, quick_is_never_congested)
{
    windows(50, OFFERED, READ, 100);
    windows(50, OFFERED, READ, 10 * MS);
    cr_assert_eq(gradient_limit(&g), CONF.max);
}

Test(gradient, a_rush_of_slow_methods_is_not_congestion)
{
    windows(50, OFFERED, READ, 1 * MS);
    windows(50, OFFERED, LOGIN, 80 * MS);
    windows(50, OFFERED, READ, 1 * MS);
    windows(50, OFFERED, LOGIN, 80 * MS);
    cr_assert_eq(gradient_limit(&g), CONF.max);
}

Test(gradient, few_calls_change_nothing)
{
    windows(50, GRADIENT_WINDOW_CALLS - 1, READ, 30 * MS);
    window(GRADIENT_WINDOW_CALLS - 1, READ, 3000 * MS);
    cr_assert_eq(gradient_limit(&g), CONF.max);
}

Test(gradient, bulk_is_refused_first_and_the_vital_last)
{
    cr_assert_eq(enter_up_to(2000, PRIORITY_BULK), 700);
    cr_assert_not(gradient_enter(&g, PRIORITY_BULK));
    cr_assert_eq(enter_up_to(2000, PRIORITY_NORMAL), 200);
    cr_assert_not(gradient_enter(&g, PRIORITY_NORMAL));
    cr_assert_eq(enter_up_to(2000, PRIORITY_VITAL), 100);
    cr_assert_not(gradient_enter(&g, PRIORITY_VITAL));
}

Test(gradient, never_falls_below_its_minimum)
{
    windows(50, OFFERED, READ, 30 * MS);
    for (int64_t took = 100; took < 4000; took += 100)
        window(OFFERED, READ, took * took * MS / 100);
    cr_assert_geq(gradient_limit(&g), CONF.min);
    cr_assert_geq(enter_up_to(2000, PRIORITY_VITAL), CONF.min);
}
