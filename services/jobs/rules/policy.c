// SPDX-License-Identifier: Apache-2.0
/* The kinds of jobs, in numbers. */
#include "jobs/rules/policy.h"

#define EMAIL_TOPIC  "viaduct.jobs.email"
#define REPORT_TOPIC "viaduct.jobs.report"

static const struct job_policy policies[JOB_KINDS] = {
    [JOB_EMAIL] = {.topic = EMAIL_TOPIC,
                   .timeout_ms = 60000,
                   .attempts_max = 8,
                   .backoff_ms = 2000,
                   .cap_ms = 300000},
    [JOB_REPORT] = {.topic = REPORT_TOPIC,
                    .timeout_ms = 3600000,
                    .attempts_max = 5,
                    .backoff_ms = 2000,
                    .cap_ms = 300000,
                    .at_once = 2,
                    .interruptible = true,
                    .content_type = "text/csv; charset=utf-8",
                    .filename = "orders.csv"},
};

const char *const job_topics[] = {EMAIL_TOPIC, REPORT_TOPIC, NULL};

const struct job_policy *job_policy(enum job_kind kind)
{
    return (unsigned)kind < JOB_KINDS ? &policies[kind] : NULL;
}

bool job_topic_kind(struct str topic, enum job_kind *kind)
{
    for (int k = 0; k < JOB_KINDS; k++) {
        if (str_eq(topic, str_of(policies[k].topic))) {
            *kind = (enum job_kind)k;
            return true;
        }
    }
    return false;
}
