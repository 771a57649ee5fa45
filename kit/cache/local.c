// SPDX-License-Identifier: Apache-2.0
/* The level within the process: fresh until its time is over or the epoch has moved on.
 */
#include "kit/base/clock.h"
#include "kit/cache/store.h"

const struct lru_entry *cache_local_fresh(struct cache *c, struct str key)
{
    const struct lru_entry *e = lru_get(&c->local, key);

    return e && e->epoch == c->epoch && clock_mono_us() < e->fresh_until_us ? e : NULL;
}

bool cache_local_stale(struct cache *c, struct str key, struct str *value)
{
    const struct lru_entry *e = lru_get(&c->local, key);

    if (!e || !e->value.p || clock_mono_us() >= e->stale_until_us)
        return false;
    *value = e->value;
    return true;
}

void cache_local_put(struct cache *c, struct str key, const struct cache_value *v)
{
    struct lru_entry *e = lru_put(&c->local, key, v->value);
    int64_t now = clock_mono_us();

    metric_set(c->m_bytes, (int64_t)c->local.bytes);
    if (!e)
        return;
    e->epoch = c->epoch;
    e->fresh_until_us = now + v->fresh_ms * 1000;
    e->stale_until_us = e->fresh_until_us + c->stale_ms * 1000;
}
