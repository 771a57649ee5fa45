// SPDX-License-Identifier: Apache-2.0
/* Chained hash table and ring; an entry, its key and its value are one piece of memory.
 */
#include "kit/cache/lru.h"

#include "kit/base/id.h"
#include "kit/base/mem.h"

#include <stdlib.h>

enum { FIRST_BUCKETS = 64 }; /* a power of two */

void lru_init(struct lru *l, size_t max_bytes, void (*dispose)(void *arg, void *entry),
              void *arg)
{
    *l = (struct lru){.n_buckets = FIRST_BUCKETS,
                      .max_bytes = max_bytes,
                      .dispose = dispose,
                      .arg = arg};
    l->buckets = mem_alloc(sizeof(struct lru_entry *) * l->n_buckets);
    list_init(&l->ring);
}

static struct lru_entry **bucket_of(const struct lru *l, uint64_t hash)
{
    return &l->buckets[hash & (l->n_buckets - 1)];
}

/* Where the pointer to the entry is, or where it would be. */
static struct lru_entry **find(const struct lru *l, uint64_t hash, struct str key)
{
    struct lru_entry **p = bucket_of(l, hash);

    while (*p && ((*p)->hash != hash || !str_eq((*p)->key, key)))
        p = &(*p)->chain;
    return p;
}

static void take_out(struct lru *l, struct lru_entry **p)
{
    struct lru_entry *e = *p;

    if (!e)
        return;
    *p = e->chain;
    list_remove(&e->ring);
    l->count--;
    l->bytes -= e->bytes;
    l->dispose(l->arg, e);
}

static struct lru_entry *oldest(const struct lru *l)
{
    return CONTAINER_OF(l->ring.next, struct lru_entry, ring);
}

static void make_room(struct lru *l, size_t bytes)
{
    while (!list_empty(&l->ring) && l->bytes + bytes > l->max_bytes) {
        struct lru_entry *e = oldest(l);

        take_out(l, find(l, e->hash, e->key));
    }
}

void lru_fini(struct lru *l)
{
    make_room(l, l->max_bytes + 1);
    free(l->buckets);
    l->buckets = NULL;
}

static void insert(struct lru *l, struct lru_entry *e)
{
    struct lru_entry **bucket = bucket_of(l, e->hash);

    e->chain = *bucket;
    *bucket = e;
}

static void grow(struct lru *l)
{
    free(l->buckets);
    l->n_buckets *= 2;
    l->buckets = mem_alloc(sizeof(struct lru_entry *) * l->n_buckets);
    LIST_EACH (it, &l->ring)
        insert(l, CONTAINER_OF(it, struct lru_entry, ring));
}

struct lru_entry *lru_get(struct lru *l, struct str key)
{
    struct lru_entry *e = *find(l, hash_bytes(key.p, key.n), key);

    if (e) {
        list_remove(&e->ring);
        list_push(&l->ring, &e->ring);
    }
    return e;
}

static struct lru_entry *make_entry(struct str key, struct str value, size_t bytes)
{
    struct lru_entry *e = mem_alloc(bytes);
    char *data = (char *)(e + 1);

    memcpy(data, key.p, key.n);
    e->key = (struct str){data, key.n};
    if (value.p) {
        memcpy(data + key.n, value.p, value.n);
        e->value = (struct str){data + key.n, value.n};
    }
    e->bytes = bytes;
    return e;
}

struct lru_entry *lru_put(struct lru *l, struct str key, struct str value)
{
    size_t bytes = sizeof(struct lru_entry) + key.n + value.n;
    struct lru_entry *e;

    lru_drop(l, key);
    if (bytes > l->max_bytes)
        return NULL;
    make_room(l, bytes);
    e = make_entry(key, value, bytes);
    e->hash = hash_bytes(key.p, key.n);
    list_init(&e->ring);
    list_push(&l->ring, &e->ring);
    insert(l, e);
    l->bytes += bytes;
    if (++l->count > l->n_buckets)
        grow(l);
    return e;
}

void lru_drop(struct lru *l, struct str key)
{
    struct lru_entry **p = find(l, hash_bytes(key.p, key.n), key);

    if (*p)
        take_out(l, p);
}
