// SPDX-License-Identifier: Apache-2.0
/*
 * Adaptive concurrency limit: how many calls one upstream may have at a time, found from
 * the latency it shows. Every window the limit is multiplied by the gradient
 *
 *     long average / average of this window, between 1/2 and 1
 *
 * with a tolerance, smoothed, plus some room to grow (Gradient2 of Netflix's
 * concurrency-limits, Gradient2Limit.java, which descends from TCP Vegas). What differs:
 *
 *   - Latency is compared within a class (a method), and the ratios are averaged: a rush
 *     of sign-ins of 80 ms among reads of 1 ms is no congestion.
 *   - Below `calm_ms` nothing is: queues that short are what batching lives on.
 *   - Room to grow is an eighth, so that a wide limit recovers as fast as a narrow one.
 *   - It starts at `max` and falls from at most twice of what was under way, so that
 *     it is out of the way until there is something to limit.
 *
 * Priorities have different shares of the limit: bulk is refused first, then ordinary
 * calls, vital ones last. Pure: the caller gives the time. One thread.
 */
#ifndef KIT_GUARD_GRADIENT_H
#define KIT_GUARD_GRADIENT_H

#include "kit/base/priority.h"

#include <stdbool.h>
#include <stdint.h>

enum { GRADIENT_CLASSES = 64, GRADIENT_WINDOW_MS = 100, GRADIENT_WINDOW_CALLS = 10 };

struct gradient_conf {
    unsigned min, max; /* calls */
    unsigned calm_ms;  /* faster than this is never congestion */
};

struct gradient_class {
    double long_us; /* 0: nothing known */
    double sum_us;  /* of this window */
    unsigned n, windows;
};

struct gradient {
    struct gradient_conf conf;
    double limit;
    unsigned in_flight, peak; /* peak: of late */
    int64_t window_us;        /* when it began */
    unsigned samples;         /* in it */
    struct gradient_class classes[GRADIENT_CLASSES];
};

void gradient_init(struct gradient *l, const struct gradient_conf *conf, int64_t now_us);

/* Room for one call more? true must be followed by exactly one gradient_leave. */
bool gradient_enter(struct gradient *l, enum priority p);
void gradient_leave(struct gradient *l);

/* How long a call took, also one that timed out; not one that was refused or cancelled.
 * `class`: any number, calls that do the same have the same. */
void gradient_sample(struct gradient *l, unsigned class, int64_t now_us, int64_t took_us);

unsigned gradient_limit(const struct gradient *l);

#endif
