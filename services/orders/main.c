// SPDX-License-Identifier: Apache-2.0
/* viaduct-orders: catalogue, stock and orders behind the hop. */
#include "conf.h"

#include "kit/cache/cache.h"
#include "kit/kafka/kafka.h"
#include "kit/outbox/outbox.h"
#include "kit/pg/migrate.h"
#include "kit/pg/pg.h"
#include "kit/rpc/client.h"
#include "kit/rpc/server.h"
#include "orders/api/handlers.h"
#include "orders/migrations.h"
#include "orders/store/env.h"
#include "orders/store/statements.h"
#include "proto/events.h"

#include <stdio.h>

enum { LOOPS_MAX = 256 };

static struct rpc_server *server;
static struct orders_env envs[LOOPS_MAX];
static struct kafka_producer *producer; /* of the first loop */

/* ---- commands
 * ------------------------------------------------------------------------------ */

static int migrate(void *conf, int argc, char **argv)
{
    const struct orders_conf *c = conf;
    const struct err *err;
    struct arena a;
    int applied = 0;

    (void)argc;
    (void)argv;
    arena_init(&a);
    err = pg_migrate(&a, c->pg, orders_migrations, &applied);
    if (err)
        (void)fprintf(stderr, "migrate: %.*s\n", STR_FMT(err->detail));
    else
        printf("orders: %d migrations applied\n", applied);
    arena_fini(&a);
    return err ? 1 : 0;
}

static const struct svc_command commands[] = {
    {"migrate", "bring the database's schema up to date", migrate},
    {"seed", "add the demo catalogue", orders_seed},
    {0},
};

/* ---- life cycle
 * ------------------------------------------------------------------------------ */

static const struct err *start(struct arena *a, struct svc *s, void *conf)
{
    const struct orders_conf *c = conf;
    const struct rpc_server_conf rpc = {
        .service = "orders",
        .url = c->listen,
        .handlers = orders_handlers,
        .max_in_flight = (unsigned)c->max_in_flight,
    };

    (void)s;
    rpc_process_init();
    return rpc_server_create(a, &rpc, &server);
}

static bool pg_up(void *pool)
{
    return pg_pool_up(pool);
}

static bool redis_is_up(void *redis)
{
    return redis_up(redis);
}

static bool kafka_up(void *p)
{
    return kafka_producer_up(p);
}

static void open_stores(struct orders_env *env, struct loop *l,
                        const struct orders_conf *c)
{
    env->pg = pg_pool_create(l, &(struct pg_conf){
                                    .conninfo = c->pg,
                                    .stmts = orders_statements,
                                    .connections = (unsigned)c->pg_connections,
                                    .max_waiting = 4096,
                                    .statement_timeout_ms = c->pg_timeout_ms,
                                    .name = "orders",
                                });
    env->redis = redis_create(
        l,
        &(struct redis_conf){.url = c->redis, .max_in_flight = 4096, .timeout_ms = 200});
    env->products = cache_create(l,
                                 &(struct cache_conf){
                                     .name = "product",
                                     .local_bytes = (size_t)c->cache_bytes,
                                     .ttl_ms = c->cache_ms,
                                     .stale_ms = 60000,
                                 },
                                 env->redis);
    env->cursor_secret = str_of(c->cursor_key);
}

static const struct err *start_relay(struct arena *a, struct svc *s, struct loop *l,
                                     struct orders_env *env)
{
    const struct orders_conf *c = svc_conf(s);
    const struct kafka_conf kafka = {c->kafka, "viaduct-orders"};
    const struct outbox_conf outbox = {
        .conninfo = c->pg,
        .topic = EVENTS_TOPIC,
        .poll_ms = 200,
        .batch = 500,
        .keep_ms = 24 * 3600 * 1000,
    };
    const struct err *err = kafka_producer_create(a, l, &kafka, &producer);

    if (err)
        return err;
    env->relay = outbox_relay_create(l, &outbox, producer);
    svc_dependency(s, "kafka", kafka_up, producer);
    svc_dependency(s, "redis", redis_is_up, env->redis);
    return NULL;
}

static const struct err *start_loop(struct arena *a, struct svc *s, struct loop *l,
                                    unsigned index)
{
    struct orders_env *env = &envs[index];
    const struct err *err;

    open_stores(env, l, svc_conf(s));
    svc_gate_when(s, l, "postgresql", pg_up, env->pg);
    err = index == 0 ? start_relay(a, s, l, env) : NULL;
    if (!err)
        rpc_server_join(server, l, env);
    return err;
}

static void drain(struct svc *s, struct loop *l, unsigned index)
{
    (void)s;
    (void)l;
    if (index == 0)
        rpc_server_drain(server);
}

static bool idle(struct svc *s, struct loop *l, unsigned index)
{
    (void)s;
    (void)l;
    (void)index;
    return rpc_server_in_flight(server) == 0;
}

static void stop_loop(struct svc *s, struct loop *l, unsigned index)
{
    struct orders_env *env = &envs[index];

    (void)s;
    (void)l;
    if (env->relay)
        outbox_relay_destroy(env->relay);
    if (index == 0 && producer)
        kafka_producer_destroy(producer, 1000);
    cache_destroy(env->products);
    redis_destroy(env->redis);
    pg_pool_destroy(env->pg);
}

static void stop(struct svc *s)
{
    (void)s;
    rpc_server_destroy(server);
}

int main(int argc, char **argv)
{
    static struct orders_conf conf;
    static const struct svc_def def = {
        .name = "viaduct-orders",
        .about = "Catalogue, stock and orders behind the hop.",
        .options = orders_conf_options,
        .conf = &conf,
        .conf_size = sizeof conf,
        .commands = commands,
        .default_loops = 1,
        .start = start,
        .loop_start = start_loop,
        .drain = drain,
        .idle = idle,
        .loop_stop = stop_loop,
        .stop = stop,
    };

    return svc_main(&def, argc, argv);
}
