// SPDX-License-Identifier: Apache-2.0
/*
 * Read-through cache on three levels: in-process LRU (per loop), Redis, and the loader
 * (PostgreSQL, another service). One flight per missing key and loop: others wait for it.
 * Values are bytes (msgpack). Invalidation is by message to all processes over pub/sub,
 * with the lifetime as the net under it. If the loader fails with `unavailable`, a value
 * that is past its lifetime but within `stale_ms` is served, marked stale.
 */
#ifndef KIT_CACHE_CACHE_H
#define KIT_CACHE_CACHE_H

#include "kit/cache/redis.h"

struct cache;

struct cache_conf {
    const char *name;   /* key prefix and metric label: "user" */
    size_t local_bytes; /* of the LRU */
    int64_t ttl_ms;     /* in process; in Redis twice as long; of "no such thing" 1 s */
    int64_t stale_ms;   /* 0: never serve stale */
};

/* redis may be NULL: local only. It must outlive the cache. */
struct cache *cache_create(struct loop *l, const struct cache_conf *conf,
                           struct redis *redis);
/* Loads under way end with `request.cancelled`. */
void cache_destroy(struct cache *c);

struct cache_get {
    struct wait wait;  /* wait.err: the loader's */
    bool found, stale; /* !found: the loader said there is no such thing */
    struct str value;  /* in the flow's arena */
    /* private */
    struct list link; /* among those who wait for the flight */
};

/* Loads a key within a flow of its own, whose deadline is CACHE_LOAD_MS: ends it with
 * flow_done after setting *f->out (a struct str, absent for "no such thing"), or
 * flow_fail. f->in is the key (struct str *), f->env the env of the flow that asked, as
 * are caller and trace. f->owner is not the loader's. */
enum { CACHE_LOAD_MS = 5000 };
typedef flow_step cache_loader;

void cache_start(struct flow *f, struct cache_get *g, struct cache *c, struct str key,
                 cache_loader load, bool required);

/* A hit without any wait: NULL when the key is not fresh in process, an absent string for
 * "no such thing". Valid in this turn. */
const struct str *cache_peek(struct cache *c, struct str key);

/* Here at once, everywhere else by message. Call after the commit. A load that is under
 * way is not kept; if Redis is away, it is told when it is back. */
void cache_invalidate(struct cache *c, struct str key);

#endif
