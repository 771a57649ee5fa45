// SPDX-License-Identifier: Apache-2.0
/* The table of kinds. */
#include "jobs/rules/policy.h"

#include <criterion/criterion.h>

Test(policy, every_kind_has_a_sensible_row)
{
    cr_assert_eq(job_kind_enum.count, (unsigned)JOB_KINDS);
    for (int k = 0; k < JOB_KINDS; k++) {
        const struct job_policy *p = job_policy((enum job_kind)k);
        enum job_kind back;

        cr_assert_not_null(p);
        cr_expect_gt(p->timeout_ms, 0);
        cr_expect_gt(p->attempts_max, 0);
        cr_expect_geq(p->cap_ms, p->backoff_ms);
        cr_expect_eq(!p->content_type, !p->filename);
        cr_expect_str_eq(job_topics[k], p->topic);
        cr_expect(job_topic_kind(str_of(p->topic), &back) && (int)back == k);
    }
    cr_expect_null(job_topics[JOB_KINDS]);
}

Test(policy, knows_no_kind_of_a_newer_release)
{
    enum job_kind kind;

    cr_expect_null(job_policy((enum job_kind)99));
    cr_expect_null(job_policy((enum job_kind) - 1));
    cr_expect_not(job_topic_kind(STR("viaduct.jobs.other"), &kind));
}
