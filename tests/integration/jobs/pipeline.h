// SPDX-License-Identifier: Apache-2.0
/*
 * The whole jobs service in one loop: events in, ledger, Kafka, worker, mail out; on a
 * Kafka and an SMTP sink of its own, which a test may stop.
 */
#ifndef TESTS_INTEGRATION_JOBS_PIPELINE_H
#define TESTS_INTEGRATION_JOBS_PIPELINE_H

#include "jobs/run/worker.h"
#include "jobs/store/env.h"
#include "peers.h"
#include "proto/jobs.h"
#include "tests/support/database/database.h"
#include "tests/support/live/live.h"

#define PIPELINE_SERVERS "test-jobs"

extern struct database db;
extern struct loop *loop;
extern struct jobs_env env;
extern struct worker *worker;
extern const char *address; /* of the user, unique to the test */

void pipeline_begin(void);
/* With leases of 2 s, for those who wait for the end of one. */
void pipeline_begin_short(void);
void pipeline_end(void);

void pipeline_worker_start(void);
void pipeline_worker_stop(void);

/* An event on the events topic; its id is the key too. */
void pipeline_event(struct uuid event, const char *type, struct str body);
void pipeline_registered(struct uuid event, struct uuid user);
void pipeline_placed(struct uuid event, struct uuid user, struct uuid order);
/* A report straight into the ledger. */
struct uuid pipeline_report(void);

/* Waits until as many jobs are in this state. */
void pipeline_wait(long n, const char *state);
/* Waits until the query's number is n. */
void pipeline_wait_number(long n, const char *sql);
long pipeline_mails(const char *word);

#endif
