// SPDX-License-Identifier: Apache-2.0
/* Slots grow by doubling; free ones form a chain through `next`. */
#include "kit/rpc/slots.h"

#include "kit/base/mem.h"

#include <stdlib.h>

enum { FIRST_ROOM = 64, USE = RPC_SLOTS_MAX };

struct rpc_slot {
    struct rpc_call *call; /* NULL: free */
    uint32_t id;           /* the slot's index + USE * uses */
    uint32_t next;
};

void rpc_slots_init(struct rpc_slots *s)
{
    *s = (struct rpc_slots){0};
}

void rpc_slots_fini(struct rpc_slots *s)
{
    free(s->v);
}

static void grow(struct rpc_slots *s)
{
    uint32_t room = s->room ? 2 * s->room : FIRST_ROOM;

    s->v = mem_realloc(s->v, room * sizeof *s->v);
    for (uint32_t i = s->room; i < room; i++)
        s->v[i] = (struct rpc_slot){.id = i + USE, .next = i + 1};
    s->free = s->room;
    s->room = room;
}

uint32_t rpc_slots_add(struct rpc_slots *s, struct rpc_call *call)
{
    struct rpc_slot *slot;

    if (s->used == RPC_SLOTS_MAX)
        return 0;
    if (s->free == s->room)
        grow(s);
    slot = &s->v[s->free];
    s->free = slot->next;
    s->used++;
    slot->call = call;
    return slot->id;
}

static struct rpc_slot *slot_of(const struct rpc_slots *s, uint32_t id)
{
    uint32_t i = id % USE;

    return i < s->room && s->v[i].id == id && s->v[i].call ? &s->v[i] : NULL;
}

void rpc_slots_remove(struct rpc_slots *s, uint32_t id)
{
    struct rpc_slot *slot = slot_of(s, id);

    if (!slot)
        return;
    slot->call = NULL;
    slot->id += USE;
    if (slot->id < USE) /* wrapped: keeps ids above 0 */
        slot->id += USE;
    slot->next = s->free;
    s->free = id % USE;
    s->used--;
}

struct rpc_call *rpc_slots_find(const struct rpc_slots *s, uint32_t id)
{
    const struct rpc_slot *slot = slot_of(s, id);

    return slot ? slot->call : NULL;
}
