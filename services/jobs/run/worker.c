// SPDX-License-Identifier: Apache-2.0
/* Lanes of waiting messages, places for jobs, draining, life. */
#include "jobs/run/worker.h"

#include "jobs/rules/payloads.h"
#include "jobs/run/run.h"
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/obs/metrics.h"

#include <stdlib.h>
#include <unistd.h>

enum { WAITING_MAX = 64, PARTITIONS = 8, END_MS = 2000 };

const char *worker_name(struct arena *a)
{
    char host[64] = "";

    (void)gethostname(host, sizeof host - 1);
    return arena_printf(a, "%s:%ld:%08x", host, (long)getpid(), random_u32()).p;
}

/* ---- places ---------------------------------------------------------------------- */

static bool has_place(const struct lane *lane)
{
    unsigned at_once = job_policy(lane->kind)->at_once;

    return !list_empty(&lane->waiting) && (!at_once || lane->running < at_once);
}

/* Lanes take turns, so that many mails do not keep a report waiting. */
static struct lane *next_lane(struct worker *w)
{
    for (unsigned i = 0; i < JOB_KINDS; i++) {
        struct lane *lane = &w->lanes[(w->next_lane + i) % JOB_KINDS];

        if (has_place(lane)) {
            w->next_lane = (w->next_lane + i + 1) % JOB_KINDS;
            return lane;
        }
    }
    return NULL;
}

static void start_next(struct worker *w, struct lane *lane)
{
    struct waiting_job *job =
        CONTAINER_OF(list_pop(&lane->waiting), struct waiting_job, link);

    run_start(w, lane, job);
    free(job);
}

static struct job_run *first_suspect(struct worker *w)
{
    LIST_EACH (link, &w->runs) {
        struct job_run *r = CONTAINER_OF(link, struct job_run, link);

        if (r->state == RUN_SUSPECT)
            return r;
    }
    return NULL;
}

void worker_pump(struct worker *w)
{
    struct lane *lane;

    if (w->draining || w->over)
        return;
    if (w->n_suspects) {
        if (w->n_runs == w->n_suspects)
            run_begin_alone(first_suspect(w));
        return;
    }
    while (!w->n_suspects && w->n_runs < w->conf.at_once && (lane = next_lane(w)))
        start_next(w, lane);
}

/* ---- messages -------------------------------------------------------------------- */

static void message_came(void *arg, struct kafka_message *m)
{
    struct lane *lane = arg;
    struct waiting_job *job;
    struct job_ready ready = {0};
    struct arena a;
    const struct err *err;

    arena_init(&a);
    err = wire_from_msgpack(&a, &job_ready_msg, m->value, &ready);
    arena_fini(&a);
    if (err) {
        LOG_ERROR(NULL, "jobs.message_malformed", KV("topic", m->topic),
                  KV("partition", m->partition), KV("offset", m->offset));
        kafka_done(m);
        return;
    }
    job = MEM_NEW(struct waiting_job);
    job->message = m;
    job->id = ready.id;
    list_init(&job->link);
    list_push(&lane->waiting, &job->link);
    worker_pump(lane->worker);
}

static void find_metrics(struct lane *lane)
{
    const char *kind = wire_enum_label(&job_kind_enum, lane->kind);
    const char *name = "viaduct_jobs_attempts_total";
    const char *help = "Attempts at jobs by how they ended";

#define ATTEMPTS(outcome) \
    metrics_counter(name, help, "kind", kind, "outcome", outcome, NULL)
    lane->succeeded = ATTEMPTS("succeeded");
    lane->dead = ATTEMPTS("dead");
    lane->retried = ATTEMPTS("retried");
    lane->parked = ATTEMPTS("parked");
    lane->released = ATTEMPTS("released");
    lane->lost = ATTEMPTS("lost");
    lane->stale = ATTEMPTS("stale");
#undef ATTEMPTS
    lane->duration = metrics_histogram("viaduct_job_duration_seconds",
                                       "From a claim to its outcome", "kind", kind, NULL);
    lane->delay =
        metrics_histogram("viaduct_job_delay_seconds",
                          "From when a job was due to its claim", "kind", kind, NULL);
}

