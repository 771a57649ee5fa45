// SPDX-License-Identifier: Apache-2.0
/*
 * Least-recently-used store of byte strings, bounded by bytes (keys, values and
 * overhead). A hash table over entries that also lie in a ring, the most recent last.
 * Knows times only as numbers. One thread.
 */
#ifndef KIT_CACHE_LRU_H
#define KIT_CACHE_LRU_H

#include "kit/base/list.h"
#include "kit/base/str.h"

struct lru_entry {
    struct list ring;
    struct lru_entry *chain;
    uint64_t hash;
    size_t bytes;
    struct str key;
    struct str value; /* absent: "no such thing" is what is known */
    int64_t fresh_until_us, stale_until_us;
    uint64_t epoch; /* the caller's */
};

struct lru {
    struct lru_entry **buckets;
    size_t n_buckets, count;
    size_t bytes, max_bytes;
    struct list ring;
    /* Frees an entry that is out: perhaps later, while somebody may still read it. */
    void (*dispose)(void *arg, void *entry);
    void *arg;
};

void lru_init(struct lru *l, size_t max_bytes, void (*dispose)(void *arg, void *entry),
              void *arg);
void lru_fini(struct lru *l);

/* NULL when it is not there; else it is the most recent now. */
struct lru_entry *lru_get(struct lru *l, struct str key);

/* Replaces what is there under the key. The caller sets times and epoch. NULL when it is
 * larger than the whole store. */
struct lru_entry *lru_put(struct lru *l, struct str key, struct str value);

void lru_drop(struct lru *l, struct str key);

#endif
