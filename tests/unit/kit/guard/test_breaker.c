// SPDX-License-Identifier: Apache-2.0
/* The breaker's rules, on a clock of our own. */
#include "kit/guard/breaker.h"

#include "kit/base/clock.h"

#include <criterion/criterion.h>

enum { MS = 1000, FAST = 1 * MS };

static const struct breaker_conf CONF = {
    .window_ms = 1000,
    .min_calls = 10,
    .failure_ratio = 0.5,
    .slow_ratio = 0.5,
    .slow_ms = 100,
    .open_ms = 1000,
    .open_max_ms = 4000,
    .probes = 2,
};

static struct breaker b;
static int64_t now;

static void start(void)
{
    now = 5000000;
    breaker_init(&b, &CONF, now);
}

static void call(bool failed, int64_t took_us)
{
    cr_assert(breaker_allow(&b, now));
    breaker_report(&b, now, failed, took_us);
}

static void calls(int n, bool failed)
{
    while (n-- > 0)
        call(failed, FAST);
}

static void open_it(void)
{
    calls(10, true);
    cr_assert_eq(breaker_state(&b, now), BREAKER_OPEN);
}

/* To the moment from which a probe may go. */
static void wait_half_open(void)
{
    now += breaker_retry_after_ms(&b, now) * MS;
    cr_assert_eq(breaker_state(&b, now), BREAKER_HALF_OPEN);
}

TestSuite(breaker, .init = start);

Test(breaker, opens_when_the_ratio_of_failures_is_reached)
{
    calls(6, false);
    calls(5, true);
    cr_assert_eq(b.state, BREAKER_CLOSED);
    call(true, FAST);
    cr_assert_eq(b.state, BREAKER_OPEN);
    cr_assert_not(breaker_allow(&b, now));
}

Test(breaker, needs_a_minimum_of_calls)
{
    calls(9, true);
    cr_assert_eq(b.state, BREAKER_CLOSED);
    cr_assert(breaker_allow(&b, now));
}

Test(breaker, opens_on_slow_calls_that_succeed)
{
    for (int i = 0; i < 10; i++)
        call(false, 100 * MS);
    cr_assert_eq(b.state, BREAKER_OPEN);
}

Test(breaker, minds_no_slow_calls_when_that_is_switched_off)
{
    struct breaker_conf conf = CONF;

    conf.slow_ratio = 1.1;
    breaker_init(&b, &conf, now);
    for (int i = 0; i < 50; i++)
        call(false, 100 * MS);
    cr_assert_eq(b.state, BREAKER_CLOSED);
}

Test(breaker, a_ratio_of_zero_opens_on_the_first_failure_only)
{
    struct breaker_conf conf = CONF;

    conf.failure_ratio = conf.slow_ratio = 0;
    breaker_init(&b, &conf, now);
    calls(50, false);
    cr_assert_eq(b.state, BREAKER_CLOSED);
    calls(1, true);
    cr_assert_eq(b.state, BREAKER_OPEN);
}

Test(breaker, forgets_failures_when_they_leave_the_window)
{
    calls(9, true);
    now += 1000 * MS;
    calls(9, true);
    cr_assert_eq(b.state, BREAKER_CLOSED);
    cr_assert_eq(b.sum.calls, 9);
}

Test(breaker, keeps_failures_that_are_still_in_the_window)
{
    calls(5, true);
    now += 850 * MS;
    calls(5, true);
    cr_assert_eq(b.state, BREAKER_OPEN);
}

Test(breaker, rolling_window_adds_up_at_any_step)
{
    for (int i = 0; i < 5000; i++) {
        uint32_t calls_seen = 0, failures_seen = 0, slow_seen = 0;

        now += (i * 37 % 211) * MS;
        call(i % 5 == 0, i % 4 == 0 ? 100 * MS : FAST);
        for (int j = 0; j < BREAKER_BUCKETS; j++) {
            calls_seen += b.buckets[j].calls;
            failures_seen += b.buckets[j].failures;
            slow_seen += b.buckets[j].slow;
        }
        cr_assert_eq(b.sum.calls, calls_seen);
        cr_assert_eq(b.sum.failures, failures_seen);
        cr_assert_eq(b.sum.slow, slow_seen);
        cr_assert(now >= b.bucket_us && now - b.bucket_us < 100 * MS);
    }
}

/* ---- a row of failures ------------------------------------------------------- */

static void start_with_good_calls(int n)
{
    static struct breaker_conf conf;

    conf = CONF;
    conf.window_ms = 10000;
    conf.dead_ms = 250;
    breaker_init(&b, &conf, now);
    calls(n, false);
}

