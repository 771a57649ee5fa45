// SPDX-License-Identifier: Apache-2.0
/* One statement keeps all leases of the worker. Each job's timer fires when its lease
 * cannot be trusted any more, whatever became of the heartbeats. */
#include "jobs/rules/lease.h"
#include "jobs/run/run.h"
#include "jobs/store/env.h"
#include "kit/base/clock.h"

void heartbeat_trust(struct job_run *r, int64_t sent_us)
{
    loop_timer_set_at(&r->lease,
                      lease_trusted_until_us(sent_us, r->worker->conf.lease_ms));
}

static struct job_run *run_of(struct list *link)
{
    return CONTAINER_OF(link, struct job_run, link);
}

/* ---- asking ---------------------------------------------------------------------- */

struct beat {
    int64_t sent_us;
    struct pg_query *query;
};

static enum step beat_over(struct flow *f)
{
    return flow_done(f);
}

static size_t collect_held(struct worker *w, struct job_held *held)
{
    size_t n = 0;

    LIST_EACH (link, &w->runs) {
        struct job_run *r = run_of(link);

        r->beaten = r->state != RUN_CLAIMING;
        if (r->beaten)
            held[n++] = (struct job_held){r->task.id, r->task.fence, r->progress.percent};
    }
    return n;
}

static enum step beat_step(struct flow *f)
{
    struct worker *w = f->owner;
    struct beat *b = ARENA_NEW(&f->arena, struct beat);
    struct job_held *held = ARENA_ARRAY(&f->arena, struct job_held, w->n_runs + 1);
    size_t n = collect_held(w, held);

    f->state = b;
    b->sent_us = clock_mono_us();
    if (!n)
        return flow_done(f);
    b->query = store_jobs_heartbeat(f, held, n, w->conf.lease_ms);
    return flow_await(f, beat_over);
}

/* ---- the answer ------------------------------------------------------------------ */

/* Losing one frees it, so the next is found anew each time. */
static struct job_run *next_lost(struct worker *w, const struct pg_query *q)
{
    LIST_EACH (link, &w->runs) {
        struct job_run *r = run_of(link);
        bool ours = !r->beaten || r->lost || r->state == RUN_SETTLING;

        if (!ours && !store_jobs_heartbeat_read(q, r->task.id, r->task.fence))
            return r;
    }
    return NULL;
}

static void read_answer(struct worker *w, const struct beat *b)
{
    struct job_run *r;

    while ((r = next_lost(w, b->query))) {
        LOG_WARN(NULL, "jobs.lease_lost",
                 KV("kind", wire_enum_label(&job_kind_enum, r->kind)));
        run_lose(r);
    }
    LIST_EACH (link, &w->runs) {
        r = run_of(link);
        if (r->beaten && !r->lost)
            heartbeat_trust(r, b->sent_us);
    }
}

static void beat_ended(struct flow *f, const struct err *err)
{
    struct worker *w = f->owner;
    const struct beat *b = f->state;

    w->beat_flow = NULL;
    if (w->over)
        return;
    if (err)
        LOG_WARN(NULL, "jobs.heartbeat_failed", KV("error", err->code->name));
    else if (b->query)
        read_answer(w, b);
    loop_timer_set(&w->beat, w->conf.heartbeat_ms);
}

static void beat_due(struct loop_timer *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, beat);

    w->beat_flow = flow_create(w->loop, w->conf.heartbeat_ms, beat_ended, w);
    w->beat_flow->env = w->env;
    flow_start(w->beat_flow, beat_step);
}

void heartbeat_init(struct worker *w)
{
    loop_timer_init(&w->beat, w->loop, beat_due);
    loop_timer_set(&w->beat, w->conf.heartbeat_ms);
}

void heartbeat_fini(struct worker *w)
{
    loop_timer_clear(&w->beat);
    if (w->beat_flow)
        flow_cancel(w->beat_flow, ERR_STATIC(CANCELLED));
}
