// SPDX-License-Identifier: Apache-2.0
/* Method -> first step. Decoding, validation and encoding are the method table's. */
#include "jobs/api/handlers.h"

#include "jobs/rules/jobs.h"

const struct rpc_handler jobs_handlers[] = {
    {&JOBS_CREATE_REPORT, report_create}, {&JOBS_GET, job_get}, {&JOBS_LIST, job_list},
    {&JOBS_RESULT, job_result_get},       {NULL, NULL},
};
