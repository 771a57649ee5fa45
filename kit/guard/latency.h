// SPDX-License-Identifier: Apache-2.0
/*
 * How slow a replica is of late, for balancing: a moving average over its answers that
 * falls while nothing is heard, so that one that was slow is tried again. The cost of a
 * replica is that average times the calls it has. (After Finagle's PeakEwma.scala, also
 * in linkerd2's balancer. Theirs jumps to each peak and weighs every difference; on calls
 * of a millisecond the scheduler's hiccups then decide the shares, so here a peak counts
 * for an eighth, and latency for nothing until one is more than twice as slow.)
 * Pure: the caller gives the time. One thread.
 */
#ifndef KIT_GUARD_LATENCY_H
#define KIT_GUARD_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LATENCY_FALL_US = 5000000, /* silent for so long, and half of it is forgotten */
    LATENCY_MARGIN_US = 5000,  /* and how much slower, beside twice, it must be */
    LATENCY_SAMPLES = 8,
};

struct latency {
    double us;
    int64_t at_us; /* of the last answer */
};

static inline double latency_us(const struct latency *l, int64_t now_us)
{
    int64_t silent_us = now_us - l->at_us;

    return silent_us <= 0
               ? l->us
               : l->us * (double)LATENCY_FALL_US / (double)(LATENCY_FALL_US + silent_us);
}

static inline void latency_add(struct latency *l, int64_t now_us, int64_t took_us)
{
    double was = latency_us(l, now_us);

    l->us = was + ((double)took_us - was) / (double)LATENCY_SAMPLES;
    l->at_us = now_us;
}

/* What it was before is over: this is its first answer again. */
static inline void latency_begin(struct latency *l, int64_t now_us, int64_t took_us)
{
    *l = (struct latency){.us = (double)took_us, .at_us = now_us};
}

static inline bool latency_much_slower(double us, double than_us)
{
    return us > 2 * than_us + (double)LATENCY_MARGIN_US;
}

/* Would a call more cost less at `b` than at `a`? They have these calls under way. */
static inline bool latency_cheaper(const struct latency *b, unsigned b_calls,
                                   const struct latency *a, unsigned a_calls,
                                   int64_t now_us)
{
    double of_a = latency_us(a, now_us), of_b = latency_us(b, now_us);

    if (!latency_much_slower(of_a, of_b) && !latency_much_slower(of_b, of_a))
        return b_calls < a_calls;
    return of_b * (b_calls + 1.0) < of_a * (a_calls + 1.0);
}

#endif
