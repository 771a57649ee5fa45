// SPDX-License-Identifier: Apache-2.0
/*
 * The cache from the inside: the local store, flights, the entry in Redis, and
 * invalidations that Redis has not been told yet.
 */
#ifndef KIT_CACHE_STORE_H
#define KIT_CACHE_STORE_H

#include "kit/cache/cache.h"
#include "kit/cache/lru.h"
#include "kit/obs/metrics.h"

enum {
    CACHE_FLIGHT_BUCKETS = 64,
    CACHE_NEGATIVE_MS = 1000,
    CACHE_VERSION_MS = 60000, /* of a version in Redis; longer than any flight */
    CACHE_OWED_MAX = 4096,    /* invalidations kept while Redis is away */
    CACHE_OWED_RETRY_MS = 200,
};

enum cache_result {
    CACHE_HIT_LOCAL,
    CACHE_HIT_REDIS,
    CACHE_LOADED,
    CACHE_JOINED, /* a flight that was under way */
    CACHE_STALE,
    CACHE_FAILED,
    CACHE_RESULTS
};

struct cache {
    struct loop *loop;
    struct redis *redis;
    char *name, *channel;
    int64_t ttl_ms, stale_ms;
    struct lru local;
    uint64_t epoch; /* entries of an older one are not fresh */
    struct list flights[CACHE_FLIGHT_BUCKETS];
    struct list flying; /* all flights, those that nobody may join too */
    struct list owed, telling;
    unsigned n_owed;
    struct loop_timer owed_retry;
    struct metric *m_results[CACHE_RESULTS], *m_bytes, *m_invalidated;
};

/* What is known of a key. */
struct cache_value {
    struct str value; /* absent: no such thing */
    int64_t fresh_ms; /* how long it may be used from now on; <= 0: stale */
};

/* ---- flight.c ---- */
void cache_flights_init(struct cache *c);
/* The one that is under way for the key, or a new one; the flow that asks gives its env.
 */
void cache_flight_join(struct flow *f, struct cache_get *g, struct cache *c,
                       struct str key, cache_loader load);
/* What it brings is not kept, and who asks from now on does not join it. */
void cache_flight_spoil(struct cache *c, struct str key);
void cache_flights_spoil_all(struct cache *c);
void cache_flights_cancel_all(struct cache *c);

/* ---- local.c ---- */
/* NULL when the key is not fresh here. */
const struct lru_entry *cache_local_fresh(struct cache *c, struct str key);
/* false when there is none. */
bool cache_local_stale(struct cache *c, struct str key, struct str *value);
void cache_local_put(struct cache *c, struct str key, const struct cache_value *v);

/* ---- remote.c ---- */
/* Asks Redis for the value and the version of a key. */
void cache_remote_get(struct flow *f, struct redis_cmd *cmd, const struct cache *c,
                      struct str key);
/* false when Redis does not have the value; *version is absent when Redis did not answer.
 */
bool cache_remote_read(const struct redis_cmd *cmd, struct cache_value *v,
                       struct str *version);
/* Keeps a loaded value, unless the version has changed since. */
void cache_remote_put(struct arena *a, const struct cache *c, struct str key,
                      struct str version, struct str value);
/* In one step: new version, value gone, all others told. */
void cache_remote_invalidate(struct cache *c, struct str key);
void cache_owed_fini(struct cache *c);
void cache_owed_init(struct cache *c);

#endif
