// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/session_set.h. Nothing is removed in place: growing leaves out what
 * has expired. */
#include "gateway/edge/session_set.h"

#include "kit/base/mem.h"

#include <stdlib.h>

enum { ROOM_FIRST = 64 };

void session_set_init(struct session_set *s)
{
    *s = (struct session_set){0};
}

void session_set_fini(struct session_set *s)
{
    free(s->slots);
    *s = (struct session_set){0};
}

/* Where id is, or the free slot where it would go. There is always a free one. */
static struct session_set_entry *find(const struct session_set *s, struct uuid id)
{
    size_t i = hash_bytes(&id, sizeof id) & (s->room - 1);

    while (s->slots[i].until_s != 0 && !uuid_eq(s->slots[i].id, id))
        i = (i + 1) & (s->room - 1);
    return &s->slots[i];
}

static void put(struct session_set *s, struct uuid id, int64_t until_s)
{
    struct session_set_entry *e = find(s, id);

    if (e->until_s == 0)
        s->n++;
    e->id = id;
    if (until_s > e->until_s)
        e->until_s = until_s;
}

static size_t count_after(const struct session_set *s, int64_t moment_s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->room; i++)
        n += s->slots[i].until_s > moment_s;
    return n;
}

/* Keeps what ends after the moment, with room for as many again. */
static void rebuild(struct session_set *s, int64_t moment_s)
{
    struct session_set old = *s;
    size_t keep = count_after(s, moment_s);

    s->room = ROOM_FIRST;
    while (s->room < 4 * keep)
        s->room *= 2;
    s->slots = mem_alloc(s->room * sizeof *s->slots);
    s->n = 0;
    for (size_t i = 0; i < old.room; i++)
        if (old.slots[i].until_s > moment_s)
            put(s, old.slots[i].id, old.slots[i].until_s);
    free(old.slots);
}

/* The moment after which at most half of the bound is left. */
static int64_t crowded_until(const struct session_set *s, int64_t now_s)
{
    int64_t moment_s = now_s;

    for (int64_t step = 1; count_after(s, moment_s) > SESSION_SET_MAX / 2; step *= 2)
        moment_s += step;
    return moment_s;
}

void session_set_add(struct session_set *s, struct uuid id, int64_t until_s,
                     int64_t now_s)
{
    if (until_s <= now_s)
        return;
    if (2 * (s->n + 1) > s->room)
        rebuild(s, s->n < SESSION_SET_MAX ? now_s : crowded_until(s, now_s));
    put(s, id, until_s);
}

bool session_set_has(const struct session_set *s, struct uuid id, int64_t now_s)
{
    return s->room > 0 && find(s, id)->until_s > now_s;
}
