// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/lease.h. */
#include "gateway/edge/lease.h"

#include "kit/base/mem.h"

#include <stdlib.h>

static const int64_t period_us = LEASE_MS * 1000LL;

struct lease_table *lease_table_create(void)
{
    struct lease_table *t = MEM_NEW(struct lease_table);

    list_init(&t->held);
    return t;
}

void lease_table_destroy(struct lease_table *t)
{
    struct lease *l;

    if (!t)
        return;
    while ((l = lease_over(t, true, 0)))
        (void)lease_end(l);
    free(t);
}

/* ---- places ---- */

static struct lease *place(struct lease_table *t, uint64_t hash)
{
    return &t->places[hash % LEASE_PLACES];
}

static bool is_busy(const struct lease *l, int64_t now_us)
{
    return l->id != 0 || (l->asked != 0 && now_us - l->asked_us < period_us);
}

static void roll(struct lease *l, int64_t now_us)
{
    int64_t passed = now_us - l->period_us;

    if (passed < period_us)
        return;
    l->hits_before = passed < 2 * period_us ? l->hits : 0;
    l->hits = 0;
    l->period_us = now_us;
}

struct lease *lease_seen(struct lease_table *t, uint64_t hash, int64_t cost,
                         int64_t now_us)
{
    struct lease *l = place(t, hash);

    if (l->hash != hash) {
        if (is_busy(l, now_us))
            return NULL;
        *l = (struct lease){.hash = hash, .period_us = now_us};
    }
    roll(l, now_us);
    l->hits += cost;
    return l;
}

struct lease *lease_find(struct lease_table *t, uint64_t hash)
{
    struct lease *l = place(t, hash);

    return l->hash == hash ? l : NULL;
}

/* ---- a lease ---- */

bool lease_covers(const struct lease *l, int64_t cost, int64_t now_us)
{
    return l->id != 0 && now_us < l->until_us && l->left >= cost;
}

void lease_use(struct lease *l, int64_t cost)
{
    l->left -= cost;
}

int64_t lease_wanted(const struct lease *l, int64_t now_us)
{
    int64_t hits = l->hits > l->hits_before ? l->hits : l->hits_before;

    if (hits < LEASE_HOT || (l->asked != 0 && now_us - l->asked_us < period_us))
        return 0;
    return 2 * hits;
}

void lease_asked(struct lease *l, uint64_t id, int64_t now_us)
{
    l->asked = id;
    l->asked_us = now_us;
}

bool lease_granted(struct lease_table *t, struct lease *l, uint64_t id,
                   const struct lease_terms *terms, unsigned policy, struct str key)
{
    if (l->asked != id || l->id != 0)
        return false;
    l->asked = 0;
    l->id = id;
    l->terms = *terms;
    l->left = terms->permits;
    l->until_us = l->asked_us + period_us;
    l->policy = policy;
    l->key = mem_alloc(key.n + 1);
    memcpy(l->key, key.p, key.n);
    l->key_n = key.n;
    list_push(&t->held, &l->held);
    return true;
}

int64_t lease_end(struct lease *l)
{
    int64_t used = l->terms.permits - l->left;

    list_remove(&l->held);
    free(l->key);
    l->key = NULL;
    l->id = 0;
    return used;
}

struct lease *lease_over(struct lease_table *t, bool all, int64_t now_us)
{
    struct lease *l;

    if (list_empty(&t->held))
        return NULL;
    l = CONTAINER_OF(t->held.next, struct lease, held);
    return all || l->until_us <= now_us ? l : NULL;
}

int64_t lease_next_us(const struct lease_table *t)
{
    if (list_empty(&t->held))
        return 0;
    return CONTAINER_OF(t->held.next, struct lease, held)->until_us;
}
