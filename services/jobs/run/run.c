// SPDX-License-Identifier: Apache-2.0
/* A job's way through a worker, up to its outcome. */
#include "jobs/run/run.h"

#include "jobs/rules/errors.h"
#include "jobs/rules/outcome.h"
#include "jobs/store/env.h"
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/obs/metrics.h"
#include "kit/obs/trace.h"
#include "proto/roles.h"

#include <stdlib.h>

enum { STATEMENT_MS = 10000 };

static struct lane *lane_of(const struct job_run *r)
{
    return &r->worker->lanes[r->kind];
}

static enum step step_done(struct flow *f)
{
    return flow_done(f);
}

static void start_flow(struct job_run *r, int64_t timeout_ms, flow_step first,
                       void (*end)(struct flow *f, const struct err *err))
{
    r->flow = flow_create(r->worker->loop, timeout_ms, end, r);
    r->flow->env = r->worker->env;
    trace_continue(&r->flow->trace, r->claim.traceparent);
    flow_start(r->flow, first);
}

void run_free(struct job_run *r)
{
    struct worker *w = r->worker;

    list_remove(&r->link);
    loop_timer_clear(&r->lease);
    loop_timer_clear(&r->retry);
    w->n_runs--;
    w->n_suspects -= r->state == RUN_SUSPECT;
    lane_of(r)->running--;
    arena_fini(&r->arena);
    free(r);
    worker_pump(w);
}

/* ---- working --------------------------------------------------------------------- */

static void say_failure(const struct flow *f, const struct job_run *r,
                        const struct err *err)
{
    char id[UUID_TEXT_LEN];

    uuid_format(r->task.id, id);
    LOG_WARN(&f->log, "jobs.attempt_failed", KV("job_id", ((struct str){id, sizeof id})),
             KV("kind", wire_enum_label(&job_kind_enum, r->kind)),
             KV("code", err->code->name),
             KV("class", failure_class_name(failure_class(err))),
             KV("attempt", r->claim.attempts),
             KV("state", wire_enum_label(&job_state_enum, r->settlement.state)),
             KV("delay_ms", r->settlement.delay_ms));
}

static void judge(struct job_run *r, const struct flow *f, const struct err *err)
{
    r->succeeded = !err;
    if (r->interrupted || !err) {
        r->settlement = job_released();
        return;
    }
    r->settlement = job_failed(job_policy(r->kind), r->claim.attempts, err);
    r->settlement.code = arena_str(&r->arena, r->settlement.code);
    r->settlement.detail = arena_str(&r->arena, r->settlement.detail);
    say_failure(f, r, err);
}

static void work_ended(struct flow *f, const struct err *err)
{
    struct job_run *r = f->owner;

    r->flow = NULL;
    if (r->worker->over)
        return;
    if (r->lost || (err && err->code == &ERR_CODE_JOB_LEASE_LOST)) {
        metric_add(lane_of(r)->lost, 1);
        run_free(r);
        return;
    }
    judge(r, f, err);
    run_settle(r);
}

static void work(struct job_run *r)
{
    const struct worker *w = r->worker;
    struct flow *f = flow_create(w->loop, job_policy(r->kind)->timeout_ms, work_ended, r);

    r->state = RUN_WORKING;
    r->flow = f;
    f->env = w->env;
    f->in = &r->task;
    f->out = &r->progress;
    f->caller.roles = ROLE_SERVICE;
    trace_continue(&f->trace, r->claim.traceparent);
    flow_start(f, job_work(r->kind));
}

/* ---- a suspect's turn ------------------------------------------------------------ */

static enum step begin_step(struct flow *f)
{
    const struct job_run *r = f->owner;

    (void)store_job_begin(f, r->task.id, r->task.fence);
    return flow_await(f, step_done);
}

static void begin_ended(struct flow *f, const struct err *err)
{
    struct job_run *r = f->owner;

    r->flow = NULL;
    if (r->worker->over)
        return;
    if (r->lost) {
        run_free(r);
    } else if (err || r->interrupted) {
        r->settlement = job_released();
        run_settle(r);
    } else {
        work(r);
    }
}

void run_begin_alone(struct job_run *r)
{
    r->worker->n_suspects--;
    r->state = RUN_BEGINNING;
    start_flow(r, STATEMENT_MS, begin_step, begin_ended);
}

/* ---- claiming -------------------------------------------------------------------- */

static enum step claim_step(struct flow *f)
{
    struct job_run *r = f->owner;
    const struct worker_conf *conf = &r->worker->conf;

    r->claimed_us = clock_mono_us();
    f->state = store_job_claim(f, r->task.id, str_of(conf->name), conf->lease_ms);
    return flow_await(f, step_done);
}

static void keep_claim(struct job_run *r)
{
    struct lane *lane = lane_of(r);

    r->claim.payload = arena_str(&r->arena, r->claim.payload);
    r->claim.traceparent = arena_str(&r->arena, r->claim.traceparent);
    r->task.payload = r->claim.payload;
    r->task.fence = r->claim.fence;
    metric_observe_us(lane->delay, clock_wall_us() - r->claim.run_at);
    heartbeat_trust(r, r->claimed_us);
}

static void claimed(struct job_run *r)
{
    struct worker *w = r->worker;

    if (w->draining) {
        r->settlement = job_released();
        run_settle(r);
    } else if (r->claim.suspect) {
        r->state = RUN_SUSPECT;
        w->n_suspects++;
        worker_pump(w);
    } else {
        work(r);
    }
}

static void claim_ended(struct flow *f, const struct err *err)
{
    struct job_run *r = f->owner;
    struct kafka_message *message = r->message;

    r->flow = NULL;
    r->message = NULL;
    if (r->worker->over)
        return;
    if (err) { /* when it was claimed all the same, the lease runs out */
        kafka_drop(message);
        run_free(r);
        return;
    }
    kafka_done(message);
    if (!store_job_claim_read(f->state, &r->claim) || r->claim.kind != r->kind) {
        metric_add(lane_of(r)->stale, 1); /* done already, or somebody else's */
        run_free(r);
        return;
    }
    keep_claim(r);
    claimed(r);
}

static void lease_over(struct loop_timer *t)
{
    run_interrupt(CONTAINER_OF(t, struct job_run, lease));
}

void run_start(struct worker *w, struct lane *lane, const struct waiting_job *job)
{
    struct job_run *r = MEM_NEW(struct job_run);

    r->worker = w;
    r->kind = lane->kind;
    r->message = job->message;
    r->task.id = job->id;
    arena_init(&r->arena);
    list_init(&r->link);
    list_push(&w->runs, &r->link);
    loop_timer_init(&r->lease, w->loop, lease_over);
    loop_timer_init(&r->retry, w->loop, run_settle_again);
    w->n_runs++;
    lane->running++;
    start_flow(r, STATEMENT_MS, claim_step, claim_ended);
}

/* ---- from outside ---------------------------------------------------------------- */

void run_interrupt(struct job_run *r)
{
    if (r->state == RUN_SUSPECT) {
        r->worker->n_suspects--;
        r->settlement = job_released();
        run_settle(r);
    } else if (r->state == RUN_WORKING || r->state == RUN_BEGINNING) {
        r->interrupted = true;
        flow_cancel(r->flow, ERR_STATIC(JOB_INTERRUPTED));
    }
}

void run_lose(struct job_run *r)
{
    r->lost = true;
    if (r->flow)
        flow_cancel(r->flow, ERR_STATIC(JOB_LEASE_LOST)); /* its end frees r */
    else
        run_free(r);
}
