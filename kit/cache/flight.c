// SPDX-License-Identifier: Apache-2.0
/*
 * A flight fetches one key for all who ask for it: from Redis, else by the loader. It is
 * a flow of its own, so that it does not end with the flow that asked first.
 */
#include "kit/base/mem.h"
#include "kit/cache/store.h"

#include <stdlib.h>

struct flight {
    struct list link; /* in its bucket; alone once nobody may join it */
    struct list all;  /* in c->flying */
    struct list waiters;
    struct cache *cache;
    struct flow *flow;
    struct str key; /* in its flow's arena */
    cache_loader load;
    bool spoiled; /* what it brings must not be kept */
    bool from_redis;
    struct redis_cmd look;
    struct str version;     /* in Redis; absent: not known, Redis is not filled */
    struct cache_value old; /* what Redis had, perhaps too old */
    bool has_old;
    struct str out;
};

static struct list *bucket_of(struct cache *c, struct str key)
{
    return &c->flights[hash_bytes(key.p, key.n) % CACHE_FLIGHT_BUCKETS];
}

static struct flight *find(struct cache *c, struct str key)
{
    LIST_EACH (it, bucket_of(c, key)) {
        struct flight *fl = CONTAINER_OF(it, struct flight, link);

        if (str_eq(fl->key, key))
            return fl;
    }
    return NULL;
}

/* ---- landing ---- */

struct landing {
    const struct err *err;
    struct str value;
    bool stale;
};

static void tell_waiters(struct flight *fl, const struct landing *how)
{
    struct list *it;

    while ((it = list_pop(&fl->waiters))) {
        struct cache_get *g = CONTAINER_OF(it, struct cache_get, link);
        struct arena *a = &g->wait.flow->arena;

        g->value = arena_str(a, how->value);
        g->found = how->value.p;
        g->stale = how->stale;
        wait_end(&g->wait, how->err ? err_copy(a, how->err) : NULL);
    }
}

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void keep(struct flight *fl)
{
    struct cache *c = fl->cache;
    int64_t ttl_ms = fl->out.p ? c->ttl_ms : min64(c->ttl_ms, CACHE_NEGATIVE_MS);
    struct cache_value v = {
        .value = fl->out,
        .fresh_ms = fl->from_redis ? min64(ttl_ms, fl->old.fresh_ms) : ttl_ms,
    };

    cache_local_put(c, fl->key, &v);
    if (!fl->from_redis && fl->version.p)
        cache_remote_put(&fl->flow->arena, c, fl->key, fl->version, fl->out);
}

/* The thing may be there, it is only out of reach. */
static bool allows_stale(const struct err *e)
{
    enum err_kind kind = err_kind(e);

    return kind == ERR_UNAVAILABLE || kind == ERR_DEADLINE || kind == ERR_SHED;
}

static bool find_stale(struct flight *fl, struct str *value)
{
    struct cache *c = fl->cache;

    if (c->stale_ms == 0 || fl->spoiled)
        return false;
    if (cache_local_stale(c, fl->key, value))
        return true;
    *value = fl->old.value;
    return fl->has_old && value->p;
}

static void on_end(struct flow *f, const struct err *err)
{
    struct flight *fl = f->owner;
    struct cache *c = fl->cache;
    struct landing how = {.err = err};

    list_remove(&fl->link);
    list_remove(&fl->all);
    if (!err) {
        how.value = fl->out;
        metric_add(c->m_results[fl->from_redis ? CACHE_HIT_REDIS : CACHE_LOADED], 1);
        if (!fl->spoiled)
            keep(fl);
    } else if (allows_stale(err) && find_stale(fl, &how.value)) {
        how.err = NULL;
        how.stale = true;
        metric_add(c->m_results[CACHE_STALE], 1);
    } else {
        metric_add(c->m_results[CACHE_FAILED], 1);
    }
    tell_waiters(fl, &how);
    free(fl);
}

/* ---- under way ---- */

static enum step looked(struct flow *f)
{
    struct flight *fl = f->owner;

    fl->has_old = cache_remote_read(&fl->look, &fl->old, &fl->version);
    if (!fl->has_old || fl->old.fresh_ms <= 0)
        return fl->load(f);
    fl->from_redis = true;
    fl->out = fl->old.value;
    return flow_done(f);
}

static enum step look(struct flow *f)
{
    struct flight *fl = f->owner;

    if (!fl->cache->redis)
        return fl->load(f);
    cache_remote_get(f, &fl->look, fl->cache, fl->key);
    return flow_await(f, looked);
}

/* The log's strings live with the flow that asked, which may end first. */
static void take_context(struct flow *to, const struct flow *from)
{
    to->env = from->env;
    to->caller = from->caller;
    to->trace = from->trace;
    to->log.request_id = arena_str(&to->arena, from->log.request_id);
    to->log.trace_id = arena_str(&to->arena, from->log.trace_id);
    to->log.user_id = arena_str(&to->arena, from->log.user_id);
    to->log.route = arena_str(&to->arena, from->log.route);
}

static struct flight *take_off(const struct flow *asker, struct cache *c, struct str key,
                               cache_loader load)
{
    struct flight *fl = MEM_NEW(struct flight);
    struct flow *f = flow_create(c->loop, CACHE_LOAD_MS, on_end, fl);

    take_context(f, asker);
    fl->cache = c;
    fl->flow = f;
    fl->load = load;
    fl->key = arena_str(&f->arena, key);
    f->in = &fl->key;
    f->out = &fl->out;
    list_init(&fl->waiters);
    list_init(&fl->link);
    list_init(&fl->all);
    list_push(bucket_of(c, key), &fl->link);
    list_push(&c->flying, &fl->all);
    return fl;
}

void cache_flight_join(struct flow *f, struct cache_get *g, struct cache *c,
                       struct str key, cache_loader load)
{
    struct flight *fl = find(c, key);

    if (fl) {
        metric_add(c->m_results[CACHE_JOINED], 1);
        list_push(&fl->waiters, &g->link);
        return;
    }
    fl = take_off(f, c, key, load);
    list_push(&fl->waiters, &g->link);
    flow_start(fl->flow, look);
}

/* ---- spoiling ---- */

static void spoil(struct flight *fl)
{
    fl->spoiled = true;
    list_remove(&fl->link);
}

void cache_flight_spoil(struct cache *c, struct str key)
{
    struct flight *fl = find(c, key);

    if (fl)
        spoil(fl);
}

void cache_flights_spoil_all(struct cache *c)
{
    for (int i = 0; i < CACHE_FLIGHT_BUCKETS; i++)
        while (!list_empty(&c->flights[i]))
            spoil(CONTAINER_OF(c->flights[i].next, struct flight, link));
}

void cache_flights_init(struct cache *c)
{
    list_init(&c->flying);
    for (int i = 0; i < CACHE_FLIGHT_BUCKETS; i++)
        list_init(&c->flights[i]);
}

void cache_flights_cancel_all(struct cache *c)
{
    while (!list_empty(&c->flying))
        flow_cancel(CONTAINER_OF(c->flying.next, struct flight, all)->flow,
                    ERR_STATIC(CANCELLED));
}
