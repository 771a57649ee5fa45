// SPDX-License-Identifier: Apache-2.0
/* The tables of proto/jobs.h as data. */
#include "proto/jobs.h"

WIRE_ENUM_DEFINE(job_state, JOB_STATE)
WIRE_ENUM_DEFINE(job_kind, JOB_KIND)
WIRE_DEFINE(job, JOB)
WIRE_DEFINE(report_create, REPORT_CREATE)
WIRE_DEFINE(job_query, JOB_QUERY)
WIRE_DEFINE(job_page, JOB_PAGE)
WIRE_DEFINE(job_result_query, JOB_RESULT_QUERY)
WIRE_DEFINE(job_result, JOB_RESULT)

#define JOBS_METHOD(...) RPC_METHOD_DEFINE("jobs", __VA_ARGS__)
JOBS_METHODS(JOBS_METHOD)
