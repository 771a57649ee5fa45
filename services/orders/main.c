// SPDX-License-Identifier: Apache-2.0
/* viaduct-orders: catalogue, stock and orders behind the hop. */
#include "conf.h"

#include "kit/cache/cache.h"
#include "kit/idempotency/idempotency.h"
#include "orders/api/handlers.h"
#include "orders/migrations.h"
#include "orders/store/env.h"
#include "orders/store/statements.h"
#include "proto/events.h"

enum { LOOPS_MAX = 256, STALE_MS = 60 * 1000 };

static struct backend backends[LOOPS_MAX];
static struct orders_env envs[LOOPS_MAX];
static struct idempotency_sweeper *sweeper;

static int migrate(void *conf, int argc, char **argv)
{
    const struct orders_conf *c = conf;

    (void)argc;
    (void)argv;
    return backend_migrate("orders", c->pg, orders_migrations);
}

static const struct svc_command commands[] = {
    {"migrate", "bring the database's schema up to date", migrate},
    {"seed", "add the demo catalogue", orders_seed},
    {0},
};

static const struct err *start(struct arena *a, struct svc *s, void *conf)
{
    const struct orders_conf *c = conf;
    const struct rpc_server_conf rpc = {
        .service = "orders",
        .zone = c->zone,
        .url = c->listen,
        .handlers = orders_handlers,
        .max_in_flight = (unsigned)c->max_in_flight,
    };

    (void)s;
    return backend_listen(a, &rpc, &RPC_TLS_FILES(c));
}

static struct cache *open_cache(struct loop *l, const struct orders_conf *c,
                                struct redis *redis)
{
    const struct cache_conf cache = {
        .name = "product",
        .local_bytes = (size_t)c->cache_bytes,
        .ttl_ms = c->cache_ms,
        .stale_ms = STALE_MS,
    };

    return cache_create(l, &cache, redis);
}

static const struct err *start_loop(struct arena *a, struct svc *s, struct loop *l,
                                    unsigned index)
{
    const struct orders_conf *c = svc_conf(s);
    const struct backend_conf conf = {
        .name = "orders",
        .pg = c->pg,
        .redis = c->redis,
        .kafka = c->kafka,
        .pg_connections = c->pg_connections,
        .pg_timeout_ms = c->pg_timeout_ms,
        .stmts = orders_statements,
        .topic = EVENTS_TOPIC,
    };
    struct backend *b = &backends[index];
    const struct err *err = backend_open(a, s, l, index, &conf, b);

    if (err)
        return err;
    envs[index] = (struct orders_env){
        .pg = b->pg,
        .redis = b->redis,
        .products = open_cache(l, c, b->redis),
        .relay = b->relay,
        .cursor_secret = str_of(c->cursor_key),
    };
    if (index == 0)
        sweeper = idempotency_sweeper_create(l, b->pg);
    backend_join(l, &envs[index]);
    return NULL;
}

static void stop_loop(struct svc *s, struct loop *l, unsigned index)
{
    (void)s;
    backend_leave(l);
    if (index == 0)
        idempotency_sweeper_destroy(sweeper);
    cache_destroy(envs[index].products);
    backend_close(&backends[index]);
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
        .check = orders_conf_check,
        .start = start,
        .loop_start = start_loop,
        .drain = backend_drain,
        .idle = backend_idle,
        .loop_stop = stop_loop,
        .stop = backend_stop,
    };

    return svc_main(&def, argc, argv);
}
