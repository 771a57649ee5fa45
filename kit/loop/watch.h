// SPDX-License-Identifier: Apache-2.0
/*
 * Measures turns; what is counted is said in loop.h. The kernel's wait and the callbacks
 * lie in one call of libevent, which tells nobody when the wait was over: our own
 * callbacks take the time when the first of them runs, and what other code on the base
 * (evhttp, TLS) did before is the thread's CPU time up to then, as that code never
 * blocks.
 *
 * How long a thread was ready but had no processor is in /proc/thread-self/schedstat. It
 * is read when a turn was long, and at the beginning of a turn when it was not for
 * WATCH_SAMPLE_US: so a turn's share of it is true to that much. Costs: two reads of the
 * monotonic clock a turn and one a callback; two system calls a millisecond at most, and
 * one a turn on a base that other code uses.
 *
 * A thread that did not switch of its own will (getrusage(2), ru_nvcsw) was not blocked.
 * Time that is missing all the same was the machine's: on Linux with paravirtual time
 * accounting a thread's CPU time does not count what the hypervisor took.
 */
#ifndef KIT_LOOP_WATCH_H
#define KIT_LOOP_WATCH_H

#include "kit/loop/loop.h"

#include <stdatomic.h>

enum { WATCH_SAMPLE_US = 1000 };

struct watch_sample {
    int64_t cpu_us;    /* what the thread computed */
    int64_t queued_us; /* what it waited for a processor */
    long waits;        /* how often it waited for anything else */
};

/* Of a long turn. What is left belongs to none of the thread's doings: a hypervisor or an
 * interrupt had the processor. */
struct watch_parts {
    int64_t us, computed_us, queued_us, blocked_us;
};

/* Of the turn under way. */
struct watch_turn {
    int64_t enter_us;  /* monotonic */
    int64_t before_us; /* CPU time of other code before that */
    const char *running;
    int64_t running_us; /* since then */
    const char *longest;
    int64_t longest_us;
    unsigned callbacks;
};

struct watch {
    bool foreign;   /* other code has the event base */
    bool entered;   /* in this turn */
    int stat_fd;    /* schedstat of the loop's thread while it runs; -1: there is none */
    int64_t cpu_us; /* the thread's CPU time when the last turn ended */
    int64_t sampled_us;
    struct watch_sample sample;
    struct watch_turn turn;
    int64_t silent_until_us;
    unsigned unsaid; /* long turns that were not logged */
    _Atomic uint64_t turns, longest_us, over_5ms, longest_own_us, own_over_5ms;
};

/* In the loop's thread, before the first turn and after the last. */
void watch_open(struct watch *w);
void watch_close(struct watch *w);

void watch_begin(struct watch *w);
/* From the first callback of the turn on, the time counts; later ones change nothing. */
void watch_enter(struct watch *w);
/* What runs from now on: a literal, NULL for the loop itself. */
void watch_mark(struct watch *w, const char *what);
/* How long the turn had taken then. */
static inline int64_t watch_marked_us(const struct watch *w)
{
    return w->turn.before_us + w->turn.running_us - w->turn.enter_us;
}
/* A longer story: a warning, at most one a second. */
void watch_end(struct watch *w);
/* Any thread. */
struct loop_turns watch_read(const struct watch *w);
void watch_restart(struct watch *w);

#endif
