// SPDX-License-Identifier: Apache-2.0
/*
 * Leases of permits: what a loop may let through without asking Redis. An identity that
 * calls often gets some permits at once; they count as used in Redis until they are given
 * back. This table knows times only as numbers, and asks nobody: gateway/edge/limit.c
 * does. One place per hash; an identity whose place is held by another has no leases. One
 * thread.
 *
 * Life of a lease: lease_wanted() says how many -> lease_asked() -> lease_granted() ->
 * lease_use() while lease_covers() -> lease_end(), once, with what is to be told to
 * Redis. One that was asked for and not granted is asked for again after LEASE_MS.
 */
#ifndef GATEWAY_EDGE_LEASE_H
#define GATEWAY_EDGE_LEASE_H

#include "kit/base/list.h"
#include "kit/base/str.h"

#include <stdint.h>

enum {
    LEASE_PLACES = 4096,
    LEASE_MS = 1000,    /* how long permits may be used, from when they were asked for */
    LEASE_HOT = 8,      /* calls in that time, from which on it is worth it */
    LEASE_WINDOW_S = 20 /* the shortest window of a policy with leases */
};

struct lease_terms {
    int64_t permits;
    int64_t remaining; /* what the limit leaves beside them */
    int64_t reset_us;  /* when some of what is counted leaves the window */
};

struct lease {
    uint64_t hash;
    int64_t period_us; /* hits are counted since then */
    int64_t hits, hits_before;
    uint64_t asked; /* id of one that may be on its way; 0: none */
    int64_t asked_us;

    uint64_t id; /* 0: none is held */
    struct list held;
    struct lease_terms terms;
    int64_t left, until_us;
    unsigned policy; /* the caller's, as is the key: a copy */
    char *key;
    size_t key_n;
};

struct lease_table {
    struct list held; /* the first to end first */
    struct lease places[LEASE_PLACES];
};

struct lease_table *lease_table_create(void);
/* Leases that are held are forgotten. Takes NULL. */
void lease_table_destroy(struct lease_table *t);

/* A call of that cost comes. NULL: the place is another's. */
struct lease *lease_seen(struct lease_table *t, uint64_t hash, int64_t cost,
                         int64_t now_us);
/* Its place, if it still has it. */
struct lease *lease_find(struct lease_table *t, uint64_t hash);

bool lease_covers(const struct lease *l, int64_t cost, int64_t now_us);
void lease_use(struct lease *l, int64_t cost);

/* How many permits to ask for; 0: none. */
int64_t lease_wanted(const struct lease *l, int64_t now_us);
void lease_asked(struct lease *l, uint64_t id, int64_t now_us);
/* False: it was not asked for, or too long ago. */
bool lease_granted(struct lease_table *t, struct lease *l, uint64_t id,
                   const struct lease_terms *terms, unsigned policy, struct str key);

/* Held no more; gives how many permits of it were used. */
int64_t lease_end(struct lease *l);
/* The next that is held and over; NULL: none. all: over or not. */
struct lease *lease_over(struct lease_table *t, bool all, int64_t now_us);
/* When the next will be over; 0: none is held. */
int64_t lease_next_us(const struct lease_table *t);

#endif
