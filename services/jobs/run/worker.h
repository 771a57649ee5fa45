// SPDX-License-Identifier: Apache-2.0
/*
 * Does jobs. A message says that a job is due; claiming it in the ledger (compare and
 * set) makes it ours under a lease with a fencing token, and the message is done: from
 * then on the ledger alone knows. Heartbeats keep the lease; a worker that cannot prove
 * its lease any more stops the work. The outcome is written under the fence, again and
 * again until the ledger answers.
 *
 * A job that a worker died with (a suspect) runs alone, so that if it kills this one too,
 * no other job gets the blame.
 */
#ifndef JOBS_RUN_WORKER_H
#define JOBS_RUN_WORKER_H

#include "kit/base/err.h"
#include "kit/loop/loop.h"

struct worker;
struct jobs_env;

struct worker_conf {
    const char *brokers;
    const char *name; /* of this process, unique: leases carry it */
    int64_t lease_ms, heartbeat_ms;
    unsigned at_once; /* jobs */
};

/* "host:pid:random" in the arena. */
const char *worker_name(struct arena *a);

MUST_CHECK const struct err *worker_create(struct arena *a, struct loop *l,
                                           const struct worker_conf *conf,
                                           const struct jobs_env *env,
                                           struct worker **out);
/* Claims no more; long jobs are given back, short ones go on to their end. */
void worker_drain(struct worker *w);
/* Nothing is under way. */
bool worker_idle(const struct worker *w);
/* What is still under way is cut off; its leases run out. */
void worker_destroy(struct worker *w);
/* Any thread. */
bool worker_kafka_up(const struct worker *w);

#endif