Test(breaker, opens_on_a_row_of_failures_whatever_went_well_before)
{
    start_with_good_calls(10000);
    for (int i = 0; i < 26; i++) {
        cr_assert_eq(b.state, BREAKER_CLOSED, "after %d ms", i * 10);
        now += 10 * MS;
        call(true, FAST);
    }
    cr_assert_eq(b.state, BREAKER_OPEN);
}

Test(breaker, calls_that_wait_in_vain_are_a_row_from_their_start)
{
    start_with_good_calls(10000);
    now += 1500 * MS;
    for (int i = 0; i < 9; i++)
        call(true, 1500 * MS);
    cr_assert_eq(b.state, BREAKER_CLOSED, "nine are too few");
    call(true, 1500 * MS);
    cr_assert_eq(b.state, BREAKER_OPEN);
}

Test(breaker, what_one_lost_connection_takes_along_is_no_row)
{
    start_with_good_calls(10000);
    now += 60000 * MS; /* nothing was asked for a minute */
    calls(1000, false);
    now += 5 * MS;
    for (int i = 0; i < 500; i++)
        call(true, 5 * MS);
    cr_assert_eq(b.state, BREAKER_CLOSED);
}

Test(breaker, a_silent_hour_before_the_first_failure_is_no_row)
{
    start_with_good_calls(50);
    now += 9000 * MS;
    for (int i = 0; i < 20; i++)
        call(true, FAST);
    cr_assert_eq(b.state, BREAKER_CLOSED);
}

Test(breaker, one_good_answer_ends_a_row)
{
    start_with_good_calls(10000);
    for (int i = 0; i < 200; i++) {
        now += 10 * MS;
        call(i % 20 != 0, FAST);
    }
    cr_assert_eq(b.state, BREAKER_CLOSED);
}

Test(breaker, rows_are_not_minded_when_that_is_switched_off)
{
    struct breaker_conf conf = CONF;

    conf.window_ms = 10000;
    breaker_init(&b, &conf, now);
    calls(1000, false);
    for (int i = 0; i < 500; i++) {
        now += 10 * MS;
        call(true, FAST);
    }
    cr_assert_eq(b.state, BREAKER_CLOSED);
}

/* ---- open and half-open ------------------------------------------------------ */

Test(breaker, stays_open_for_a_jittered_time)
{
    int64_t least = INT64_MAX, most = 0;

    for (int i = 0; i < 500; i++) {
        int64_t ms;

        start();
        open_it();
        ms = breaker_retry_after_ms(&b, now);
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
    }
    cr_assert(least >= 800 && least < 850, "%lld", (long long)least);
    cr_assert(most <= 1200 && most > 1150, "%lld", (long long)most);
}

Test(breaker, lets_nothing_through_before_the_time_is_over)
{
    open_it();
    now += breaker_retry_after_ms(&b, now) * MS - 1 * MS;
    cr_assert_not(breaker_allow(&b, now));
    now += 1 * MS;
    cr_assert(breaker_allow(&b, now));
}

Test(breaker, half_open_lets_only_the_probes_through)
{
    open_it();
    wait_half_open();
    cr_assert_eq(breaker_retry_after_ms(&b, now), 0);
    cr_assert(breaker_allow(&b, now));
    cr_assert(breaker_allow(&b, now));
    cr_assert_not(breaker_allow(&b, now));
    cr_assert_gt(breaker_retry_after_ms(&b, now), 0);
}

Test(breaker, closes_when_all_probes_do_well)
{
    open_it();
    wait_half_open();
    call(false, FAST);
    cr_assert_eq(b.state, BREAKER_HALF_OPEN);
    call(false, FAST);
    cr_assert_eq(b.state, BREAKER_CLOSED);
    cr_assert_eq(b.sum.calls, 0, "the old failures must not count again");
}

Test(breaker, one_bad_probe_opens_it_again)
{
    open_it();
    wait_half_open();
    call(false, FAST);
    call(true, FAST);
    cr_assert_eq(b.state, BREAKER_OPEN);
    cr_assert_not(breaker_allow(&b, now));
}

Test(breaker, a_slow_probe_is_a_bad_one)
{
    open_it();
    wait_half_open();
    cr_assert(breaker_allow(&b, now));
    now += 150 * MS;
    breaker_report(&b, now, false, 150 * MS);
    cr_assert_eq(b.state, BREAKER_OPEN);
}

Test(breaker, open_time_doubles_up_to_the_cap_and_starts_anew_after_closing)
{
    static const int64_t WANT_MS[] = {1000, 2000, 4000, 4000};

    open_it();
    for (int i = 0; i < 4; i++) {
        int64_t ms = breaker_retry_after_ms(&b, now);

        cr_assert(ms >= WANT_MS[i] * 8 / 10 && ms <= WANT_MS[i] * 12 / 10, "%d: %lld", i,
                  (long long)ms);
        wait_half_open();
        call(true, FAST);
    }
    wait_half_open();
    calls(2, false);
    open_it();
    cr_assert_leq(breaker_retry_after_ms(&b, now), 1200);
}

