// SPDX-License-Identifier: Apache-2.0
/*
 * A round: take due rows, send each, wait for the reports, give back the rows that were
 * not delivered, rest.
 */
#include "jobs/relay/dispatcher.h"

#include "jobs/rules/payloads.h"
#include "jobs/rules/policy.h"
#include "jobs/store/env.h"
#include "jobs/store/ledger.h"
#include "kit/base/mem.h"
#include "kit/guard/backoff.h"
#include "kit/obs/metrics.h"

#include <stdlib.h>

enum { BATCH = 500, STATEMENT_MS = 10000, RETRY_MS = 200, RETRY_MAX_MS = 5000 };

enum dispatcher_state {
    DISPATCHER_RESTING,
    DISPATCHER_TAKING,      /* the statement that takes rows */
    DISPATCHER_SENDING,     /* reports are to come */
    DISPATCHER_GIVING_BACK, /* the statement for those not delivered */
    DISPATCHER_OVER,
};

struct dispatch_batch;

struct dispatcher {
    struct loop *loop;
    struct dispatcher_conf conf;
    const struct jobs_env *env;
    struct kafka_producer *producer;
    enum dispatcher_state state;
    bool nudged, more;
    unsigned failures;
    struct loop_timer timer;
    struct flow *flow;
    struct dispatch_batch *batch;
    struct metric *sent, *failed;
};

struct dispatch_row {
    struct dispatch_batch *batch;
    struct uuid id;
};

/* Outlives the dispatcher when reports are still to come. */
struct dispatch_batch {
    struct dispatcher *dispatcher; /* NULL: gone */
    unsigned n, open, n_failed;
    bool sealed;
    struct dispatch_row rows[BATCH];
    struct uuid failed[BATCH];
};

/* ---- resting --------------------------------------------------------------------- */

static void rest(struct dispatcher *d)
{
    bool again = (d->more || d->nudged) && !d->failures;

    d->state = DISPATCHER_RESTING;
    loop_timer_set(&d->timer, again ? 0
                              : d->failures
                                  ? backoff_ms(RETRY_MS, RETRY_MAX_MS, d->failures - 1)
                                  : d->conf.poll_ms);
}

static enum step statement_done(struct flow *f)
{
    return flow_done(f);
}

static struct flow *statement_flow(struct dispatcher *d,
                                   void (*end)(struct flow *f, const struct err *err))
{
    d->flow = flow_create(d->loop, STATEMENT_MS, end, d);
    d->flow->env = d->env;
    return d->flow;
}

/* ---- giving back ----------------------------------------------------------------- */

static enum step give_back(struct flow *f)
{
    const struct dispatcher *d = f->owner;

    (void)store_jobs_not_dispatched(f, d->batch->failed, d->batch->n_failed);
    return flow_await(f, statement_done);
}

/* When it fails too, the rows are sent again after again_ms. */
static void gave_back(struct flow *f, const struct err *err)
{
    struct dispatcher *d = f->owner;

    (void)err;
    if (d->state == DISPATCHER_OVER)
        return;
    d->flow = NULL;
    free(d->batch);
    d->batch = NULL;
    d->failures++;
    rest(d);
}

static void batch_settled(struct dispatcher *d)
{
    struct dispatch_batch *b = d->batch;

    metric_add(d->sent, b->n - b->n_failed);
    metric_add(d->failed, b->n_failed);
    if (b->n_failed) {
        d->state = DISPATCHER_GIVING_BACK;
        flow_start(statement_flow(d, gave_back), give_back);
        return;
    }
    free(b);
    d->batch = NULL;
    d->failures = 0;
    rest(d);
}

/* ---- sending --------------------------------------------------------------------- */

static void settle(struct dispatch_batch *b)
{
    if (b->open || !b->sealed)
        return;
    if (b->dispatcher)
        batch_settled(b->dispatcher);
    else
        free(b);
}

static void reported(void *arg, bool ok)
{
    struct dispatch_row *row = arg;
    struct dispatch_batch *b = row->batch;

    if (!ok)
        b->failed[b->n_failed++] = row->id;
    b->open--;
    settle(b);
}

