// SPDX-License-Identifier: Apache-2.0
/* viaduct-users: accounts, sessions and tokens behind the hop. */
#include "conf.h"

#include "kit/cache/cache.h"
#include "kit/flow/flow.h"
#include "kit/jwt/jwt.h"
#include "kit/kafka/kafka.h"
#include "kit/outbox/outbox.h"
#include "kit/pg/migrate.h"
#include "kit/pg/pg.h"
#include "kit/rpc/client.h"
#include "kit/rpc/server.h"
#include "proto/events.h"
#include "proto/roles.h"
#include "users/api/handlers.h"
#include "users/migrations.h"
#include "users/rules/sessions.h"
#include "users/store/env.h"
#include "users/store/statements.h"

#include <sodium.h>
#include <stdio.h>

enum { LOOPS_MAX = 256, SWEEP_MS = 10 * 60 * 1000 };

static struct rpc_server *server;
static struct users_env envs[LOOPS_MAX];
static struct jwt_keyring *keys;
static struct flow_pool *hashers;
static struct kafka_producer *producer; /* of the first loop */
static struct loop_timer sweep_timer;   /* likewise */

/* ---- commands
 * ------------------------------------------------------------------------------ */

static int migrate(void *conf, int argc, char **argv)
{
    const struct users_conf *c = conf;
    const struct err *err;
    struct arena a;
    int applied = 0;

    (void)argc;
    (void)argv;
    arena_init(&a);
    err = pg_migrate(&a, c->pg, users_migrations, &applied);
    if (err)
        (void)fprintf(stderr, "migrate: %.*s\n", STR_FMT(err->detail));
    else
        printf("users: %d migrations applied\n", applied);
    arena_fini(&a);
    return err ? 1 : 0;
}

static const struct svc_command commands[] = {
    {"migrate", "bring the database's schema up to date", migrate},
    {"seed", "add the demo accounts", users_seed},
    {0},
};

/* ---- life cycle
 * ------------------------------------------------------------------------------ */

static const struct err *start(struct arena *a, struct svc *s, void *conf)
{
    const struct users_conf *c = conf;
    const struct rpc_server_conf rpc = {
        .service = "users",
        .url = c->listen,
        .handlers = users_handlers,
        .max_in_flight = (unsigned)c->max_in_flight,
    };
    const struct err *err;

    (void)s;
    if (sodium_init() < 0)
        return err_new(a, &ERR_CODE_INTERNAL, "libsodium cannot start");
    keys = jwt_keyring_create(ROLE_NAMES);
    err = jwt_keyring_load_dir(keys, a, c->keys);
    if (err)
        return err;
    hashers = flow_pool_create((unsigned)c->hash_threads, (unsigned)c->hash_queue);
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

static void open_stores(struct users_env *env, struct loop *l, const struct users_conf *c)
{
    env->pg = pg_pool_create(l, &(struct pg_conf){
                                    .conninfo = c->pg,
                                    .stmts = users_statements,
                                    .connections = (unsigned)c->pg_connections,
                                    .max_waiting = 4096,
                                    .statement_timeout_ms = c->pg_timeout_ms,
                                    .name = "users",
                                });
    env->redis = redis_create(
        l,
        &(struct redis_conf){.url = c->redis, .max_in_flight = 4096, .timeout_ms = 200});
    env->users = cache_create(l,
                              &(struct cache_conf){
                                  .name = "user",
                                  .local_bytes = (size_t)c->cache_bytes,
                                  .ttl_ms = c->cache_ms,
                                  .stale_ms = 300000,
                              },
                              env->redis);
    env->keys = keys;
    env->hashers = hashers;
    env->cursor_secret = str_of(c->cursor_key);
    env->issuer = str_of(c->issuer);
    env->audience = str_of(c->audience);
    env->access_s = c->access_s;
    env->refresh_s = c->refresh_s;
}

static void sweep_ended(struct flow *f, const struct err *err)
{
    if (err)
        LOG_WARN(&f->log, "sessions.sweep_failed", KV("code", err->code->name));
}

static void sweep(struct loop_timer *t)
{
    struct flow *f = flow_create(t->loop, 5000, sweep_ended, NULL);

    f->env = &envs[0];
    flow_start(f, sessions_sweep);
    loop_timer_set(t, SWEEP_MS);
}

static const struct err *start_relay(struct arena *a, struct svc *s, struct loop *l,
                                     struct users_env *env)
{
    const struct users_conf *c = svc_conf(s);
    const struct kafka_conf kafka = {c->kafka, "viaduct-users"};
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
    loop_timer_init(&sweep_timer, l, sweep);
    loop_timer_set(&sweep_timer, SWEEP_MS);
    return NULL;
}

static const struct err *start_loop(struct arena *a, struct svc *s, struct loop *l,
                                    unsigned index)
{
    struct users_env *env = &envs[index];
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
    struct users_env *env = &envs[index];

    (void)s;
    (void)l;
    if (index == 0)
        loop_timer_clear(&sweep_timer);
    if (env->relay)
        outbox_relay_destroy(env->relay);
    if (index == 0 && producer)
        kafka_producer_destroy(producer, 1000);
    cache_destroy(env->users);
    redis_destroy(env->redis);
    pg_pool_destroy(env->pg);
}

static void stop(struct svc *s)
{
    (void)s;
    rpc_server_destroy(server);
    flow_pool_destroy(hashers);
    jwt_keyring_destroy(keys);
}

int main(int argc, char **argv)
{
    static struct users_conf conf;
    static const struct svc_def def = {
        .name = "viaduct-users",
        .about = "Accounts, sessions and tokens behind the hop.",
        .options = users_conf_options,
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
