// SPDX-License-Identifier: Apache-2.0
#include "kit/rpc/slots.h"

#include <criterion/criterion.h>

static char things[RPC_SLOTS_MAX];

static struct rpc_call *call(int i)
{
    return (struct rpc_call *)(void *)&things[i];
}

static struct rpc_slots slots;

static void start(void)
{
    rpc_slots_init(&slots);
}

static void stop(void)
{
    rpc_slots_fini(&slots);
}

TestSuite(rpc_slots, .init = start, .fini = stop);

Test(rpc_slots, ids_find_their_calls_up_to_the_limit)
{
    static uint32_t ids[RPC_SLOTS_MAX];

    for (int i = 0; i < RPC_SLOTS_MAX; i++) {
        ids[i] = rpc_slots_add(&slots, call(i));
        cr_assert_neq(ids[i], 0u);
    }
    cr_assert_eq(rpc_slots_add(&slots, call(0)), 0u);
    for (int i = 0; i < RPC_SLOTS_MAX; i++)
        cr_assert_eq(rpc_slots_find(&slots, ids[i]), call(i));
}

Test(rpc_slots, a_late_id_does_not_find_the_next_call_of_its_slot)
{
    uint32_t old = rpc_slots_add(&slots, call(1));
    uint32_t fresh;

    rpc_slots_remove(&slots, old);
    fresh = rpc_slots_add(&slots, call(2));
    cr_assert_neq(old, fresh);
    cr_assert_null(rpc_slots_find(&slots, old));
    cr_assert_eq(rpc_slots_find(&slots, fresh), call(2));
    rpc_slots_remove(&slots, old);
    cr_assert_eq(rpc_slots_find(&slots, fresh), call(2));
}

Test(rpc_slots, ids_nobody_gave_find_nothing)
{
    uint32_t id = rpc_slots_add(&slots, call(1));

    cr_assert_null(rpc_slots_find(&slots, 0));
    cr_assert_null(rpc_slots_find(&slots, id + 1));
    cr_assert_null(rpc_slots_find(&slots, id + RPC_SLOTS_MAX));
    cr_assert_null(rpc_slots_find(&slots, UINT32_MAX));
}

Test(rpc_slots, no_id_is_ever_zero)
{
    for (uint32_t i = 0; i < 3u << 20; i++) {
        uint32_t id = rpc_slots_add(&slots, call(0));

        cr_assert_neq(id, 0u);
        rpc_slots_remove(&slots, id);
    }
}

Test(rpc_slots, freed_slots_are_used_again_after_growing)
{
    uint32_t ids[300];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100 * (round + 1); i++)
            ids[i] = rpc_slots_add(&slots, call(i));
        cr_assert_eq(slots.used, 100u * (unsigned)(round + 1));
        for (int i = 0; i < 100 * (round + 1); i++)
            rpc_slots_remove(&slots, ids[i]);
    }
    cr_assert_eq(slots.used, 0u);
    cr_assert_leq(slots.room, 512u);
}
