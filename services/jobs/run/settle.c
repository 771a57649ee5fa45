// SPDX-License-Identifier: Apache-2.0
/* Writing an outcome. Under the fence this may be tried for as long as it takes: when
 * somebody else has claimed the job since, nothing is written. */
#include "jobs/rules/outcome.h"
#include "jobs/run/run.h"
#include "jobs/store/env.h"
#include "kit/base/clock.h"
#include "kit/guard/backoff.h"
#include "kit/obs/metrics.h"
#include "kit/obs/trace.h"

enum { STATEMENT_MS = 10000, RETRY_MS = 200, RETRY_MAX_MS = 5000 };

static enum step written(struct flow *f)
{
    return flow_done(f);
}

static enum step write_step(struct flow *f)
{
    const struct job_run *r = f->owner;

    if (r->succeeded)
        f->state = store_job_succeed(f, r->task.id, r->task.fence);
    else
        f->state = store_job_settle(f, r->task.id, r->task.fence, &r->settlement);
    return flow_await(f, written);
}

static struct metric *outcome_metric(const struct job_run *r, bool ours)
{
    const struct lane *lane = &r->worker->lanes[r->kind];

    if (!ours)
        return lane->lost;
    if (r->succeeded)
        return lane->succeeded;
    if (r->settlement.state == JOB_DEAD)
        return lane->dead;
    if (!r->settlement.code.p)
        return lane->released;
    return r->settlement.free ? lane->parked : lane->retried;
}

static void write_ended(struct flow *f, const struct err *err)
{
    struct job_run *r = f->owner;

    r->flow = NULL;
    if (r->worker->over)
        return;
    if (err && !r->lost) {
        LOG_WARN(&f->log, "jobs.outcome_delayed", KV("error", err->code->name));
        loop_timer_set(&r->retry, backoff_ms(RETRY_MS, RETRY_MAX_MS, r->failures++));
        return;
    }
    metric_add(outcome_metric(r, !err && store_job_written(f->state)), 1);
    metric_observe_us(r->worker->lanes[r->kind].duration,
                      clock_mono_us() - r->claimed_us);
    run_free(r);
}

static void write_outcome(struct job_run *r)
{
    r->flow = flow_create(r->worker->loop, STATEMENT_MS, write_ended, r);
    r->flow->env = r->worker->env;
    trace_continue(&r->flow->trace, r->claim.traceparent);
    flow_start(r->flow, write_step);
}

void run_settle(struct job_run *r)
{
    r->state = RUN_SETTLING;
    write_outcome(r);
}

void run_settle_again(struct loop_timer *retry)
{
    write_outcome(CONTAINER_OF(retry, struct job_run, retry));
}
