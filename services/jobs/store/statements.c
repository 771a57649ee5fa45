// SPDX-License-Identifier: Apache-2.0
/* The list of statements. */
#include "jobs/store/statements.h"

#include "kit/idempotency/idempotency.h"
#include "sql.h"

const struct pg_stmt *const jobs_statements[] = {
    IDEMPOTENCY_STATEMENTS,
    &sql_job_append,
    &sql_job_begin,
    &sql_job_claim,
    &sql_job_get,
    &sql_job_insert,
    &sql_job_insert_from_event,
    &sql_job_keep,
    &sql_job_result,
    &sql_job_settle,
    &sql_job_succeed,
    &sql_jobs_heartbeat,
    &sql_jobs_not_dispatched,
    &sql_jobs_of_owner,
    &sql_jobs_reap,
    &sql_jobs_stats,
    &sql_jobs_sweep,
    &sql_jobs_to_dispatch,
    NULL,
};
