// SPDX-License-Identifier: Apache-2.0
/* viaduct-users: accounts, sessions and tokens behind the hop. */
#include "conf.h"

#include "kit/cache/cache.h"
#include "kit/flow/flow.h"
#include "kit/jwt/jwt.h"
#include "proto/events.h"
#include "proto/roles.h"
#include "users/api/handlers.h"
#include "users/migrations.h"
#include "users/rules/sessions.h"
#include "users/store/env.h"
#include "users/store/statements.h"

#include <sodium.h>

enum {
    LOOPS_MAX = 256,
    STALE_MS = 5 * 60 * 1000,
    SWEEP_MS = 10 * 60 * 1000,
    SWEEP_TIMEOUT_MS = 5000,
};

static struct backend backends[LOOPS_MAX];
static struct users_env envs[LOOPS_MAX];
static struct jwt_keyring *keys;
static struct flow_pool *hashers;
static struct loop_timer sweep_timer; /* of the first loop */

static int migrate(void *conf, int argc, char **argv)
{
    const struct users_conf *c = conf;

    (void)argc;
    (void)argv;
    return backend_migrate("users", c->pg, users_migrations);
}

static const struct svc_command commands[] = {
    {"migrate", "bring the database's schema up to date", migrate},
    {"keys", "make a signing key when there is none", users_make_keys},
    {"seed", "add the demo accounts", users_seed},
    {0},
};

static const struct err *start(struct arena *a, struct svc *s, void *conf)
{
    const struct users_conf *c = conf;
    const struct rpc_server_conf rpc = {
        .service = "users",
        .zone = c->zone,
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
    return backend_listen(a, &rpc, &RPC_TLS_FILES(c));
}

static struct cache *open_cache(struct loop *l, const struct users_conf *c,
                                struct redis *redis)
{
    const struct cache_conf cache = {
        .name = "user",
        .local_bytes = (size_t)c->cache_bytes,
        .ttl_ms = c->cache_ms,
        .stale_ms = STALE_MS,
    };

    return cache_create(l, &cache, redis);
}

static void sweep_ended(struct flow *f, const struct err *err)
{
    if (err)
        LOG_WARN(&f->log, "sessions.sweep_failed", KV("code", err->code->name));
}

static void sweep(struct loop_timer *t)
{
    struct flow *f = flow_create(t->loop, SWEEP_TIMEOUT_MS, sweep_ended, NULL);

    f->env = &envs[0];
    flow_start(f, sessions_sweep);
    loop_timer_set(t, SWEEP_MS);
}

static void fill_env(struct users_env *env, struct loop *l, const struct users_conf *c,
                     const struct backend *b)
{
    *env = (struct users_env){
        .pg = b->pg,
        .redis = b->redis,
        .users = open_cache(l, c, b->redis),
        .relay = b->relay,
        .keys = keys,
        .hashers = hashers,
        .cursor_secret = str_of(c->cursor_key),
        .issuer = str_of(c->issuer),
        .audience = str_of(c->audience),
        .access_s = c->access_s,
        .refresh_s = c->refresh_s,
    };
}

static const struct err *start_loop(struct arena *a, struct svc *s, struct loop *l,
                                    unsigned index)
{
    const struct users_conf *c = svc_conf(s);
    const struct backend_conf conf = {
        .name = "users",
        .pg = c->pg,
        .redis = c->redis,
        .kafka = c->kafka,
        .pg_connections = c->pg_connections,
        .pg_timeout_ms = c->pg_timeout_ms,
        .stmts = users_statements,
        .topic = EVENTS_TOPIC,
    };
    const struct err *err = backend_open(a, s, l, index, &conf, &backends[index]);

    if (err)
        return err;
    fill_env(&envs[index], l, c, &backends[index]);
    if (index == 0) {
        loop_timer_init(&sweep_timer, l, sweep);
        loop_timer_set(&sweep_timer, SWEEP_MS);
    }
    backend_join(l, &envs[index]);
    return NULL;
}

static void stop_loop(struct svc *s, struct loop *l, unsigned index)
{
    (void)s;
    backend_leave(l);
    if (index == 0)
        loop_timer_clear(&sweep_timer);
    cache_destroy(envs[index].users);
    backend_close(&backends[index]);
}

static void stop(struct svc *s)
{
    backend_stop(s);
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
        .check = users_conf_check,
        .start = start,
        .loop_start = start_loop,
        .drain = backend_drain,
        .idle = backend_idle,
        .loop_stop = stop_loop,
        .stop = stop,
    };

    return svc_main(&def, argc, argv);
}
