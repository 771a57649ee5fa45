// SPDX-License-Identifier: Apache-2.0
/* What the files of kit/loop share. */
#ifndef KIT_LOOP_INTERNAL_H
#define KIT_LOOP_INTERNAL_H

#include "kit/loop/loop.h"
#include "kit/loop/wheel.h"

#include <event2/event.h>
#include <stdatomic.h>

struct dying {
    void (*fn)(void *);
    void *ptr;
};

struct loop {
    struct event_base *base;
    struct event *wake;  /* eventfd: posts and loop_stop */
    struct event *alarm; /* ends the kernel's wait when a timer is due */
    int64_t alarm_us;    /* when it is set to ring; INT64_MAX: not set */
    int wake_fd;
    _Atomic(struct loop_post *) posts; /* newest first */
    atomic_bool stopping;

    struct list soon, at_end; /* of loop_task */
    struct dying *frees;
    size_t frees_n, frees_room;
    struct wheel wheel;

    int64_t turn_began_us; /* 0: nothing has run in this turn yet */
    _Atomic uint64_t turns, longest_us, over_5ms;
};

/* Every callback of the loop calls it first: the turn's time starts with the first one.
 */
void loop_enter(struct loop *l);

#endif
