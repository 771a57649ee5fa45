// SPDX-License-Identifier: Apache-2.0
/*
 * Measures turns; what is counted is said in loop.h. The kernel's wait and the callbacks
 * lie in one call of libevent, which tells nobody when the wait was over: our own
 * callbacks take the time when the first of them runs, and what other code on the base
 * (evhttp, TLS) did before is the thread's CPU time up to then, as that code never
 * blocks. It costs two reads of the monotonic clock a turn, and a system call on a base
 * that other code uses.
 */
#ifndef KIT_LOOP_WATCH_H
#define KIT_LOOP_WATCH_H

#include "kit/loop/loop.h"

#include <stdatomic.h>

struct watch {
    bool foreign;      /* other code has the event base */
    bool entered;      /* in this turn */
    int64_t enter_us;  /* monotonic */
    int64_t before_us; /* CPU time of other code before that */
    int64_t cpu_us;    /* the thread's CPU time when the last turn ended */
    _Atomic uint64_t turns, longest_us, over_5ms;
};

void watch_begin(struct watch *w);
/* From the first callback of the turn on, the time counts; later ones change nothing. */
void watch_enter(struct watch *w);
void watch_end(struct watch *w);
/* Any thread. */
struct loop_turns watch_read(const struct watch *w);
void watch_restart(struct watch *w);

#endif
