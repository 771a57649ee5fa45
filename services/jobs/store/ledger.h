// SPDX-License-Identifier: Apache-2.0
/*
 * The ledger as the machinery sees it: dispatching, claiming under a lease, heartbeats,
 * outcomes, reaping. The halves are as in jobs/store/jobs.h. Whoever writes for a claimed
 * job names its fence; when a later claim has a higher one, nothing is written.
 */
#ifndef JOBS_STORE_LEDGER_H
#define JOBS_STORE_LEDGER_H

#include "kit/flow/flow.h"
#include "proto/jobs.h"

struct pg_query;

/* ---- a worker's ------------------------------------------------------------------ */

struct job_claim {
    enum job_kind kind;
    struct str payload, traceparent;
    int64_t fence, attempts;
    bool suspect; /* a worker died with it: to be run alone, after store_job_begin() */
    int64_t created_at, run_at;
};
struct pg_query *store_job_claim(struct flow *f, struct uuid id, struct str worker,
                                 int64_t lease_ms);
/* false: it is not there to be claimed (any more, or not yet). */
bool store_job_claim_read(const struct pg_query *q, struct job_claim *out);

struct pg_query *store_job_begin(struct flow *f, struct uuid id, int64_t fence);

struct job_held {
    struct uuid id;
    int64_t fence, progress;
};
struct pg_query *store_jobs_heartbeat(struct flow *f, const struct job_held *held,
                                      size_t n, int64_t lease_ms);
/* Is this one still ours? */
bool store_jobs_heartbeat_read(const struct pg_query *q, struct uuid id, int64_t fence);

struct pg_query *store_job_succeed(struct flow *f, struct uuid id, int64_t fence);
struct job_settlement {
    enum job_state state; /* queued or dead */
    bool free;            /* this attempt does not count */
    int64_t delay_ms;
    struct str code, detail; /* absent: as before */
};
struct pg_query *store_job_settle(struct flow *f, struct uuid id, int64_t fence,
                                  const struct job_settlement *s);
/* Of both: false when the job was not ours any more. */
bool store_job_written(const struct pg_query *q);

/* A part of the result and the progress with it. */
struct pg_query *store_job_append(struct flow *f, struct uuid id, int64_t fence,
                                  int64_t chunk, struct str bytes, int64_t progress);
bool store_job_append_read(const struct pg_query *q);

/* ---- the dispatcher's and the reaper's ------------------------------------------- */

struct job_due {
    struct uuid id;
    enum job_kind kind;
    struct str traceparent;
};
struct pg_query *store_jobs_to_dispatch(struct flow *f, int64_t again_ms, unsigned max);
unsigned store_jobs_to_dispatch_count(const struct pg_query *q);
struct job_due store_jobs_to_dispatch_read(const struct pg_query *q, unsigned i);
struct pg_query *store_jobs_not_dispatched(struct flow *f, const struct uuid *ids,
                                           size_t n);

struct job_reaped {
    struct uuid id;
    enum job_kind kind;
    enum job_state state;
    int64_t crashes;
};
struct pg_query *store_jobs_reap(struct flow *f, int64_t lease_ms, int64_t crashes_max);
unsigned store_jobs_reap_count(const struct pg_query *q);
struct job_reaped store_jobs_reap_read(const struct pg_query *q, unsigned i);
struct pg_query *store_jobs_sweep(struct flow *f, int64_t keep_ms);

struct job_stats {
    int64_t queued, running, dead;
    int64_t oldest_us; /* since when the longest waiting one is due; 0: none waits */
};
struct pg_query *store_jobs_stats(struct flow *f);
struct job_stats store_jobs_stats_read(const struct pg_query *q);

#endif