static bool produce(struct dispatcher *d, const struct job_policy *policy,
                    const struct job_due *due, struct dispatch_row *row, struct arena *a)
{
    const struct kafka_header headers[] = {{STR("traceparent"), due->traceparent}};
    struct job_ready ready = {0};
    char key[UUID_TEXT_LEN];

    uuid_format(due->id, key);
    WIRE_SET(&ready, id, due->id);
    return kafka_produce(d->producer, policy->topic, (struct str){key, sizeof key},
                         payload_pack(a, &job_ready_msg, &ready), headers,
                         due->traceparent.p ? 1 : 0, reported, row);
}

static void send_row(struct dispatcher *d, const struct job_due *due, struct arena *a)
{
    const struct job_policy *policy = job_policy(due->kind);
    struct dispatch_batch *b = d->batch;
    struct dispatch_row *row = &b->rows[b->n];

    if (!policy)
        return; /* of a newer release, whose dispatcher sends it */
    *row = (struct dispatch_row){b, due->id};
    b->n++;
    b->open++;
    if (!produce(d, policy, due, row, a))
        reported(row, false);
}

static void send_rows(struct flow *f, struct dispatcher *d)
{
    const struct pg_query *q = f->state;
    unsigned n = store_jobs_to_dispatch_count(q);

    d->state = DISPATCHER_SENDING;
    d->more = n == BATCH;
    d->batch = MEM_NEW(struct dispatch_batch);
    d->batch->dispatcher = d;
    for (unsigned i = 0; i < n; i++) {
        struct job_due due = store_jobs_to_dispatch_read(q, i);

        send_row(d, &due, &f->arena);
    }
    d->batch->sealed = true;
    settle(d->batch);
}

/* ---- taking ---------------------------------------------------------------------- */

static enum step take_rows(struct flow *f)
{
    const struct dispatcher *d = f->owner;

    f->state = store_jobs_to_dispatch(f, d->conf.again_ms, BATCH);
    return flow_await(f, statement_done);
}

static void took_rows(struct flow *f, const struct err *err)
{
    struct dispatcher *d = f->owner;

    if (d->state == DISPATCHER_OVER)
        return;
    d->flow = NULL;
    if (err) {
        LOG_WARN(NULL, "jobs.dispatch_delayed", KV("error", err->code->name));
        d->failures++;
        rest(d);
        return;
    }
    send_rows(f, d);
}

static void rested(struct loop_timer *t)
{
    struct dispatcher *d = CONTAINER_OF(t, struct dispatcher, timer);

    d->nudged = false;
    d->state = DISPATCHER_TAKING;
    flow_start(statement_flow(d, took_rows), take_rows);
}

void dispatcher_nudge(void *dispatcher)
{
    struct dispatcher *d = dispatcher;

    d->nudged = true;
    if (d->state == DISPATCHER_RESTING && !d->failures)
        loop_timer_set(&d->timer, 0);
}

/* ---- life ------------------------------------------------------------------------ */

struct dispatcher *dispatcher_create(struct loop *l, const struct dispatcher_conf *conf,
                                     const struct jobs_env *env,
                                     struct kafka_producer *producer)
{
    const char *name = "viaduct_jobs_dispatched_total";
    const char *help = "Messages that tell workers of a job";
    struct dispatcher *d = MEM_NEW(struct dispatcher);

    d->loop = l;
    d->conf = *conf;
    d->env = env;
    d->producer = producer;
    d->sent = metrics_counter(name, help, "outcome", "sent", NULL);
    d->failed = metrics_counter(name, help, "outcome", "failed", NULL);
    loop_timer_init(&d->timer, l, rested);
    loop_timer_set(&d->timer, 0);
    return d;
}

void dispatcher_destroy(struct dispatcher *d)
{
    if (!d)
        return;
    d->state = DISPATCHER_OVER;
    loop_timer_clear(&d->timer);
    if (d->flow)
        flow_cancel(d->flow, ERR_STATIC(CANCELLED));
    if (d->batch) {
        d->batch->dispatcher = NULL;
        d->batch->sealed = true;
        settle(d->batch);
    }
    free(d);
}
