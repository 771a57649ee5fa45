// SPDX-License-Identifier: Apache-2.0
/* What can be asked of the jobs service, as flows: f->in and f->out are the method's
 * messages. */
#ifndef JOBS_RULES_JOBS_H
#define JOBS_RULES_JOBS_H

#include "kit/flow/flow.h"
#include "proto/jobs.h"

enum step report_create(struct flow *f);  /* JOBS_CREATE_REPORT */
enum step job_get(struct flow *f);        /* JOBS_GET: one's own, or with jobs:read */
enum step job_list(struct flow *f);       /* JOBS_LIST: one's own */
enum step job_result_get(struct flow *f); /* JOBS_RESULT */

/* NULL when the period is sensible; names the bad field. */
MUST_CHECK const struct err *report_period_check(struct arena *a,
                                                 const struct report_create *in);

#endif
