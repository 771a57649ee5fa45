// SPDX-License-Identifier: Apache-2.0
/* The worker role's objects: calls to the other services, SMTP, the worker. */
#include "jobs/kinds/mailer.h"
#include "jobs/run/worker.h"
#include "kit/rpc/client.h"
#include "proto/errors.h"
#include "roles.h"

static struct worker *worker;

static bool kafka_is_up(void *arg)
{
    return worker_kafka_up(arg);
}

static bool smtp_is_up(void *arg)
{
    return mailer_up(arg);
}

static const struct err *connect_services(struct arena *a, struct loop *l,
                                          const struct jobs_conf *c, struct jobs_env *env)
{
    const struct rpc_client_conf conf = {
        .self = "jobs", .codes = ERR_CODES, .zone = c->zone};
    const struct err *err;

    env->rpc = rpc_client_create(l, &conf);
    err = rpc_client_add(env->rpc, a, "users", c->users);
    return err ? err : rpc_client_add(env->rpc, a, "orders", c->orders);
}

const struct err *worker_role_start(struct arena *a, struct svc *s, struct loop *l,
                                    struct jobs_env *env)
{
    const struct jobs_conf *c = svc_conf(s);
    const struct worker_conf conf = {
        .brokers = c->kafka,
        .name = worker_name(a),
        .lease_ms = c->lease_ms,
        .heartbeat_ms = c->heartbeat_ms,
        .at_once = (unsigned)c->at_once,
    };
    const struct err *err = connect_services(a, l, c, env);

    if (err)
        return err;
    env->mailer = mailer_create(&(struct mailer_conf){.url = c->smtp});
    env->mail_from = str_of(c->mail_from);
    err = worker_create(a, l, &conf, env, &worker);
    if (err)
        return err;
    svc_dependency(s, "kafka-worker", kafka_is_up, worker);
    svc_dependency(s, "smtp", smtp_is_up, env->mailer);
    return NULL;
}

void worker_role_drain(void)
{
    worker_drain(worker);
}

bool worker_role_idle(void)
{
    return worker_idle(worker);
}

void worker_role_stop(struct jobs_env *env)
{
    worker_destroy(worker);
    mailer_destroy(env->mailer);
    rpc_client_destroy(env->rpc);
}
