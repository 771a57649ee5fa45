// SPDX-License-Identifier: Apache-2.0
/* Waits: joining, failing, cancelling once, and ending before the step that began them.
 */
#include "probe.h"

#include <signal.h>

TestSuite(wait, .init = probe_setup, .fini = probe_teardown, .timeout = 30);

static struct probe_wait first, second;
static bool require_first, require_second;
static int continued;

static enum step step_continued(struct flow *f)
{
    continued++;
    return flow_done(f);
}

static enum step step_two_waits(struct flow *f)
{
    probe_begin(f, &first, require_first);
    probe_begin(f, &second, require_second);
    return flow_await(f, step_continued);
}

static struct flow *start_two_waits(bool first_required, bool second_required)
{
    struct flow *f = probe_flow(PROBE_TIMEOUT_MS);

    require_first = first_required;
    require_second = second_required;
    flow_start(f, step_two_waits);
    cr_assert_eq(ends, 0);
    return f;
}

Test(wait, the_next_step_runs_when_all_are_over)
{
    start_two_waits(true, true);
    wait_end(&second.wait, NULL);
    cr_assert_eq(continued, 0);
    wait_end(&first.wait, NULL);
    cr_assert_eq(continued, 1);
    cr_assert_eq(first.cancels + second.cancels, 0);
    probe_run();
    cr_assert_null(end_code);
}

Test(wait, one_that_is_not_required_may_fail)
{
    start_two_waits(false, true);
    wait_end(&first.wait, ERR_STATIC(UNAVAILABLE));
    wait_end(&second.wait, NULL);
    cr_assert_eq(continued, 1);
    cr_assert_eq(first.wait.err, ERR_STATIC(UNAVAILABLE));
    probe_run();
    cr_assert_null(end_code);
}

Test(wait, a_required_one_that_fails_ends_the_flow_and_cancels_the_others_once)
{
    start_two_waits(true, true);
    wait_end(&first.wait, ERR_STATIC(UNAVAILABLE));
    cr_assert_eq(ends, 1);
    cr_assert_eq(first.cancels, 0, "it is over");
    cr_assert_eq(second.cancels, 1);
    probe_run();
    cr_assert_eq(continued, 0);
    cr_assert_eq(second.cancels, 1);
    cr_assert_eq(end_code, &ERR_CODE_UNAVAILABLE);
}

Test(wait, a_cancelled_flow_cancels_each_open_wait_once)
{
    struct flow *f = start_two_waits(true, false);

    wait_end(&first.wait, NULL);
    flow_cancel(f, ERR_STATIC(CANCELLED));
    flow_cancel(f, ERR_STATIC(CANCELLED));
    cr_assert_eq(first.cancels, 0);
    cr_assert_eq(second.cancels, 1);
    probe_run();
    cr_assert_eq(second.cancels, 1);
    cr_assert_eq(end_code, &ERR_CODE_CANCELLED);
}

static void cancelled_before_end(struct wait *w)
{
    cr_assert_eq(ends, 0, "waits are cancelled before the flow's end");
    flow_cancel(w->flow, ERR_STATIC(INTERNAL));
    first.cancels++;
}

static enum step step_wait_that_cancels(struct flow *f)
{
    wait_begin(f, &first.wait, cancelled_before_end, true);
    return flow_await(f, step_continued);
}

Test(wait, a_cancel_may_call_back_into_the_flow)
{
    struct flow *f = probe_flow(PROBE_TIMEOUT_MS);

    flow_start(f, step_wait_that_cancels);
    flow_cancel(f, ERR_STATIC(CANCELLED));
    cr_assert_eq(first.cancels, 1);
    probe_run();
    cr_assert_eq(end_code, &ERR_CODE_CANCELLED);
}

static enum step step_fails_while_starting(struct flow *f)
{
    probe_begin(f, &first, true);
    probe_begin(f, &second, true);
    wait_end(&first.wait, ERR_STATIC(SHED));
    cr_assert_eq(ends, 0, "the step still runs");
    return flow_await(f, step_continued);
}

