// SPDX-License-Identifier: Apache-2.0
/* Three chores, each a statement now and then. */
#include "jobs/relay/upkeep.h"

#include "jobs/rules/policy.h"
#include "jobs/store/env.h"
#include "jobs/store/ledger.h"
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/obs/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { STATEMENT_MS = 10000, SWEEP_MS = 60000, COUNT_MS = 5000, CHORES = 3 };

struct chore {
    struct upkeep *upkeep;
    struct loop_timer timer;
    struct flow *flow;
    int64_t every_ms;
    enum step (*first)(struct flow *f);
    void (*over)(struct upkeep *u, const struct pg_query *q, const struct err *err);
};

struct upkeep {
    struct loop *loop;
    struct upkeep_conf conf;
    const struct jobs_env *env;
    struct chore chores[CHORES];
    int64_t reap_from_us; /* leases are not looked at before */
    _Atomic int64_t oldest_us;
    struct metric *queued, *running, *dead, *age, *reaped, *quarantined;
};

static enum step chore_done(struct flow *f)
{
    return flow_done(f);
}

/* ---- reaping --------------------------------------------------------------------- */

static enum step reap(struct flow *f)
{
    const struct chore *c = f->owner;

    if (clock_mono_us() < c->upkeep->reap_from_us)
        return flow_done(f);
    f->state = store_jobs_reap(f, c->upkeep->conf.lease_ms, JOB_CRASHES_MAX);
    return flow_await(f, chore_done);
}

static void say_reaped(struct upkeep *u, const struct job_reaped *job)
{
    struct arena a;
    bool dead = job->state == JOB_DEAD;

    arena_init(&a);
    LOG_WARN(NULL, dead ? "jobs.quarantined" : "jobs.lease_over",
             KV("job_id", uuid_str(&a, job->id)),
             KV("kind", wire_enum_label(&job_kind_enum, job->kind)),
             KV("crashes", job->crashes));
    metric_add(dead ? u->quarantined : u->reaped, 1);
    arena_fini(&a);
}

static void reap_over(struct upkeep *u, const struct pg_query *q, const struct err *err)
{
    /* While the database was away no worker could keep its lease either: each gets the
     * time to say that it lives before it is taken for dead. */
    if (err)
        u->reap_from_us = clock_mono_us() + u->conf.lease_ms * 1000;
    if (err || !q)
        return;
    for (unsigned i = 0; i < store_jobs_reap_count(q); i++) {
        struct job_reaped job = store_jobs_reap_read(q, i);

        say_reaped(u, &job);
    }
    if (store_jobs_reap_count(q) && u->env->queued)
        u->env->queued(u->env->queued_arg);
}

/* ---- sweeping and counting ------------------------------------------------------- */

static enum step sweep(struct flow *f)
{
    const struct chore *c = f->owner;

    f->state = store_jobs_sweep(f, c->upkeep->conf.keep_ms);
    return flow_await(f, chore_done);
}

static void sweep_over(struct upkeep *u, const struct pg_query *q, const struct err *err)
{
    (void)u;
    (void)q;
    (void)err;
}

static enum step count(struct flow *f)
{
    f->state = store_jobs_stats(f);
    return flow_await(f, chore_done);
}

static void count_over(struct upkeep *u, const struct pg_query *q, const struct err *err)
{
    struct job_stats s;

    if (err)
        return;
    s = store_jobs_stats_read(q);
    metric_set(u->queued, s.queued);
    metric_set(u->running, s.running);
    metric_set(u->dead, s.dead);
    atomic_store(&u->oldest_us, s.oldest_us);
}

/* The thread that renders metrics asks, so that the age grows while the ledger is away.
 */
static void collect_age(void *arg)
{
    struct upkeep *u = arg;
    int64_t oldest_us = atomic_load(&u->oldest_us);
    int64_t age_us = oldest_us ? clock_wall_us() - oldest_us : 0;

    metric_set_double(u->age, age_us > 0 ? (double)age_us / 1e6 : 0);
}

/* ---- chores ---------------------------------------------------------------------- */

static void chore_over(struct flow *f, const struct err *err)
{
    struct chore *c = f->owner;

    if (!c->flow)
        return; /* upkeep is going */
    c->flow = NULL;
    c->over(c->upkeep, f->state, err);
    loop_timer_set(&c->timer, c->every_ms);
}

static void chore_due(struct loop_timer *t)
{
    struct chore *c = CONTAINER_OF(t, struct chore, timer);

    c->flow = flow_create(c->upkeep->loop, STATEMENT_MS, chore_over, c);
    c->flow->env = c->upkeep->env;
    flow_start(c->flow, c->first);
}

static void find_metrics(struct upkeep *u)
{
    const char *name = "viaduct_jobs",
               *help = "Jobs in the ledger, counted up to ten thousand";
    const char *over = "viaduct_jobs_leases_over_total";
    const char *over_help = "Leases that ran out, by what became of the job";

    u->queued = metrics_gauge(name, help, "state", "queued", NULL);
    u->running = metrics_gauge(name, help, "state", "running", NULL);
    u->dead = metrics_gauge(name, help, "state", "dead", NULL);
    u->age = metrics_gauge("viaduct_jobs_oldest_age_seconds",
                           "How long the oldest queued job has been due", NULL);
    u->reaped = metrics_counter(over, over_help, "outcome", "queued", NULL);
    u->quarantined = metrics_counter(over, over_help, "outcome", "quarantined", NULL);
}

struct upkeep *upkeep_create(struct loop *l, const struct upkeep_conf *conf,
                             const struct jobs_env *env)
{
    struct upkeep *u = MEM_NEW(struct upkeep);
    const struct chore chores[CHORES] = {
        {.every_ms = conf->every_ms, .first = reap, .over = reap_over},
        {.every_ms = SWEEP_MS, .first = sweep, .over = sweep_over},
        {.every_ms = COUNT_MS, .first = count, .over = count_over},
    };

    u->loop = l;
    u->conf = *conf;
    u->env = env;
    find_metrics(u);
    metrics_collect(collect_age, u);
    for (int i = 0; i < CHORES; i++) {
        struct chore *c = &u->chores[i];

        *c = chores[i];
        c->upkeep = u;
        loop_timer_init(&c->timer, l, chore_due);
        loop_timer_set(&c->timer, c->every_ms < COUNT_MS ? c->every_ms : 0);
    }
    return u;
}

void upkeep_destroy(struct upkeep *u)
{
    if (!u)
        return;
    metrics_uncollect(collect_age, u);
    for (int i = 0; i < CHORES; i++) {
        struct flow *f = u->chores[i].flow;

        loop_timer_clear(&u->chores[i].timer);
        u->chores[i].flow = NULL;
        if (f)
            flow_cancel(f, ERR_STATIC(CANCELLED));
    }
    free(u);
}
