// SPDX-License-Identifier: Apache-2.0
/* How long the turns of a loop take. Written by the loop's thread, read by any. */
#include "kit/loop/watch.h"

#include "kit/base/clock.h"

#include <time.h>

enum { LIMIT_US = 5000 };

static int64_t thread_cpu_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void watch_begin(struct watch *w)
{
    w->entered = false;
}

void watch_enter(struct watch *w)
{
    int64_t cpu_us;

    if (w->entered)
        return;
    w->entered = true;
    w->enter_us = clock_mono_us();
    if (!w->foreign)
        return;
    cpu_us = thread_cpu_us();
    w->before_us = w->cpu_us && cpu_us > w->cpu_us ? cpu_us - w->cpu_us : 0;
    w->cpu_us = cpu_us;
}

static void raise_to(_Atomic uint64_t *longest, uint64_t us)
{
    if (us > atomic_load_explicit(longest, memory_order_relaxed))
        atomic_store_explicit(longest, us, memory_order_relaxed);
}

/* The CPU time is not read again: since watch_enter() it has grown by no more than the
 * time that has passed. */
void watch_end(struct watch *w)
{
    int64_t own_us = clock_mono_us() - w->enter_us;
    uint64_t us = (uint64_t)(own_us + w->before_us);

    w->before_us = 0;
    if (w->foreign)
        w->cpu_us += own_us;
    atomic_fetch_add_explicit(&w->turns, 1, memory_order_relaxed);
    if (us > LIMIT_US)
        atomic_fetch_add_explicit(&w->over_5ms, 1, memory_order_relaxed);
    raise_to(&w->longest_us, us);
}

struct loop_turns watch_read(const struct watch *w)
{
    return (struct loop_turns){
        .turns = atomic_load_explicit(&w->turns, memory_order_relaxed),
        .longest_us = atomic_load_explicit(&w->longest_us, memory_order_relaxed),
        .over_5ms = atomic_load_explicit(&w->over_5ms, memory_order_relaxed),
    };
}

void watch_restart(struct watch *w)
{
    atomic_store_explicit(&w->longest_us, 0, memory_order_relaxed);
    atomic_store_explicit(&w->over_5ms, 0, memory_order_relaxed);
}
