// SPDX-License-Identifier: Apache-2.0
/*
 * The timer wheel of one loop (Varghese and Lauck 1987, scheme 6): a timer hangs in the
 * slot of its due tick modulo the number of slots. A bitmap of used slots and the
 * earliest tick of each tell how long the loop may sleep. Private to kit/loop.
 */
#ifndef KIT_LOOP_WHEEL_H
#define KIT_LOOP_WHEEL_H

#include "kit/loop/loop.h"

enum { WHEEL_SLOTS = 512, WHEEL_WORDS = WHEEL_SLOTS / 64 };

struct wheel {
    struct list slots[WHEEL_SLOTS];
    int64_t
        earliest[WHEEL_SLOTS];  /* tick; a lower bound, as cleared timers leave theirs */
    uint64_t used[WHEEL_WORDS]; /* bit of a slot that may hold timers */
    int64_t tick;               /* all timers due by this tick were handed out */
    int64_t next;               /* no timer is due before this tick */
};

void wheel_init(struct wheel *w, int64_t now_us);
/* By t->due_us; t is in no list. */
void wheel_add(struct wheel *w, struct loop_timer *t);
/* Moves every timer that is due to the end of `due`. */
void wheel_advance(struct wheel *w, int64_t now_us, struct list *due);
/* The monotonic time at which wheel_advance() may find something; INT64_MAX: never. */
int64_t wheel_next_us(const struct wheel *w);

#endif
