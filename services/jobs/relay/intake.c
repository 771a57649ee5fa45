// SPDX-License-Identifier: Apache-2.0
/* The consumer of viaduct.events. */
#include "jobs/relay/intake.h"

#include "jobs/rules/from_event.h"
#include "jobs/store/env.h"
#include "jobs/store/jobs.h"
#include "kit/base/mem.h"
#include "kit/kafka/kafka.h"
#include "kit/obs/metrics.h"
#include "kit/obs/trace.h"

#include <stdlib.h>

enum { OPEN_MAX = 256, INSERT_MS = 10000, PARTITIONS = 8, END_MS = 2000 };

struct event_intake {
    struct loop *loop;
    const struct jobs_env *env;
    struct kafka_consumer *consumer;
    struct list open; /* struct event_work */
    struct metric *jobs, *ignored, *malformed, *delayed;
};

/* One event on its way into the ledger. */
struct event_work {
    struct list link;
    struct event_intake *intake;
    struct kafka_message *message;
    struct flow *flow;
};

/* ---- an event's way -------------------------------------------------------------- */

static enum step job_inserted(struct flow *f)
{
    const struct event_work *w = f->owner;

    metric_add(w->intake->jobs, 1);
    store_job_queued(f);
    return flow_done(f);
}

static enum step pass_over(struct flow *f, enum event_use use, struct str type)
{
    const struct event_work *w = f->owner;

    metric_add(use == EVENT_MALFORMED ? w->intake->malformed : w->intake->ignored, 1);
    if (use == EVENT_MALFORMED)
        LOG_ERROR(&f->log, "jobs.event_malformed", KV("type", type),
                  KV("partition", w->message->partition),
                  KV("offset", w->message->offset));
    return flow_done(f);
}

static enum step take_event(struct flow *f)
{
    struct event_work *w = f->owner;
    struct str type = kafka_message_header(w->message, "type");
    struct uuid event;
    struct job_new job = {.id = uuid_new()};
    enum event_use use = job_of_event(&f->arena, type, w->message->value, &job);

    if (use == EVENT_MAKES_JOB &&
        !uuid_parse(kafka_message_header(w->message, "id"), &event))
        use = EVENT_MALFORMED;
    if (use != EVENT_MAKES_JOB)
        return pass_over(f, use, type);
    (void)store_job_insert_from_event(f, event, &job);
    return flow_await(f, job_inserted);
}

static void event_over(struct flow *f, const struct err *err)
{
    struct event_work *w = f->owner;

    list_remove(&w->link);
    if (err) {
        metric_add(w->intake->delayed, 1);
        kafka_drop(w->message);
    } else {
        kafka_done(w->message);
    }
    free(w);
}

/* ---- messages -------------------------------------------------------------------- */

static void event_came(void *arg, struct kafka_message *m)
{
    struct event_intake *in = arg;
    struct event_work *w = MEM_NEW(struct event_work);

    w->intake = in;
    w->message = m;
    list_init(&w->link);
    list_push(&in->open, &w->link);
    w->flow = flow_create(in->loop, INSERT_MS, event_over, w);
    w->flow->env = in->env;
    trace_continue(&w->flow->trace, kafka_message_header(m, "traceparent"));
    flow_start(w->flow, take_event);
}

bool event_intake_up(const struct event_intake *in)
{
    return kafka_consumer_up(in->consumer);
}

static void find_metrics(struct event_intake *in)
{
    const char *name = "viaduct_jobs_events_total";
    const char *help = "Events that made a job, were ignored, malformed, or put off";

    in->jobs = metrics_counter(name, help, "outcome", "job", NULL);
    in->ignored = metrics_counter(name, help, "outcome", "ignored", NULL);
    in->malformed = metrics_counter(name, help, "outcome", "malformed", NULL);
    in->delayed = metrics_counter(name, help, "outcome", "delayed", NULL);
}

const struct err *event_intake_create(struct arena *a, struct loop *l,
                                      const struct event_intake_conf *conf,
                                      const struct jobs_env *env,
                                      struct event_intake **out)
{
    struct event_intake *in = MEM_NEW(struct event_intake);
    const char *const topics[] = {conf->topic, NULL};
    const struct kafka_consumer_conf consumer = {
        .base = {conf->brokers, "viaduct-jobs"},
        .group = conf->group,
        .topics = topics,
        .partitions = PARTITIONS,
        .max_open = OPEN_MAX,
        .message = event_came,
        .arg = in,
    };
    const struct err *err;

    in->loop = l;
    in->env = env;
    list_init(&in->open);
    find_metrics(in);
    err = kafka_consumer_create(a, l, &consumer, &in->consumer);
    if (err) {
        free(in);
        return err;
    }
    *out = in;
    return NULL;
}

void event_intake_destroy(struct event_intake *in)
{
    if (!in)
        return;
    while (!list_empty(&in->open))
        flow_cancel(CONTAINER_OF(in->open.next, struct event_work, link)->flow,
                    ERR_STATIC(CANCELLED));
    kafka_consumer_destroy(in->consumer, END_MS);
    free(in);
}
