// SPDX-License-Identifier: Apache-2.0
/* The laws of a flow: one end, then nothing; memory until the turn is over. */
#include "probe.h"

#include "kit/base/clock.h"

#include <signal.h>

TestSuite(flow, .init = probe_setup, .fini = probe_teardown, .timeout = 30);

static char trace[32];

static void note(char c)
{
    trace[strlen(trace)] = c;
}

static enum step step_done(struct flow *f)
{
    note('d');
    return flow_done(f);
}

static enum step step_fail(struct flow *f)
{
    return flow_fail_code(f, &ERR_CODE_UNAVAILABLE, "no %s", "luck");
}

static enum step step_b(struct flow *f)
{
    note('b');
    return flow_await(f, step_done);
}

static enum step step_a(struct flow *f)
{
    note('a');
    return flow_await(f, step_b);
}

Test(flow, runs_its_steps_in_order_at_once)
{
    flow_start(probe_flow(PROBE_TIMEOUT_MS), step_a);
    cr_assert_str_eq(trace, "abd");
    cr_assert_eq(ends, 1);
    cr_assert_null(end_code);
    probe_run();
}

Test(flow, ends_with_the_error_of_a_step)
{
    flow_start(probe_flow(PROBE_TIMEOUT_MS), step_fail);
    cr_assert_eq(end_code, &ERR_CODE_UNAVAILABLE);
    probe_run();
}

static void arena_is_still_there(struct loop_task *t)
{
    (void)t;
    cr_assert_not(freed, "freed before the turn was over");
    note('t');
}

Test(flow, memory_lives_to_the_end_of_the_turn)
{
    struct flow *f = probe_flow(PROBE_TIMEOUT_MS);
    struct loop_task at_end;

    loop_task_init(&at_end, arena_is_still_there);
    f->state = arena_alloc(&f->arena, 100);
    flow_start(f, step_done);
    loop_at_turn_end(loop, &at_end);
    cr_assert(f->ended);
    memset(f->state, 1, 100); /* the asan build would see it */
    probe_run();
    cr_assert_str_eq(trace, "dt");
}

Test(flow, a_flow_that_never_started_can_be_cancelled)
{
    struct flow *f = probe_flow(PROBE_TIMEOUT_MS);

    flow_cancel(f, ERR_STATIC(CANCELLED));
    flow_cancel(f, ERR_STATIC(INTERNAL));
    flow_start(f, step_done);
    cr_assert_eq(end_code, &ERR_CODE_CANCELLED);
    cr_assert_str_eq(trace, "");
    probe_run();
}

static enum step cancel_itself(struct flow *f)
{
    flow_cancel(f, ERR_STATIC(CANCELLED));
    flow_cancel(f, ERR_STATIC(INTERNAL)); /* the first one counts */
    cr_assert_eq(ends, 0, "the step still runs");
    return flow_await(f, step_done);
}

static enum step cancel_itself_and_be_done(struct flow *f)
{
    flow_cancel(f, ERR_STATIC(CANCELLED));
    return flow_done(f);
}

Test(flow, a_cancel_within_a_step_takes_effect_after_it)
{
    flow_start(probe_flow(PROBE_TIMEOUT_MS), cancel_itself);
    cr_assert_eq(end_code, &ERR_CODE_CANCELLED);
    cr_assert_str_eq(trace, "");
    probe_run();
}

Test(flow, a_cancel_within_the_last_step_wins)
{
    flow_start(probe_flow(PROBE_TIMEOUT_MS), cancel_itself_and_be_done);
    cr_assert_eq(end_code, &ERR_CODE_CANCELLED);
    probe_run();
}

static void cancel_in_end(struct flow *f, const struct err *err)
{
    flow_cancel(f, ERR_STATIC(INTERNAL));
    probe_end(f, err);
}

Test(flow, a_cancel_within_the_end_changes_nothing)
{
    struct flow *f = probe_flow(PROBE_TIMEOUT_MS);

    f->end = cancel_in_end;
    flow_start(f, step_done);
    cr_assert_null(end_code);
    probe_run();
}

Test(flow, the_error_of_a_cancel_is_copied)
{
    struct flow *f = probe_flow(PROBE_TIMEOUT_MS);
    struct err_code code = {"test.code", ERR_CANCELLED, "t"};
    const struct err *err;
    struct arena a;

    arena_init(&a);
    err = err_new(&a, &code, "gone %d", 1);
    flow_cancel(f, err);
    cr_assert_neq(f->cancelled, err);
    arena_fini(&a);
    cr_assert(str_eq(f->cancelled->detail, STR("gone 1")));
    probe_run();
}

static enum step sleep_long(struct flow *f)
{
    return flow_sleep(f, 10 * PROBE_TIMEOUT_MS, step_done);
}

Test(flow, the_deadline_ends_it)
{
    struct flow *f = probe_flow(20);
    int64_t began = clock_mono_us();

    cr_assert_leq(flow_left_ms(f), 20);
    cr_assert_geq(f->deadline_us, began);
    flow_start(f, sleep_long);
    probe_run();
    cr_assert_eq(end_code, &ERR_CODE_DEADLINE);
    cr_assert_geq(clock_mono_us() - began, 19000);
}

Test(flow, what_is_left_is_never_below_zero)
{
    struct flow *f = probe_flow(-100);

    cr_assert_eq(flow_left_ms(f), 0);
    flow_start(f, sleep_long);
    probe_run();
    cr_assert_eq(end_code, &ERR_CODE_DEADLINE);
}

static void child_ended(struct flow *child, const struct err *err)
{
    (void)child;
    cr_assert_null(err);
}

Test(flow, a_child_has_what_is_left_of_the_time_and_who_asks_why)
{
    static const int env;
    struct flow *f = probe_flow(PROBE_TIMEOUT_MS), *child;

    f->env = &env;
    f->caller.roles = 5;
    f->caller.key_id = STR("key");
    f->trace.sampled = true;
    f->log.user_id = STR("user");
    f->priority = PRIORITY_BULK;
    child = flow_child(f, child_ended, NULL);
    cr_assert_leq(flow_left_ms(child), PROBE_TIMEOUT_MS);
    cr_assert_gt(flow_left_ms(child), 0);
    cr_assert_eq(child->env, &env);
    cr_assert_eq(child->caller.roles, 5);
    cr_assert(str_eq(child->caller.key_id, STR("key")));
    cr_assert(child->trace.sampled);
    cr_assert(str_eq(child->log.user_id, STR("user")));
    cr_assert_eq(child->priority, PRIORITY_BULK);
    flow_start(child, step_done);
    flow_start(f, step_done);
    probe_run();
}

static int64_t slept_until;

static enum step step_slept(struct flow *f)
{
    cr_assert_geq(clock_mono_us(), slept_until);
    return step_done(f);
}

static enum step sleep_a_little(struct flow *f)
{
    slept_until = clock_mono_us() + 30000;
    return flow_sleep(f, 30, step_slept);
}

Test(flow, sleep_waits_at_least_its_time)
{
    flow_start(probe_flow(PROBE_TIMEOUT_MS), sleep_a_little);
    cr_assert_eq(ends, 0);
    probe_run();
    cr_assert_str_eq(trace, "d");
}

static enum step step_lost(struct flow *f)
{
    (void)f;
    return STEP_WAIT; /* wrong: nobody could go on from here */
}

Test(flow, a_step_without_a_successor_is_a_bug, .signal = SIGABRT)
{
    flow_start(probe_flow(PROBE_TIMEOUT_MS), step_lost);
}
