// SPDX-License-Identifier: Apache-2.0
/* What a job can fail with besides the errors of its calls; kept in the ledger, seen by
 * people who look at a job. */
#ifndef JOBS_RULES_ERRORS_H
#define JOBS_RULES_ERRORS_H

#include "kit/base/err.h"

#define JOB_ERRORS(E)                                                                    \
    E(JOB_BAD_PAYLOAD, "jobs.bad_payload", INTERNAL, "The job's payload cannot be read") \
    E(JOB_LEASE_LOST, "jobs.lease_lost", CANCELLED, "Another worker has the job")        \
    E(JOB_INTERRUPTED, "jobs.interrupted", CANCELLED, "The worker is stopping")          \
    E(SMTP_DOWN, "jobs.smtp_down", UNAVAILABLE, "The mail server cannot be reached")     \
    E(SMTP_DEFERRED, "jobs.smtp_deferred", UNAVAILABLE,                                  \
      "The mail server asked to try again later")                                        \
    E(SMTP_REFUSED, "jobs.smtp_refused", INVALID, "The mail server refused the mail")
JOB_ERRORS(ERR_DECLARE)

#endif
