// SPDX-License-Identifier: Apache-2.0
/*
 * The messages of one partition that were handed out, in the order of their offsets. They
 * may be done in any order; the offset to store is the low-water mark: everything before
 * it is done. Pure; private to kit/kafka.
 */
#ifndef KIT_KAFKA_WINDOW_H
#define KIT_KAFKA_WINDOW_H

#include "kit/base/list.h"

#include <stdint.h>

struct kafka_slot {
    struct list link;
    int64_t offset;
    bool done;
};

struct kafka_window {
    struct list slots; /* ascending offsets; the first one is not done */
    unsigned count;    /* done ones behind an open one included */
};

void kafka_window_init(struct kafka_window *w);
void kafka_window_fini(struct kafka_window *w);
/* offset is above all before it. The slot is the window's until it is done. */
struct kafka_slot *kafka_window_open(struct kafka_window *w, int64_t offset);
/* The offset to go on from, when the low-water mark has moved; otherwise -1. */
int64_t kafka_window_done(struct kafka_window *w, struct kafka_slot *slot);

#endif
