// SPDX-License-Identifier: Apache-2.0
/* What becomes of a job after an attempt that failed. */
#include "jobs/rules/outcome.h"

#include "jobs/rules/errors.h"
#include "proto/errors.h"

#include <criterion/criterion.h>

static const struct job_policy policy = {
    .attempts_max = 3, .backoff_ms = 1000, .cap_ms = 10000};

Test(outcome, sorts_errors_into_classes)
{
    static const struct {
        const struct err_code *code;
        enum failure_class class;
    } cases[] = {
        {&ERR_CODE_SMTP_DOWN, FAILURE_DEPENDENCY},
        {&ERR_CODE_SMTP_DEFERRED, FAILURE_TRANSIENT},
        {&ERR_CODE_SMTP_REFUSED, FAILURE_PERMANENT},
        {&ERR_CODE_JOB_BAD_PAYLOAD, FAILURE_PERMANENT},
        {&ERR_CODE_UNAVAILABLE, FAILURE_DEPENDENCY},
        {&ERR_CODE_SHED, FAILURE_DEPENDENCY},
        {&ERR_CODE_DEADLINE, FAILURE_TRANSIENT},
        {&ERR_CODE_UNKNOWN_OUTCOME, FAILURE_TRANSIENT},
        {&ERR_CODE_INTERNAL, FAILURE_TRANSIENT},
        {&ERR_CODE_USER_NOT_FOUND, FAILURE_PERMANENT},
        {&ERR_CODE_ORDER_NOT_FOUND, FAILURE_PERMANENT},
        {&ERR_CODE_INSUFFICIENT_SCOPE, FAILURE_PERMANENT},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct err err = {.code = cases[i].code};

        cr_expect_eq(failure_class(&err), cases[i].class, "%s is %s", err.code->name,
                     failure_class_name(failure_class(&err)));
    }
}

Test(outcome, permanent_failure_is_death_at_once)
{
    struct job_settlement s = job_failed(&policy, 1, ERR_STATIC(SMTP_REFUSED));

    cr_expect_eq(s.state, JOB_DEAD);
    cr_expect(str_eq(s.code, STR("jobs.smtp_refused")));
    cr_expect(str_eq(s.detail, STR("The mail server refused the mail")));
}

Test(outcome, transient_failure_is_tried_again_after_a_growing_pause)
{
    for (int i = 0; i < 200; i++) {
        struct job_settlement first = job_failed(&policy, 1, ERR_STATIC(DEADLINE));
        struct job_settlement second = job_failed(&policy, 2, ERR_STATIC(DEADLINE));

        cr_assert_eq(first.state, JOB_QUEUED);
        cr_assert_not(first.free, "it burns an attempt");
        cr_assert(first.delay_ms >= 500 && first.delay_ms <= 1000);
        cr_assert(second.delay_ms >= 500 && second.delay_ms <= 2000);
    }
}

Test(outcome, the_last_transient_failure_is_death)
{
    cr_expect_eq(job_failed(&policy, 2, ERR_STATIC(DEADLINE)).state, JOB_QUEUED);
    cr_expect_eq(job_failed(&policy, 3, ERR_STATIC(DEADLINE)).state, JOB_DEAD);
}

Test(outcome, parking_costs_no_attempt_and_never_kills)
{
    struct job_settlement s = job_failed(&policy, 1000, ERR_STATIC(SMTP_DOWN));

    cr_expect_eq(s.state, JOB_QUEUED);
    cr_expect(s.free);
    cr_expect_gt(s.delay_ms, 0);
}

Test(outcome, parking_waits_for_the_breaker)
{
    struct err err = {.code = &ERR_CODE_SMTP_DOWN, .retry_after_ms = 20000};

    cr_expect_geq(job_failed(&policy, 1, &err).delay_ms, 20000);
    err.retry_after_ms = INT64_MAX;
    cr_expect_leq(job_failed(&policy, 1, &err).delay_ms, 70000, "but not for ever");
}

Test(outcome, a_long_detail_is_cut_between_characters)
{
    char text[600];
    struct err err = {.code = &ERR_CODE_INTERNAL};
    struct job_settlement s;

    memset(text, 'a', sizeof text);
    memcpy(text + 498, "\xe2\x82\xac", 3);
    err.detail = (struct str){text, sizeof text};
    s = job_failed(&policy, 1, &err);
    cr_expect_eq(s.detail.n, 498u);
    cr_expect(str_is_utf8(s.detail));
}

Test(outcome, a_released_job_is_as_before)
{
    struct job_settlement s = job_released();

    cr_expect_eq(s.state, JOB_QUEUED);
    cr_expect(s.free);
    cr_expect_eq(s.delay_ms, 0);
    cr_expect_null(s.code.p);
}
