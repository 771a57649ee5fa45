// SPDX-License-Identifier: Apache-2.0
/* The api role's objects: hop server, event intake, dispatcher, upkeep. */
#include "jobs/api/handlers.h"
#include "jobs/relay/dispatcher.h"
#include "jobs/relay/intake.h"
#include "jobs/relay/upkeep.h"
#include "kit/idempotency/idempotency.h"
#include "kit/rpc/server.h"
#include "proto/events.h"
#include "roles.h"

enum { POLL_MS = 200, REAP_MS = 1000, PRODUCER_END_MS = 2000 };

static struct rpc_server *server;
static struct kafka_producer *producer;
static struct dispatcher *dispatcher;
static struct event_intake *intake;
static struct upkeep *upkeep;
static struct idempotency_sweeper *sweeper;

const struct err *api_role_start(struct arena *a, const struct jobs_conf *c)
{
    const struct rpc_server_conf conf = {
        .service = "jobs",
        .zone = c->zone,
        .url = c->listen,
        .handlers = jobs_handlers,
        .max_in_flight = (unsigned)c->max_in_flight,
    };

    return rpc_server_create(a, &conf, &server);
}

static bool kafka_is_up(void *arg)
{
    (void)arg;
    return kafka_producer_up(producer) && event_intake_up(intake);
}

static const struct err *start_relay(struct arena *a, struct svc *s, struct loop *l,
                                     struct jobs_env *env)
{
    const struct jobs_conf *c = svc_conf(s);
    const struct kafka_conf kafka = {c->kafka, "viaduct-jobs"};
    const struct dispatcher_conf dispatch = {.poll_ms = POLL_MS, .again_ms = c->again_ms};
    const struct event_intake_conf events = {
        .brokers = c->kafka,
        .group = "viaduct-jobs",
        .topic = EVENTS_TOPIC,
    };
    const struct upkeep_conf keep = {
        .lease_ms = c->lease_ms,
        .every_ms = REAP_MS,
        .keep_ms = c->keep_ms,
    };
    const struct err *err = kafka_producer_create(a, l, &kafka, &producer);

    if (!err)
        err = event_intake_create(a, l, &events, env, &intake);
    if (err)
        return err;
    dispatcher = dispatcher_create(l, &dispatch, env, producer);
    env->queued = dispatcher_nudge;
    env->queued_arg = dispatcher;
    upkeep = upkeep_create(l, &keep, env);
    sweeper = idempotency_sweeper_create(l, env->pg);
    svc_dependency(s, "kafka", kafka_is_up, NULL);
    return NULL;
}

const struct err *api_role_loop_start(struct arena *a, struct svc *s, struct loop *l,
                                      unsigned index, struct jobs_env *env)
{
    const struct err *err = index == 0 ? start_relay(a, s, l, env) : NULL;

    if (!err)
        rpc_server_join(server, l, env);
    return err;
}

void api_role_drain(void)
{
    rpc_server_drain(server);
}

bool api_role_idle(void)
{
    return rpc_server_in_flight(server) == 0;
}

void api_role_loop_stop(struct loop *l, unsigned index)
{
    rpc_server_leave(server, l);
    if (index)
        return;
    event_intake_destroy(intake);
    upkeep_destroy(upkeep);
    idempotency_sweeper_destroy(sweeper);
    dispatcher_destroy(dispatcher);
    kafka_producer_destroy(producer, PRODUCER_END_MS);
}

void api_role_stop(void)
{
    rpc_server_destroy(server);
}
