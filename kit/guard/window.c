// SPDX-License-Identifier: Apache-2.0
/*
 * The table is one array of entries, handed out in order until it is full and then taken
 * from the least recently seen; memory that was never handed out is never touched. An
 * entry knows its identity by a keyed 64-bit hash: two identities share one with a chance
 * of 2^-64 a pair, which no peer can improve.
 */
#include "kit/guard/window.h"

#include "kit/base/id.h"
#include "kit/base/list.h"
#include "kit/base/mem.h"

#include <stdlib.h>

struct entry {
    struct list lru; /* oldest first */
    uint64_t key;
    int64_t start_us; /* of the current window */
    int64_t current, previous;
    uint32_t chain; /* next entry of the same slot, plus 1; 0 ends */
};

struct window_table {
    struct entry *entries;
    uint32_t *slots; /* entry number plus 1; 0 is empty */
    uint32_t mask;
    uint32_t used, max;
    struct list lru;
};

struct window_table *window_table_create(unsigned max_identities)
{
    struct window_table *t = MEM_NEW(struct window_table);
    uint32_t slots = 1;

    t->max = max_identities > 0 ? max_identities : 1;
    while (slots < t->max && slots < 1U << 30)
        slots *= 2;
    t->mask = slots - 1;
    t->slots = mem_alloc(sizeof *t->slots * slots);
    t->entries = mem_alloc(sizeof *t->entries * t->max);
    list_init(&t->lru);
    return t;
}

void window_table_destroy(struct window_table *t)
{
    if (!t)
        return;
    free(t->entries);
    free(t->slots);
    free(t);
}

static struct entry *find(struct window_table *t, uint64_t key)
{
    for (uint32_t i = t->slots[key & t->mask]; i != 0; i = t->entries[i - 1].chain)
        if (t->entries[i - 1].key == key)
            return &t->entries[i - 1];
    return NULL;
}

static uint32_t number(const struct window_table *t, const struct entry *e)
{
    return (uint32_t)(e - t->entries) + 1;
}

static void unchain(struct window_table *t, struct entry *e)
{
    uint32_t *at = &t->slots[e->key & t->mask];

    while (*at != number(t, e))
        at = &t->entries[*at - 1].chain;
    *at = e->chain;
}

static struct entry *take_entry(struct window_table *t)
{
    struct entry *e;

    if (t->used < t->max)
        return &t->entries[t->used++];
    e = CONTAINER_OF(list_pop(&t->lru), struct entry, lru);
    unchain(t, e);
    return e;
}

static struct entry *make(struct window_table *t, uint64_t key, int64_t now_us)
{
    struct entry *e = take_entry(t);

    *e = (struct entry){.key = key, .start_us = now_us, .chain = t->slots[key & t->mask]};
    t->slots[key & t->mask] = number(t, e);
    list_push(&t->lru, &e->lru);
    return e;
}

static struct entry *seen(struct window_table *t, struct str identity, int64_t now_us)
{
    uint64_t key = hash_bytes(identity.p, identity.n);
    struct entry *e = find(t, key);

    if (!e)
        return make(t, key, now_us);
    list_remove(&e->lru);
    list_push(&t->lru, &e->lru);
    return e;
}

static void roll(struct entry *e, int64_t window_us, int64_t now_us)
{
    int64_t passed = (now_us - e->start_us) / window_us;

    if (passed <= 0)
        return;
    e->previous = passed == 1 ? e->current : 0;
    e->current = 0;
    e->start_us += passed * window_us;
}

/* Of `count` calls of one window, how much a sliding window still covers `into_us` after
 * its end. */
static double covered(int64_t count, int64_t into_us, int64_t window_us)
{
    return (double)count * (double)(window_us - into_us) / (double)window_us;
}

/* When covered(count, t) <= room; count > room. */
static int64_t when_room_us(int64_t count, int64_t room, int64_t window_us)
{
    double share = room > 0 ? (double)room / (double)count : 0;

    return window_us - (int64_t)((double)window_us * share);
}

/* most: what may be in the window. */
static int64_t until_room_us(const struct entry *e, int64_t most, int64_t window_us,
                             int64_t into_us)
{
    int64_t room = most - e->current;

    if (room >= 0)
        return when_room_us(e->previous, room, window_us) - into_us;
    return window_us - into_us + when_room_us(e->current, most, window_us);
}

static struct window_answer refused(int64_t reset_us)
{
    return (struct window_answer){.reset_ms = reset_us > 0 ? (reset_us + 999) / 1000 : 1};
}

struct window_answer window_take(struct window_table *t, struct str identity,
                                 int64_t limit, int64_t cost, int64_t window_ms,
                                 int64_t now_us)
{
    int64_t window_us = (window_ms > 0 ? window_ms : 1) * 1000, into_us;
    struct entry *e;
    double left;

    if (limit <= 0)
        return refused(window_us);
    e = seen(t, identity, now_us);
    roll(e, window_us, now_us);
    into_us = now_us - e->start_us;
    left = (double)(limit - e->current) - covered(e->previous, into_us, window_us);
    if (left < (double)cost)
        return refused(until_room_us(e, limit - cost, window_us, into_us));
    e->current += cost;
    return (struct window_answer){
        .allowed = true,
        .remaining = (int64_t)left - cost,
        .reset_ms = (2 * window_us - into_us + 999) / 1000,
    };
}

void window_undo(struct window_table *t, struct str identity, int64_t cost)
{
    struct entry *e = find(t, hash_bytes(identity.p, identity.n));

    if (e)
        e->current -= e->current < cost ? e->current : cost;
}