Test(breaker, a_forgotten_probe_makes_room_for_another)
{
    open_it();
    wait_half_open();
    for (int i = 0; i < 100; i++) {
        cr_assert(breaker_allow(&b, now));
        cr_assert(breaker_allow(&b, now));
        cr_assert_not(breaker_allow(&b, now));
        breaker_forget(&b, now);
        breaker_forget(&b, now);
    }
    calls(2, false);
    cr_assert_eq(b.state, BREAKER_CLOSED);
}

Test(breaker, calls_from_before_do_not_decide_for_the_probes)
{
    int64_t began;

    for (int i = 0; i < 3; i++)
        cr_assert(breaker_allow(&b, now)); /* these take long */
    began = now;
    open_it();
    wait_half_open();
    cr_assert(breaker_allow(&b, now));
    breaker_report(&b, now, true, now - began);
    cr_assert_eq(b.state, BREAKER_HALF_OPEN);
    breaker_report(&b, now, false, now - began);
    breaker_report(&b, now, false, now - began);
    cr_assert_eq(b.state, BREAKER_HALF_OPEN);
    breaker_report(&b, now, false, 0);
    call(false, 0);
    cr_assert_eq(b.state, BREAKER_CLOSED);
}

Test(breaker, reports_that_come_while_it_is_open_change_nothing)
{
    for (int i = 0; i < 5; i++)
        cr_assert(breaker_allow(&b, now));
    open_it();
    for (int i = 0; i < 5; i++)
        breaker_report(&b, now, i % 2 == 0, FAST);
    cr_assert_eq(b.state, BREAKER_OPEN);
    cr_assert_eq(b.calls_out, 0);
}

/* Whatever callers do, as long as they keep to the contract, it never stays half-open. */
Test(breaker, never_gets_stuck)
{
    int64_t began[64];
    int out = 0;

    srand(7);
    for (int i = 0; i < 200000; i++) {
        now += rand() % 20 * MS;
        if (out < 64 && rand() % 2 && breaker_allow(&b, now))
            began[out++] = now;
        if (out > 0 && rand() % 2) {
            int at = rand() % out;

            if (rand() % 8 == 0)
                breaker_forget(&b, now);
            else
                breaker_report(&b, now, rand() % 3 == 0, now - began[at]);
            began[at] = began[--out];
        }
        cr_assert_eq(b.calls_out, (uint32_t)out);
    }
    while (out-- > 0)
        breaker_report(&b, now, false, 0);
    now += 10000 * MS;
    for (int i = 0; i < 4 && b.state != BREAKER_CLOSED; i++)
        call(false, 0);
    cr_assert_eq(b.state, BREAKER_CLOSED);
}

Test(breaker, wants_one_probe_at_a_time)
{
    cr_assert_not(breaker_wants_probe(&b, now));
    open_it();
    cr_assert_not(breaker_wants_probe(&b, now));
    wait_half_open();
    for (int i = 0; i < 2; i++) {
        cr_assert(breaker_wants_probe(&b, now));
        cr_assert(breaker_allow(&b, now));
        cr_assert_not(breaker_wants_probe(&b, now));
        breaker_report(&b, now, false, FAST);
    }
    cr_assert_eq(b.state, BREAKER_CLOSED);
    cr_assert_not(breaker_wants_probe(&b, now));
}

Test(breaker, wants_a_probe_also_after_one_that_failed_beside_another)
{
    open_it();
    wait_half_open();
    cr_assert(breaker_allow(&b, now));
    cr_assert(breaker_allow(&b, now));
    breaker_report(&b, now, true, FAST);
    cr_assert_not(breaker_wants_probe(&b, now));
    wait_half_open();
    cr_assert(breaker_wants_probe(&b, now));
}

Test(breaker, names_its_states)
{
    cr_assert_str_eq(breaker_state_name(BREAKER_CLOSED), "closed");
    cr_assert_str_eq(breaker_state_name(BREAKER_HALF_OPEN), "half_open");
    cr_assert_str_eq(breaker_state_name(BREAKER_OPEN), "open");
}

/* A bound ten times what it takes, so that only a change of kind fails. */
Test(breaker, decides_in_well_under_a_microsecond)
{
    enum { N = 200000 };
    int64_t began = clock_mono_us();

    for (int i = 0; i < N; i++) {
        now += 50;
        call(false, FAST);
    }
    cr_assert_lt((clock_mono_us() - began) * 1000 / N, 1000);
    cr_log_info("%lld ns a call\n", (long long)((clock_mono_us() - began) * 1000 / N));
}