static const struct err *open_lane(struct arena *a, struct worker *w, enum job_kind kind)
{
    struct lane *lane = &w->lanes[kind];
    const char *label = wire_enum_label(&job_kind_enum, kind);
    const char *const topics[] = {job_policy(kind)->topic, NULL};
    const struct kafka_consumer_conf conf = {
        .base = {w->conf.brokers, "viaduct-worker"},
        .group = arena_printf(a, "viaduct-worker-%s", label).p,
        .topics = topics,
        .partitions = PARTITIONS,
        .max_open = WAITING_MAX,
        .message = message_came,
        .arg = lane,
    };

    find_metrics(lane);
    return kafka_consumer_create(a, w->loop, &conf, &lane->consumer);
}

/* ---- life ------------------------------------------------------------------------ */

const struct err *worker_create(struct arena *a, struct loop *l,
                                const struct worker_conf *conf,
                                const struct jobs_env *env, struct worker **out)
{
    struct worker *w = MEM_NEW(struct worker);
    const struct err *err = NULL;

    w->loop = l;
    w->conf = *conf;
    w->conf.name = mem_strdup(conf->name);
    w->env = env;
    list_init(&w->runs);
    for (int kind = 0; kind < JOB_KINDS; kind++) {
        w->lanes[kind].worker = w;
        w->lanes[kind].kind = (enum job_kind)kind;
        list_init(&w->lanes[kind].waiting);
    }
    heartbeat_init(w);
    for (int kind = 0; !err && kind < JOB_KINDS; kind++)
        err = open_lane(a, w, (enum job_kind)kind);
    if (err) {
        worker_destroy(w);
        return err;
    }
    *out = w;
    return NULL;
}

static struct job_run *next_to_give_back(struct worker *w)
{
    LIST_EACH (link, &w->runs) {
        struct job_run *r = CONTAINER_OF(link, struct job_run, link);
        bool can = r->state == RUN_SUSPECT ||
                   (r->state == RUN_WORKING && job_policy(r->kind)->interruptible);

        if (can && !r->interrupted)
            return r;
    }
    return NULL;
}

void worker_drain(struct worker *w)
{
    struct job_run *r;

    w->draining = true;
    while ((r = next_to_give_back(w)))
        run_interrupt(r);
}

bool worker_idle(const struct worker *w)
{
    return w->n_runs == 0;
}

static void close_lane(struct lane *lane, int64_t until_us)
{
    int64_t left_ms = (until_us - clock_mono_us()) / 1000;
    struct list *link;

    while ((link = list_pop(&lane->waiting)))
        free(CONTAINER_OF(link, struct waiting_job,
                          link)); /* the consumer has the message */
    kafka_consumer_destroy(lane->consumer, left_ms > 0 ? (int)left_ms : 0);
}

static void cut_off(struct job_run *r)
{
    if (r->flow)
        flow_cancel(r->flow, ERR_STATIC(CANCELLED));
    run_free(r);
}

/* END_MS is for all lanes together: with the mailer's end, a loop has SVC_STUCK_MS. */
void worker_destroy(struct worker *w)
{
    int64_t until_us = clock_mono_us() + END_MS * 1000LL;

    if (!w)
        return;
    w->over = true;
    heartbeat_fini(w);
    while (!list_empty(&w->runs))
        cut_off(CONTAINER_OF(w->runs.next, struct job_run, link));
    for (int kind = 0; kind < JOB_KINDS; kind++)
        close_lane(&w->lanes[kind], until_us);
    free((void *)(uintptr_t)w->conf.name);
    free(w);
}

bool worker_kafka_up(const struct worker *w)
{
    for (int kind = 0; kind < JOB_KINDS; kind++)
        if (!kafka_consumer_up(w->lanes[kind].consumer))
            return false;
    return true;
}
