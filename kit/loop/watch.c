// SPDX-License-Identifier: Apache-2.0
/* How long the turns of a loop take, and what took long. Written by the loop's thread,
 * read by any. */
#include "kit/loop/watch.h"

#include "kit/base/clock.h"
#include "kit/base/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_US = 5000, SILENT_US = 1000000 };

static const char others[] = "evhttp, TLS"; /* not ours, on the same base */

/* ---- the thread's time ---------------------------------------------------------- */

static int64_t thread_cpu_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static long voluntary_waits(void)
{
    struct rusage used;

    return getrusage(RUSAGE_THREAD, &used) == 0 ? used.ru_nvcsw : 0;
}

/* "COMPUTED QUEUED SLICES", the first two in nanoseconds. */
static struct watch_sample take_sample(const struct watch *w)
{
    char text[80];
    ssize_t n = w->stat_fd < 0 ? -1 : pread(w->stat_fd, text, sizeof text - 1, 0);
    struct watch_sample s = {.waits = voluntary_waits()};
    char *end;

    if (n <= 0) {
        s.cpu_us = thread_cpu_us();
        return s;
    }
    text[n] = 0;
    s.cpu_us = strtoll(text, &end, 10) / 1000;
    s.queued_us = strtoll(end, NULL, 10) / 1000;
    return s;
}

void watch_open(struct watch *w)
{
    w->stat_fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    w->cpu_us = 0;
    w->sampled_us = INT64_MIN / 2;
}

void watch_close(struct watch *w)
{
    if (w->stat_fd >= 0)
        (void)close(w->stat_fd);
    w->stat_fd = -1;
}

/* ---- the turn under way --------------------------------------------------------- */

void watch_begin(struct watch *w)
{
    w->entered = false;
    w->turn = (struct watch_turn){0};
}

static void enter_after_others(struct watch *w)
{
    int64_t cpu_us = thread_cpu_us();

    w->turn.before_us = w->cpu_us && cpu_us > w->cpu_us ? cpu_us - w->cpu_us : 0;
    w->turn.longest_us = w->turn.before_us;
    w->turn.longest = others;
    w->cpu_us = cpu_us;
}

void watch_enter(struct watch *w)
{
    if (w->entered)
        return;
    w->entered = true;
    w->turn.enter_us = w->turn.running_us = clock_mono_us();
    if (w->foreign)
        enter_after_others(w);
    if (w->turn.enter_us - w->sampled_us < WATCH_SAMPLE_US)
        return;
    w->sampled_us = w->turn.enter_us;
    w->sample = take_sample(w);
}

void watch_mark(struct watch *w, const char *what)
{
    struct watch_turn *t = &w->turn;
    int64_t now_us = clock_mono_us(), took_us = now_us - t->running_us;

    if (took_us > t->longest_us) {
        t->longest_us = took_us;
        t->longest = t->running ? t->running : w->foreign ? others : "the loop";
    }
    t->callbacks += what != NULL;
    t->running = what;
    t->running_us = now_us;
}

/* ---- its end -------------------------------------------------------------------- */

static void raise_to(_Atomic uint64_t *longest, uint64_t us)
{
    if (us > atomic_load_explicit(longest, memory_order_relaxed))
        atomic_store_explicit(longest, us, memory_order_relaxed);
}

static void count(_Atomic uint64_t *n)
{
    atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

static int64_t at_most(int64_t us, int64_t limit_us)
{
    return us < 0 ? 0 : us > limit_us ? limit_us : us;
}

static void tell(struct watch *w, const struct watch_parts *p)
{
    const struct watch_turn *t = &w->turn;
    int64_t now_us = t->running_us;

    if (now_us < w->silent_until_us) {
        w->unsaid++;
        return;
    }
    LOG_WARN(NULL, "loop.long_turn", KV("us", p->us), KV("computed_us", p->computed_us),
             KV("queued_us", p->queued_us), KV("blocked_us", p->blocked_us),
             KV("callbacks", t->callbacks), KV("longest", t->longest),
             KV("longest_us", t->longest_us), KV("unsaid", w->unsaid));
    w->silent_until_us = now_us + SILENT_US;
    w->unsaid = 0;
}

/* What is neither computed (before_us before the first sample) nor queued for was blocked
 * by a system call, a lock, the disk: but a thread that never waited was not, its
 * processor was elsewhere. */
static struct watch_parts divide(int64_t us, int64_t before_us,
                                 const struct watch_sample *from,
                                 const struct watch_sample *to)
{
    struct watch_parts p = {.us = us};

    p.queued_us = at_most(to->queued_us - from->queued_us, us);
    p.computed_us = at_most(before_us + to->cpu_us - from->cpu_us, us - p.queued_us);
    if (to->waits > from->waits)
        p.blocked_us = us - p.queued_us - p.computed_us;
    return p;
}

static void judge_long(struct watch *w, int64_t us)
{
    struct watch_sample s = take_sample(w);
    struct watch_parts p = divide(us, w->turn.before_us, &w->sample, &s);
    int64_t own_us = p.computed_us + p.blocked_us;

    count(&w->over_5ms);
    raise_to(&w->longest_own_us, (uint64_t)own_us);
    if (own_us > LIMIT_US) {
        count(&w->own_over_5ms);
        tell(w, &p);
    }
    w->sampled_us = w->turn.running_us;
    w->sample = s;
}

/* The CPU time of others is not read again: since watch_enter() it has grown by no more
 * than the time that has passed. */
void watch_end(struct watch *w)
{
    int64_t own_us, us;

    watch_mark(w, NULL);
    own_us = w->turn.running_us - w->turn.enter_us;
    us = own_us + w->turn.before_us;
    if (w->foreign)
        w->cpu_us += own_us;
    count(&w->turns);
    raise_to(&w->longest_us, (uint64_t)us);
    if (us > LIMIT_US)
        judge_long(w, us);
    else
        raise_to(&w->longest_own_us, (uint64_t)us);
}

/* ---- from outside --------------------------------------------------------------- */

struct loop_turns watch_read(const struct watch *w)
{
    return (struct loop_turns){
        .turns = atomic_load_explicit(&w->turns, memory_order_relaxed),
        .longest_us = atomic_load_explicit(&w->longest_us, memory_order_relaxed),
        .over_5ms = atomic_load_explicit(&w->over_5ms, memory_order_relaxed),
        .longest_own_us = atomic_load_explicit(&w->longest_own_us, memory_order_relaxed),
        .own_over_5ms = atomic_load_explicit(&w->own_over_5ms, memory_order_relaxed),
    };
}

void watch_restart(struct watch *w)
{
    atomic_store_explicit(&w->longest_us, 0, memory_order_relaxed);
    atomic_store_explicit(&w->over_5ms, 0, memory_order_relaxed);
    atomic_store_explicit(&w->longest_own_us, 0, memory_order_relaxed);
    atomic_store_explicit(&w->own_over_5ms, 0, memory_order_relaxed);
}
