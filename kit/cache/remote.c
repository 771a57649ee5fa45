// SPDX-License-Identifier: Apache-2.0
/*
 * The level in Redis. Beside a value lies a version, which an invalidation replaces by a
 * random one before it removes the value. A flight reads both, and its fill only succeeds
 * while the version is the same: a value that was loaded before a change and arrives
 * after it is not kept (the leases of Nishtala et al., Scaling Memcache at Facebook,
 * 2013).
 *
 * A value: one byte '+' or '-' (no such thing), the wall clock in ms at which it is no
 * longer fresh (8 bytes, big-endian), the bytes.
 */
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/cache/store.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#define FILL                                                              \
    "if (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then return 0 end " \
    "redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1"
#define INVALIDATE                                        \
    "redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) " \
    "redis.call('DEL', KEYS[1]) "                         \
    "return redis.call('PUBLISH', ARGV[3], ARGV[4])"

enum { HEADER = 9, VERSION_LEN = 16 };

/* PREFIX:NAME:KEY; a key may hold any bytes. */
static struct str full_key(struct arena *a, const char *prefix, const struct cache *c,
                           struct str key)
{
    struct str head = arena_printf(a, "%s:%s:", prefix, c->name);
    char *p = arena_alloc(a, head.n + key.n);

    memcpy(p, head.p, head.n);
    memcpy(p + head.n, key.p, key.n);
    return (struct str){p, head.n + key.n};
}

static struct str value_key(struct arena *a, const struct cache *c, struct str key)
{
    return full_key(a, "cache", c, key);
}

static struct str version_key(struct arena *a, const struct cache *c, struct str key)
{
    return full_key(a, "cache-version", c, key);
}

/* ---- reading ---- */

void cache_remote_get(struct flow *f, struct redis_cmd *cmd, const struct cache *c,
                      struct str key)
{
    struct str argv[] = {STR("MGET"), value_key(&f->arena, c, key),
                         version_key(&f->arena, c, key)};

    redis_start(f, cmd, c->redis, argv, 3, false);
}

static bool decode(struct str s, struct cache_value *v)
{
    uint64_t until_ms;

    if (s.n < HEADER || (s.p[0] != '+' && s.p[0] != '-'))
        return false;
    memcpy(&until_ms, s.p + 1, sizeof until_ms);
    v->fresh_ms = (int64_t)be64toh(until_ms) - clock_wall_us() / 1000;
    v->value = s.p[0] == '+' ? (struct str){s.p + HEADER, s.n - HEADER} : (struct str){0};
    return true;
}

bool cache_remote_read(const struct redis_cmd *cmd, struct cache_value *v,
                       struct str *version)
{
    const struct redis_reply *r = &cmd->reply;

    *version = (struct str){0};
    if (cmd->wait.err || r->type != REDIS_ARRAY || r->n != 2)
        return false;
    *version = r->v[1].type == REDIS_STR ? r->v[1].s : STR("");
    return r->v[0].type == REDIS_STR && decode(r->v[0].s, v);
}

/* ---- filling ---- */

static struct str encode(struct arena *a, struct str value, int64_t fresh_ms)
{
    uint64_t until_ms = htobe64((uint64_t)(clock_wall_us() / 1000 + fresh_ms));
    char *p = arena_alloc(a, HEADER + value.n);

    p[0] = value.p ? '+' : '-';
    memcpy(p + 1, &until_ms, sizeof until_ms);
    if (value.p)
        memcpy(p + HEADER, value.p, value.n);
    return (struct str){p, HEADER + value.n};
}

void cache_remote_put(struct arena *a, const struct cache *c, struct str key,
                      struct str version, struct str value)
{
    int64_t fresh_ms = value.p ? 2 * c->ttl_ms : CACHE_NEGATIVE_MS;
    int64_t keep_ms = fresh_ms + (value.p ? c->stale_ms : 0);
    struct str argv[] = {
        STR("EVAL"),
        STR(FILL),
        STR("2"),
        value_key(a, c, key),
        version_key(a, c, key),
        version,
        encode(a, value, fresh_ms),
        arena_printf(a, "%lld", (long long)keep_ms),
    };

    redis_send(c->redis, argv, sizeof argv / sizeof *argv);
}

/* ---- invalidating ---- */

struct owed {
    struct list link;    /* in c->telling or c->owed */
    struct cache *cache; /* NULL: destroyed */
    size_t n;
    char key[];
};

static void owe(struct owed *o)
{
    struct cache *c = o->cache;

    if (c->n_owed == CACHE_OWED_MAX) { /* its lifetime will end the oldest */
        free(CONTAINER_OF(list_pop(&c->owed), struct owed, link));
        c->n_owed--;
        LOG_WARN(NULL, "cache.invalidation_dropped", KV("cache", c->name));
    }
    list_push(&c->owed, &o->link);
    c->n_owed++;
    if (!loop_timer_is_set(&c->owed_retry))
        loop_timer_set(&c->owed_retry, CACHE_OWED_RETRY_MS);
}

static void on_told(void *arg, bool ok)
{
    struct owed *o = arg;

    list_remove(&o->link);
    if (ok || !o->cache)
        free(o);
    else
        owe(o);
}

static void tell(struct owed *o)
{
    struct cache *c = o->cache;
    struct str key = {o->key, o->n};
    uint8_t random[VERSION_LEN / 2];
    char version[VERSION_LEN];
    struct arena a;

    list_push(&c->telling, &o->link);
    random_bytes(random, sizeof random);
    hex_encode(random, sizeof random, version);
    arena_init(&a);
    struct str argv[] = {
        STR("EVAL"),
        STR(INVALIDATE),
        STR("2"),
        value_key(&a, c, key),
        version_key(&a, c, key),
        {version, sizeof version},
        arena_printf(&a, "%d", CACHE_VERSION_MS),
        str_of(c->channel),
        key,
    };
    redis_send_done(c->redis, argv, sizeof argv / sizeof *argv, on_told, o);
    arena_fini(&a);
}

void cache_remote_invalidate(struct cache *c, struct str key)
{
    struct owed *o = mem_alloc(sizeof *o + key.n);

    o->cache = c;
    o->n = key.n;
    memcpy(o->key, key.p, key.n);
    list_init(&o->link);
    tell(o);
}

static void on_retry(struct loop_timer *t)
{
    struct cache *c = CONTAINER_OF(t, struct cache, owed_retry);
    struct list again, *it;

    if (!redis_up(c->redis)) {
        loop_timer_set(t, CACHE_OWED_RETRY_MS);
        return;
    }
    list_init(&again);
    list_splice(&again, &c->owed);
    c->n_owed = 0;
    while ((it = list_pop(&again)))
        tell(CONTAINER_OF(it, struct owed, link));
}

void cache_owed_init(struct cache *c)
{
    list_init(&c->owed);
    list_init(&c->telling);
    loop_timer_init(&c->owed_retry, c->loop, on_retry);
}

void cache_owed_fini(struct cache *c)
{
    struct list *it;

    loop_timer_clear(&c->owed_retry);
    while ((it = list_pop(&c->owed)))
        free(CONTAINER_OF(it, struct owed, link));
    while ((it = list_pop(&c->telling))) /* freed when Redis has answered */
        CONTAINER_OF(it, struct owed, link)->cache = NULL;
}
