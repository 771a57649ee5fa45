// SPDX-License-Identifier: Apache-2.0
/* What the jobs service says and hears: slow work, its state and its results. */
#ifndef PROTO_JOBS_H
#define PROTO_JOBS_H

#include "proto/common.h"

#define JOB_STATE(V)              \
    V(JOB_QUEUED, "queued")       \
    V(JOB_RUNNING, "running")     \
    V(JOB_SUCCEEDED, "succeeded") \
    V(JOB_DEAD, "dead")
WIRE_ENUM(job_state, JOB_STATE)

#define JOB_KIND(V)       \
    V(JOB_EMAIL, "email") \
    V(JOB_REPORT, "report")
WIRE_ENUM(job_kind, JOB_KIND)

#define JOB(F, T)                                                                        \
    F(T, uuid, id, REQUIRED, 0, 0, "its id")                                             \
    F(T, enum(job_kind), kind, REQUIRED, 0, 0, "what it does")                           \
    F(T, enum(job_state), state, REQUIRED, 0, 0, "where it stands")                      \
    F(T, i64, progress, REQUIRED, 0, 100, "per cent")                                    \
    F(T, i64, attempts, REQUIRED, 0, INT64_MAX, "how often it was tried")                \
    F(T, time, created_at, REQUIRED, 0, 0, "when it was asked for")                      \
    F(T, time, run_at, OPTIONAL, 0, 0, "not before this; in the future after a failure") \
    F(T, time, finished_at, OPTIONAL, 0, 0, "when it succeeded or died")                 \
    F(T, str, error_code, OPTIONAL, 0, 60, "of the last failure")                        \
    F(T, str, error_detail, OPTIONAL, 0, 500, "of the last failure")
WIRE_MESSAGE(job, JOB)

#define REPORT_CREATE(F, T)                                                   \
    F(T, time, from, REQUIRED, 0, 0, "orders placed at or after this moment") \
    F(T, time, to, REQUIRED, 0, 0, "and before this one")
WIRE_MESSAGE(report_create, REPORT_CREATE)

#define JOB_QUERY(F, T)                                               \
    PAGE_QUERY(F, T)                                                  \
    F(T, enum(job_state), filter_state, OPTIONAL, 0, 0, "only these") \
    F(T, enum(job_kind), filter_kind, OPTIONAL, 0, 0, "only these")
WIRE_MESSAGE(job_query, JOB_QUERY)
#define JOB_PAGE(F, T)                                                              \
    F(T, list(job), items, REQUIRED, 0, 100, "the caller's own jobs, newest first") \
    F(T, str, next_cursor, OPTIONAL, 0, 200,                                        \
      "where the next page starts; left out on the last")
WIRE_MESSAGE(job_page, JOB_PAGE)

/* A result leaves in chunks: ask for 0, 1, ... until `more` is false. */
#define JOB_RESULT_QUERY(F, T)                  \
    F(T, uuid, id, REQUIRED, 0, 0, "which job") \
    F(T, i64, chunk, REQUIRED, 0, 1000000, "which part")
WIRE_MESSAGE(job_result_query, JOB_RESULT_QUERY)
#define JOB_RESULT(F, T)                                                 \
    F(T, str, content_type, REQUIRED, 1, 100, "media type of the whole") \
    F(T, str, filename, REQUIRED, 1, 100, "suggested name")              \
    F(T, bytes, bytes, REQUIRED, 0, 262144, "this part")                 \
    F(T, flag, more, REQUIRED, 0, 0, "another part follows")
WIRE_MESSAGE(job_result, JOB_RESULT)

/*   number, symbol, name, in, out, idempotent, longest ms */
#define JOBS_METHODS(M)                                                                  \
    M(0x0301, JOBS_CREATE_REPORT, "jobs.create_report", report_create, job, false, 3000) \
    M(0x0302, JOBS_GET, "jobs.get", by_id, job, true, 2000)                              \
    M(0x0303, JOBS_LIST, "jobs.list", job_query, job_page, true, 3000)                   \
    M(0x0304, JOBS_RESULT, "jobs.result", job_result_query, job_result, true, 5000)
JOBS_METHODS(RPC_METHOD_DECLARE)

#endif
