// SPDX-License-Identifier: Apache-2.0
/*
 * One event loop per thread; it owns everything it touches. Other threads may only call
 * loop_post() and loop_stop(). A turn is: wait for events, run what is ready, then the
 * turn-end tasks (flushing batches), then free what died in the turn.
 *
 * Life cycle: loop_create -> loop_run (in its thread) -> loop_stop -> loop_destroy.
 */
#ifndef KIT_LOOP_LOOP_H
#define KIT_LOOP_LOOP_H

#include "kit/base/list.h"

#include <stdbool.h>
#include <stdint.h>

/* A turn takes no more events from the kernel than LOOP_EVENTS_MAX. It hands them over
 * until it has lasted LOOP_PACE_US, of which tasks that were for it (loop_soon) take half
 * at most, and runs timers that are due for as long: what is left is for the next turn,
 * in the same order. */
enum { LOOP_EVENTS_MAX = 64, LOOP_PACE_US = 1500 };

struct loop;
struct event_base;

struct loop *loop_create(void);
/* Everything made on the loop must be gone; posts that are there are run, what is queued
 * to be freed is freed. Takes NULL. */
void loop_destroy(struct loop *l);

/* Returns after loop_stop(). */
void loop_run(struct loop *l);
/* Any thread, also from a signal handler's loop callback. */
void loop_stop(struct loop *l);

/* For kit/http only: evhttp and bufferevents are made on it. */
struct event_base *loop_event_base(struct loop *l);
/* For callbacks of others on it, which libevent would run for all that is ready in one
 * turn: true when the turn has lasted LOOP_PACE_US. Then it ends after this callback, and
 * what else is ready stays ready for the next. */
bool loop_pace(struct loop *l);

/* ---- from other threads --------------------------------------------------------- */

/* Where a callback was given to the loop, or which it is: the watchdog's log names the
 * one that took long. */
#define LOOP_NAME(fn)   __FILE__ ":" #fn
#define LOOP_LINE(line) __FILE__ ":" LOOP_TEXT(line)
#define LOOP_TEXT(line) #line

/* An intrusive node: posting cannot fail and takes no memory. The node belongs to the
 * loop until fn has been called in it. Nodes posted by one thread arrive in order. */
struct loop_post {
    struct loop_post *next;
    void (*fn)(struct loop_post *p);
    const char *name; /* set by loop_post() */
};
#define loop_post(l, p) loop_post_named(l, p, LOOP_LINE(__LINE__))
void loop_post_named(struct loop *l, struct loop_post *p, const char *name);

/* ---- within the loop ------------------------------------------------------------ */

/* A task is in at most one queue; queueing it while it is queued changes nothing. */
struct loop_task {
    struct list link;
    void (*fn)(struct loop_task *t);
    const char *name;
};
#define loop_task_init(t, fn) loop_task_init_named(t, fn, LOOP_NAME(fn))
void loop_task_init_named(struct loop_task *t, void (*fn)(struct loop_task *t),
                          const char *name);
void loop_task_cancel(struct loop_task *t);
/* After the events of this turn: the place to flush batches. */
void loop_at_turn_end(struct loop *l, struct loop_task *t);
/* In the next turn, before waiting for events again: breaks recursion. */
void loop_soon(struct loop *l, struct loop_task *t);
/* fn(ptr) after the last turn-end task of this turn. */
void loop_free_later(struct loop *l, void (*fn)(void *), void *ptr);

/* ---- timers ---------------------------------------------------------------------
 * A hashed wheel (Varghese and Lauck 1987, scheme 6): setting and clearing cost O(1), as
 * most timers are deadlines that never fire. They fire up to LOOP_TICK_MS late, never
 * early. */
enum { LOOP_TICK_MS = 4 };

struct loop_timer {
    struct list link;
    struct loop *loop;
    int64_t due_us; /* monotonic */
    void (*fn)(struct loop_timer *t);
    const char *name;
};
#define loop_timer_init(t, l, fn) loop_timer_init_named(t, l, fn, LOOP_NAME(fn))
void loop_timer_init_named(struct loop_timer *t, struct loop *l,
                           void (*fn)(struct loop_timer *t), const char *name);
/* Once, after `ms`; setting a set timer moves it. */
void loop_timer_set(struct loop_timer *t, int64_t ms);
/* At a monotonic time. */
void loop_timer_set_at(struct loop_timer *t, int64_t due_us);
void loop_timer_clear(struct loop_timer *t);
static inline bool loop_timer_is_set(const struct loop_timer *t)
{
    return !list_empty(&t->link);
}

/* ---- file descriptors ----------------------------------------------------------- */

enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_fd;

/* Level-triggered. The loop does not own the descriptor; destroy before closing it.
 * Descriptors of the same open file (dup) must not be on one loop: epoll changes are
 * batched by number. */
#define loop_fd_create(l, fd, fn, arg) loop_fd_create_named(l, fd, fn, arg, LOOP_NAME(fn))
struct loop_fd *loop_fd_create_named(struct loop *l, int fd,
                                     void (*fn)(void *arg, int ready), void *arg,
                                     const char *name);
/* The set of LOOP_READ | LOOP_WRITE to wait for; 0 pauses. */
void loop_fd_want(struct loop_fd *f, int wanted);
void loop_fd_destroy(struct loop_fd *f);

/* fn runs in the loop, not in signal context. One loop of a process may take a signal. */
struct loop_signal;
struct loop_signal *loop_signal_create(struct loop *l, int signo,
                                       void (*fn)(void *arg, int signo), void *arg);
void loop_signal_destroy(struct loop_signal *s);

/* ---- watchdog ------------------------------------------------------------------- */

/* Longest turn since start, and how many turns were over 5 ms. A turn counts in wall time
 * from the first callback after the kernel's wait (from its beginning when it need not
 * wait) to the end of its turn-end tasks and frees. To this comes the CPU time of what
 * others on loop_event_base() ran before: libevent does not say when the wait was over,
 * and evhttp and TLS never block.
 *
 * A turn's own time is what the thread computed and what blocked it: without what it
 * waited for a processor, or had none though it ran, which is the machine's affair. When
 * that is over 5 ms a warning (loop.long_turn, at most one a second) says which callback
 * took longest. */
struct loop_turns {
    uint64_t turns;
    uint64_t longest_us, over_5ms;
    uint64_t longest_own_us, own_over_5ms;
};
/* Any thread. */
struct loop_turns loop_turns(const struct loop *l);
/* Any thread. Begins all but `turns` anew: starting up is no call. */
void loop_turns_restart(struct loop *l);

#endif
