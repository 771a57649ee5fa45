// SPDX-License-Identifier: Apache-2.0
/* What holds for all jobs of a kind: one row each. A new kind is a row here, a label in
 * proto/jobs.h and its work in jobs/kinds. */
#ifndef JOBS_RULES_POLICY_H
#define JOBS_RULES_POLICY_H

#include "proto/jobs.h"

struct job_policy {
    const char *topic;
    int64_t timeout_ms;         /* of one attempt */
    int64_t attempts_max;       /* then it is dead */
    int64_t backoff_ms, cap_ms; /* between attempts */
    unsigned at_once;           /* in one worker; 0: as many as it does at all */
    bool interruptible;         /* a stopping worker gives it back instead of waiting */
    const char *content_type;   /* of what it leaves; NULL: nothing */
    const char *filename;
};

enum { JOB_KINDS = 2, JOB_CRASHES_MAX = 3 };

/* NULL for a kind of a newer release. */
const struct job_policy *job_policy(enum job_kind kind);
/* By kind, NULL-terminated. */
extern const char *const job_topics[];
/* The kind that a topic carries; false when none does. */
bool job_topic_kind(struct str topic, enum job_kind *kind);

#endif
