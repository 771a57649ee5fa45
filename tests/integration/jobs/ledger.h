// SPDX-License-Identifier: Apache-2.0
/* The ledger in a database of the test's own, asked by flows and waited for. */
#ifndef TESTS_INTEGRATION_JOBS_LEDGER_H
#define TESTS_INTEGRATION_JOBS_LEDGER_H

#include "jobs/store/env.h"
#include "jobs/store/jobs.h"
#include "jobs/store/ledger.h"
#include "tests/support/database/database.h"

enum { LEASE_MS = 10000 };

extern struct database db;
extern struct loop *loop;
extern struct jobs_env env;

void ledger_begin(void);
void ledger_end(void);

/* Runs the steps of `first` in a flow on env, waits for its end and gives its error.
 * `out` is a reply of m, or what the steps know when m is NULL. All of it lives as long
 * as db. */
const struct err *ledger_flow(flow_step first, const void *in, void *out,
                              const struct wire_msg *m, struct caller caller);

/* Each does one thing and waits for it. */
struct uuid ledger_add(enum job_kind kind); /* a queued job */
bool ledger_claim(struct uuid id, const char *worker, struct job_claim *out);
void ledger_begin_alone(struct uuid id, int64_t fence);
bool ledger_heartbeat(struct uuid id, int64_t fence); /* still ours? */
bool ledger_succeed(struct uuid id, int64_t fence);
bool ledger_settle(struct uuid id, int64_t fence, const struct job_settlement *s);
bool ledger_append(struct uuid id, int64_t fence, int64_t chunk, const char *bytes);
unsigned ledger_dispatch(int64_t again_ms, unsigned max); /* how many */
unsigned ledger_reap(void);
unsigned ledger_sweep(int64_t keep_ms);

/* The lease was over `ms` ago. */
void ledger_expire(struct uuid id, long ms);
/* A column of a job as text. */
const char *ledger_column(struct uuid id, const char *column);

#endif
