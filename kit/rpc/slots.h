// SPDX-License-Identifier: Apache-2.0
/*
 * Calls under way by their id. An id is a slot and how often that slot was used, so a
 * late answer to a call that ended is told apart from one to the call now in the slot.
 * One thread.
 */
#ifndef KIT_RPC_SLOTS_H
#define KIT_RPC_SLOTS_H

#include <stdint.h>

enum { RPC_SLOTS_MAX = 4096 };

struct rpc_call;
struct rpc_slot;

struct rpc_slots {
    struct rpc_slot *v;
    uint32_t room, used;
    uint32_t free; /* index of the first free slot; `room` when there is none */
};

void rpc_slots_init(struct rpc_slots *s);
void rpc_slots_fini(struct rpc_slots *s);
/* The id of the call, never 0; 0 when all are in use. */
uint32_t rpc_slots_add(struct rpc_slots *s, struct rpc_call *call);
void rpc_slots_remove(struct rpc_slots *s, uint32_t id);
/* NULL when the call of that id is over. */
struct rpc_call *rpc_slots_find(const struct rpc_slots *s, uint32_t id);

#endif
