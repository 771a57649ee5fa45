// SPDX-License-Identifier: Apache-2.0
/*
 * What a kind of job does: the first step of its flow. The worker makes the flow with
 *   f->in      struct job_task
 *   f->out     struct job_progress, sent with the next heartbeat
 *   f->env     struct jobs_env
 *   f->caller  the service itself, no user
 * and reads the outcome from how it ends (jobs/rules/outcome.h). A job may run twice, so
 * what it does outside must be harmless twice: a mail carries the job's id as its
 * Message-ID.
 */
#ifndef JOBS_KINDS_KIND_H
#define JOBS_KINDS_KIND_H

#include "kit/flow/flow.h"
#include "proto/jobs.h"

struct job_task {
    struct uuid id;
    int64_t fence;
    struct str payload;
};

struct job_progress {
    int64_t percent;
};

/* NULL for a kind of a newer release. */
flow_step job_work(enum job_kind kind);

enum step email_work(struct flow *f);
enum step report_work(struct flow *f);

#endif
