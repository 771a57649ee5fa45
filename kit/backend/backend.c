// SPDX-License-Identifier: Apache-2.0
/* The common frame of services. */
#include "kit/backend/backend.h"

#include "kit/cache/redis.h"
#include "kit/kafka/kafka.h"
#include "kit/outbox/outbox.h"
#include "kit/rpc/client.h"

#include <stdio.h>

enum {
    PG_WAITING_MAX = 4096,
    REDIS_IN_FLIGHT_MAX = 4096,
    REDIS_TIMEOUT_MS = 200,
    RELAY_POLL_MS = 200,
    RELAY_BATCH = 500,
    RELAY_KEEP_MS = 24 * 3600 * 1000,
    PRODUCER_CLOSE_MS = 1000,
};

static struct rpc_server *server;

int backend_migrate(const char *name, const char *conninfo,
                    const struct pg_migration *list)
{
    const struct err *err;
    struct arena a;
    int applied = 0;

    arena_init(&a);
    err = pg_migrate(&a, conninfo, list, &applied);
    if (err)
        (void)fprintf(stderr, "%s: migrate: %.*s\n", name, STR_FMT(err->detail));
    else
        printf("%s: %d migrations applied\n", name, applied);
    arena_fini(&a);
    return err ? 1 : 0;
}

const struct err *backend_listen(struct arena *a, const struct rpc_server_conf *conf,
                                 const struct rpc_tls_files *tls)
{
    const struct err *err;

    rpc_process_init();
    err = rpc_tls_start(a, tls);
    return err ? err : rpc_server_create(a, conf, &server);
}

static bool pg_up(void *pool)
{
    return pg_pool_up(pool);
}

static bool redis_is_up(void *redis)
{
    return redis_up(redis);
}

static bool kafka_up(void *producer)
{
    return kafka_producer_up(producer);
}

static const struct err *open_relay(struct arena *a, struct svc *s, struct loop *l,
                                    const struct backend_conf *conf, struct backend *b)
{
    const struct kafka_conf kafka = {conf->kafka,
                                     arena_printf(a, "viaduct-%s", conf->name).p};
    const struct outbox_conf outbox = {
        .conninfo = conf->pg,
        .topic = conf->topic,
        .poll_ms = RELAY_POLL_MS,
        .batch = RELAY_BATCH,
        .keep_ms = RELAY_KEEP_MS,
    };
    const struct err *err = kafka_producer_create(a, l, &kafka, &b->producer);

    if (err)
        return err;
    b->relay = outbox_relay_create(l, &outbox, b->producer);
    svc_dependency(s, "kafka", kafka_up, b->producer);
    svc_dependency(s, "redis", redis_is_up, b->redis);
    return NULL;
}

const struct err *backend_open(struct arena *a, struct svc *s, struct loop *l,
                               unsigned index, const struct backend_conf *conf,
                               struct backend *out)
{
    const struct pg_conf pg = {
        .conninfo = conf->pg,
        .stmts = conf->stmts,
        .connections = (unsigned)conf->pg_connections,
        .max_waiting = PG_WAITING_MAX,
        .statement_timeout_ms = conf->pg_timeout_ms,
        .name = conf->name,
    };
    const struct redis_conf redis = {
        .url = conf->redis,
        .max_in_flight = REDIS_IN_FLIGHT_MAX,
        .timeout_ms = REDIS_TIMEOUT_MS,
    };

    *out =
        (struct backend){.pg = pg_pool_create(l, &pg), .redis = redis_create(l, &redis)};
    svc_gate_when(s, l, "postgresql", pg_up, out->pg);
    return index == 0 ? open_relay(a, s, l, conf, out) : NULL;
}

void backend_join(struct loop *l, const void *env)
{
    rpc_server_join(server, l, env);
}

void backend_leave(struct loop *l)
{
    rpc_server_leave(server, l);
}

void backend_close(struct backend *b)
{
    if (b->relay)
        outbox_relay_destroy(b->relay);
    if (b->producer)
        kafka_producer_destroy(b->producer, PRODUCER_CLOSE_MS);
    redis_destroy(b->redis);
    pg_pool_destroy(b->pg);
}

void backend_drain(struct svc *s, struct loop *l, unsigned index)
{
    (void)s;
    (void)l;
    if (index == 0)
        rpc_server_drain(server);
}

bool backend_idle(struct svc *s, struct loop *l, unsigned index)
{
    (void)s;
    (void)l;
    (void)index;
    return rpc_server_in_flight(server) == 0;
}

void backend_stop(struct svc *s)
{
    (void)s;
    rpc_server_destroy(server);
    rpc_tls_stop();
}
