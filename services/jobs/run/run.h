// SPDX-License-Identifier: Apache-2.0
/* The inside of the worker (private to jobs/run): a job under way, and who moves it. */
#ifndef JOBS_RUN_RUN_H
#define JOBS_RUN_RUN_H

#include "jobs/kinds/kind.h"
#include "jobs/rules/policy.h"
#include "jobs/run/worker.h"
#include "jobs/store/ledger.h"
#include "kit/kafka/kafka.h"

struct metric;

/*  CLAIMING -> WORKING -> SETTLING -> gone
 *     |           ^
 *     +-> SUSPECT -> BEGINNING            (waits until it is alone) */
enum run_state { RUN_CLAIMING, RUN_SUSPECT, RUN_BEGINNING, RUN_WORKING, RUN_SETTLING };

struct job_run {
    struct list link; /* worker.runs */
    struct worker *worker;
    enum run_state state;
    enum job_kind kind;
    struct kafka_message *message; /* until the claim is answered */
    struct arena arena;
    struct flow *flow; /* of the state; NULL while it waits */
    struct job_task task;
    struct job_claim claim;
    struct job_progress progress;
    int64_t claimed_us;      /* monotonic */
    struct loop_timer lease; /* fires when the lease cannot be trusted any more */
    bool beaten;             /* in the heartbeat that is on its way */
    bool lost;               /* somebody else has it: nothing is written any more */
    bool interrupted;        /* by us: to be given back */
    bool succeeded;
    struct job_settlement settlement;
    unsigned failures; /* of writing the outcome */
    struct loop_timer retry;
};

/* Messages of one kind that wait for a place. */
struct lane {
    struct worker *worker;
    enum job_kind kind;
    struct kafka_consumer *consumer;
    struct list waiting; /* struct waiting_job */
    unsigned running;
    struct metric *succeeded, *dead, *retried, *parked, *released, *lost, *stale;
    struct metric *duration, *delay;
};

struct waiting_job {
    struct list link;
    struct kafka_message *message;
    struct uuid id;
};

struct worker {
    struct loop *loop;
    struct worker_conf conf;
    const struct jobs_env *env;
    struct lane lanes[JOB_KINDS];
    unsigned next_lane;
    struct list runs;
    unsigned n_runs, n_suspects; /* suspects that wait */
    bool draining, over;
    struct loop_timer beat;
    struct flow *beat_flow;
};

/* run.c */
void run_start(struct worker *w, struct lane *lane, const struct waiting_job *job);
/* A suspect whose turn has come. */
void run_begin_alone(struct job_run *r);
/* The job is given back, whatever it is doing; not while its outcome is being written. */
void run_interrupt(struct job_run *r);
/* Somebody else has the job. */
void run_lose(struct job_run *r);
void run_free(struct job_run *r);

/* settle.c: writes the outcome until the ledger has answered, then frees r. */
void run_settle(struct job_run *r);
void run_settle_again(struct loop_timer *retry);

/* heartbeat.c */
void heartbeat_init(struct worker *w);
void heartbeat_fini(struct worker *w);
/* Trusts the lease that was asked for at sent_us. */
void heartbeat_trust(struct job_run *r, int64_t sent_us);

/* worker.c: a place is free, or a suspect waits. */
void worker_pump(struct worker *w);

#endif