Test(wait, one_that_fails_within_its_step_ends_the_flow_after_it)
{
    flow_start(probe_flow(PROBE_TIMEOUT_MS), step_fails_while_starting);
    cr_assert_eq(end_code, &ERR_CODE_SHED);
    cr_assert_eq(second.cancels, 1);
    probe_run();
    cr_assert_eq(continued, 0);
}

static enum step step_ends_with_open_waits(struct flow *f)
{
    probe_begin(f, &first, true);
    return flow_done(f);
}

Test(wait, what_is_open_when_a_step_ends_the_flow_is_cancelled)
{
    flow_start(probe_flow(PROBE_TIMEOUT_MS), step_ends_with_open_waits);
    cr_assert_eq(first.cancels, 1);
    probe_run();
    cr_assert_null(end_code);
}

Test(wait, ending_one_twice_is_a_bug, .signal = SIGABRT)
{
    start_two_waits(false, false);
    wait_end(&first.wait, NULL);
    wait_end(&first.wait, NULL);
}

Test(wait, ending_one_that_was_cancelled_is_a_bug, .signal = SIGABRT)
{
    flow_cancel(start_two_waits(false, false), ERR_STATIC(CANCELLED));
    wait_end(&first.wait, NULL);
}

/* ---- waits that end within the step that began them ------------------------------- */

enum { MANY = 200000 };

static int steps;
static const char *stack_top;
static size_t deepest;

static enum step step_again(struct flow *f)
{
    size_t depth = (size_t)(stack_top - (const char *)__builtin_frame_address(0));

    deepest = depth > deepest ? depth : deepest;
    if (++steps == MANY)
        return flow_done(f);
    probe_begin(f, &first, true);
    wait_end(&first.wait, NULL);
    return flow_await(f, step_again);
}

Test(wait, ends_at_once_are_followed_without_recursion)
{
    stack_top = __builtin_frame_address(0);
    flow_start(probe_flow(PROBE_TIMEOUT_MS), step_again);
    probe_run();
    cr_assert_eq(steps, MANY);
    cr_assert_lt(deepest, 8192);
}

static int seen_steps;

static void look_at_steps(struct loop_timer *t)
{
    (void)t;
    seen_steps = steps;
}

static enum step step_for_ever(struct flow *f)
{
    steps++;
    return seen_steps ? flow_done(f) : flow_await(f, step_for_ever);
}

Test(wait, a_flow_that_never_waits_leaves_the_loop_its_turns)
{
    struct loop_timer timer;

    loop_timer_init(&timer, loop, look_at_steps);
    loop_timer_set(&timer, 5);
    flow_start(probe_flow(PROBE_TIMEOUT_MS), step_for_ever);
    cr_assert_eq(ends, 0);
    probe_run();
    cr_assert_gt(seen_steps, 0);
}

Test(wait, a_flow_that_yielded_can_be_cancelled)
{
    struct flow *f = probe_flow(PROBE_TIMEOUT_MS);

    flow_start(f, step_for_ever);
    flow_cancel(f, ERR_STATIC(CANCELLED));
    probe_run();
    cr_assert_eq(end_code, &ERR_CODE_CANCELLED);
}

/* A flow within a flow: the inner one's end is a wait of the outer one. */
static void inner_end(struct flow *f, const struct err *err)
{
    wait_end(f->owner, err);
}

static enum step step_inner(struct flow *f)
{
    return flow_fail(f, ERR_STATIC(UNAVAILABLE));
}

static enum step step_outer_done(struct flow *f)
{
    return flow_fail(f, first.wait.err);
}

static enum step step_outer(struct flow *f)
{
    probe_begin(f, &first, false);
    flow_start(flow_create(f->loop, 1000, inner_end, &first.wait), step_inner);
    return flow_await(f, step_outer_done);
}

Test(wait, a_flow_may_wait_for_another_that_ends_at_once)
{
    flow_start(probe_flow(PROBE_TIMEOUT_MS), step_outer);
    probe_run();
    cr_assert_eq(end_code, &ERR_CODE_UNAVAILABLE);
}
