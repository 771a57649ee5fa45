// SPDX-License-Identifier: Apache-2.0
/* Offsets that are done out of order, and the mark below which all are done. */
#include "kit/kafka/window.h"

#include "kit/base/mem.h"

#include <stdlib.h>

void kafka_window_init(struct kafka_window *w)
{
    list_init(&w->slots);
    w->count = 0;
}

static struct kafka_slot *first(struct kafka_window *w)
{
    return CONTAINER_OF(w->slots.next, struct kafka_slot, link);
}

static int64_t drop_first(struct kafka_window *w)
{
    struct kafka_slot *slot = first(w);
    int64_t offset = slot->offset;

    list_remove(&slot->link);
    free(slot);
    w->count--;
    return offset;
}

void kafka_window_fini(struct kafka_window *w)
{
    while (!list_empty(&w->slots))
        drop_first(w);
}

struct kafka_slot *kafka_window_open(struct kafka_window *w, int64_t offset)
{
    struct kafka_slot *slot = MEM_NEW(struct kafka_slot);

    slot->offset = offset;
    list_init(&slot->link);
    list_push(&w->slots, &slot->link);
    w->count++;
    return slot;
}

int64_t kafka_window_done(struct kafka_window *w, struct kafka_slot *slot)
{
    int64_t mark = -1;

    slot->done = true;
    while (!list_empty(&w->slots) && first(w)->done)
        mark = drop_first(w) + 1;
    return mark;
}
