// SPDX-License-Identifier: Apache-2.0
/*
 * The ledger as its users see it: asking for jobs and looking at them. Each operation has
 * two halves: store_x() starts its one statement as a required wait of the flow,
 * store_x_read() reads the answer in the step after flow_await(). What is read lives as
 * long as the flow.
 */
#ifndef JOBS_STORE_JOBS_H
#define JOBS_STORE_JOBS_H

#include "kit/cursor/page.h"
#include "kit/flow/flow.h"
#include "kit/idempotency/idempotency.h"
#include "proto/jobs.h"

struct job_new {
    struct uuid id;
    enum job_kind kind;
    struct str payload; /* msgpack, must live as long as the flow */
    struct uuid owner;  /* nil: nobody's */
};
struct idempotency *store_job_insert(struct flow *f, const struct job_new *job);
void store_job_insert_read(struct flow *f, const struct idempotency *k, struct job *out);
/* An event that was seen before changes nothing. */
struct pg_query *store_job_insert_from_event(struct flow *f, struct uuid event,
                                             const struct job_new *job);

/* A job, and whose it is (nil: nobody's). */
struct pg_query *store_job_get(struct flow *f, struct uuid id);
bool store_job_get_read(struct flow *f, const struct pg_query *q, struct job *out,
                        struct uuid *owner);

/* NULL filters let all through. */
struct pg_query *store_job_list(struct flow *f, struct uuid owner,
                                const enum job_state *state, const enum job_kind *kind,
                                const struct page *page);
void store_job_list_read(struct flow *f, const struct pg_query *q,
                         const struct page *page, struct job_page *out);

struct job_part {
    enum job_kind kind;
    enum job_state state;
    struct uuid owner;
    bool there; /* the job has this part */
    struct str bytes;
    bool more;
};
struct pg_query *store_job_result(struct flow *f, struct uuid id, int64_t chunk);
/* false: there is no such job. */
bool store_job_result_read(const struct pg_query *q, struct job_part *out);

/* Tells this process's dispatcher that a job was committed. */
void store_job_queued(const struct flow *f);

#endif
