// SPDX-License-Identifier: Apache-2.0
/* The cache as its users see it: look here, join a flight, invalidate. */
#include "kit/cache/cache.h"

#include "kit/base/mem.h"
#include "kit/cache/store.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- asking ---- */

static void on_cancel(struct wait *w)
{
    list_remove(&CONTAINER_OF(w, struct cache_get, wait)->link);
}

void cache_start(struct flow *f, struct cache_get *g, struct cache *c, struct str key,
                 cache_loader load, bool required)
{
    const struct lru_entry *e = cache_local_fresh(c, key);

    list_init(&g->link);
    g->stale = false;
    wait_begin(f, &g->wait, on_cancel, required);
    if (!e) {
        cache_flight_join(f, g, c, key, load);
        return;
    }
    metric_add(c->m_results[CACHE_HIT_LOCAL], 1);
    g->value = arena_str(&f->arena, e->value);
    g->found = e->value.p;
    wait_end(&g->wait, NULL);
}

const struct str *cache_peek(struct cache *c, struct str key)
{
    const struct lru_entry *e = cache_local_fresh(c, key);

    if (!e)
        return NULL;
    metric_add(c->m_results[CACHE_HIT_LOCAL], 1);
    return &e->value;
}

/* ---- invalidating ---- */

static void forget(struct cache *c, struct str key)
{
    lru_drop(&c->local, key);
    cache_flight_spoil(c, key);
    metric_add(c->m_invalidated, 1);
    metric_set(c->m_bytes, (int64_t)c->local.bytes);
}

void cache_invalidate(struct cache *c, struct str key)
{
    forget(c, key);
    if (c->redis)
        cache_remote_invalidate(c, key);
}

static void on_message(void *arg, struct str key)
{
    forget(arg, key);
}

/* Messages may have been missed: nothing that is here counts as fresh any more. It stays
 * as what is served stale. */
static void on_resync(void *arg, bool connected)
{
    struct cache *c = arg;

    LOG_INFO(NULL, "cache.resync", KV("cache", c->name), KV("connected", connected));
    c->epoch++;
    cache_flights_spoil_all(c);
}

/* ---- life cycle ---- */

static void free_entry_later(void *arg, void *entry)
{
    struct cache *c = arg;

    loop_free_later(c->loop, free, entry);
}

static void init_metrics(struct cache *c)
{
    static const char *const results[CACHE_RESULTS] = {"local",  "redis", "loaded",
                                                       "joined", "stale", "failed"};

    for (int i = 0; i < CACHE_RESULTS; i++)
        c->m_results[i] = metrics_counter("viaduct_cache_gets_total",
                                          "Reads by where the value came from", "cache",
                                          c->name, "result", results[i], NULL);
    c->m_bytes = metrics_gauge("viaduct_cache_local_bytes",
                               "Bytes kept in process, of the loop that wrote last",
                               "cache", c->name, NULL);
    c->m_invalidated =
        metrics_counter("viaduct_cache_invalidations_total",
                        "Keys dropped, here or by message", "cache", c->name, NULL);
}

struct cache *cache_create(struct loop *l, const struct cache_conf *conf,
                           struct redis *redis)
{
    struct cache *c = MEM_NEW(struct cache);

    c->loop = l;
    c->redis = redis;
    c->name = mem_strdup(conf->name);
    c->ttl_ms = conf->ttl_ms;
    c->stale_ms = conf->stale_ms;
    if (asprintf(&c->channel, "viaduct:invalidate:%s", conf->name) < 0)
        mem_die("cache: out of memory");
    lru_init(&c->local, conf->local_bytes, free_entry_later, c);
    cache_flights_init(c);
    cache_owed_init(c);
    init_metrics(c);
    if (redis)
        redis_subscribe(redis, c->channel, on_message, on_resync, c);
    return c;
}

static void free_cache(void *ptr)
{
    struct cache *c = ptr;

    free(c->name);
    free(c->channel);
    free(c);
}

void cache_destroy(struct cache *c)
{
    if (!c)
        return;
    if (c->redis)
        redis_unsubscribe(c->redis, c);
    cache_flights_cancel_all(c);
    cache_owed_fini(c);
    lru_fini(&c->local);
    loop_free_later(c->loop, free_cache, c);
}
