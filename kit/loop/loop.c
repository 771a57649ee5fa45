// SPDX-License-Identifier: Apache-2.0
/* The turn of an event loop: tasks, the wait, events, timers, turn-end tasks, frees. */
#include "kit/loop/internal.h"

#include "kit/base/clock.h"
#include "kit/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    WATCHDOG_US = 5000,
    /* Turn-end tasks may queue more; what is left after so many rounds waits for I/O
       once. */
    TURN_END_ROUNDS = 64,
    FREES_FIRST = 64,
};

/* ---- posts --------------------------------------------------------------------------
 */

static void wake(const struct loop *l)
{
    uint64_t one = 1;

    /* It can only fail with EAGAIN, when the counter is full and the loop awake anyway.
     */
    while (write(l->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void loop_post(struct loop *l, struct loop_post *p)
{
    struct loop_post *old = atomic_load_explicit(&l->posts, memory_order_relaxed);

    do {
        p->next = old;
    } while (!atomic_compare_exchange_weak_explicit(
        &l->posts, &old, p, memory_order_release, memory_order_relaxed));
    if (!old)
        wake(l);
}

/* The stack has the newest on top; each is read before its fn may free it. */
static void run_posts(struct loop *l)
{
    struct loop_post *taken =
        atomic_exchange_explicit(&l->posts, NULL, memory_order_acquire);
    struct loop_post *ordered = NULL;

    while (taken) {
        struct loop_post *p = taken;

        taken = p->next;
        p->next = ordered;
        ordered = p;
    }
    while (ordered) {
        struct loop_post *p = ordered;

        ordered = p->next;
        p->fn(p);
    }
}

/* The eventfd is emptied before the stack: a post between the two wakes once too often,
 * never once too few. */
static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;
    uint64_t count;

    (void)what;
    loop_enter(l);
    while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
    run_posts(l);
}

/* ---- tasks --------------------------------------------------------------------------
 */

void loop_task_init(struct loop_task *t, void (*fn)(struct loop_task *t))
{
    list_init(&t->link);
    t->fn = fn;
}

void loop_task_cancel(struct loop_task *t)
{
    list_remove(&t->link);
}

void loop_at_turn_end(struct loop *l, struct loop_task *t)
{
    if (list_empty(&t->link))
        list_push(&l->at_end, &t->link);
}

void loop_soon(struct loop *l, struct loop_task *t)
{
    if (list_empty(&t->link))
        list_push(&l->soon, &t->link);
}

/* Those that are queued now; what they queue stays for the next time. */
static void run_tasks(struct list *queue)
{
    struct list now;
    struct list *it;

    list_init(&now);
    list_splice(&now, queue);
    while ((it = list_pop(&now))) {
        struct loop_task *t = CONTAINER_OF(it, struct loop_task, link);

        t->fn(t);
    }
}

/* ---- free later ---------------------------------------------------------------------
 */

void loop_free_later(struct loop *l, void (*fn)(void *), void *ptr)
{
    if (l->frees_n == l->frees_room) {
        l->frees_room = l->frees_room ? 2 * l->frees_room : FREES_FIRST;
        l->frees = mem_realloc(l->frees, l->frees_room * sizeof *l->frees);
    }
    l->frees[l->frees_n++] = (struct dying){fn, ptr};
}

/* By index: a destructor may queue more, and so move the array. */
static void run_frees(struct loop *l)
{
    for (size_t i = 0; i < l->frees_n; i++) {
        struct dying d = l->frees[i];

        d.fn(d.ptr);
    }
    l->frees_n = 0;
}

/* ---- timers -------------------------------------------------------------------------
 */

void loop_timer_init(struct loop_timer *t, struct loop *l,
                     void (*fn)(struct loop_timer *t))
{
    *t = (struct loop_timer){.loop = l, .fn = fn};
    list_init(&t->link);
}

void loop_timer_set_at(struct loop_timer *t, int64_t due_us)
{
    list_remove(&t->link);
    t->due_us = due_us > 0 ? due_us : 0;
    wheel_add(&t->loop->wheel, t);
}

void loop_timer_set(struct loop_timer *t, int64_t ms)
{
    static const int64_t longest_ms = INT64_MAX / 4000;

    ms = ms < 0 ? 0 : ms > longest_ms ? longest_ms : ms;
    loop_timer_set_at(t, clock_mono_us() + ms * 1000);
}

void loop_timer_clear(struct loop_timer *t)
{
    list_remove(&t->link);
}

static void run_timers(struct loop *l, int64_t now_us)
{
    struct list due;
    struct list *it;

    list_init(&due);
    wheel_advance(&l->wheel, now_us, &due);
    while ((it = list_pop(&due))) {
        struct loop_timer *t = CONTAINER_OF(it, struct loop_timer, link);

        t->fn(t);
    }
}

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;

    (void)fd, (void)what;
    l->alarm_us = INT64_MAX; /* the turn looks at the wheel anyway */
    loop_enter(l);
}

/* Makes the kernel's wait end when the next timer is due. */
static void set_alarm(struct loop *l)
{
    int64_t due_us = wheel_next_us(&l->wheel);
    int64_t left_us;
    struct timeval tv;

    if (due_us >= l->alarm_us)
        return; /* rings early enough; then it is set anew */
    left_us = due_us - clock_mono_us();
    if (left_us < 0)
        left_us = 0;
    tv = (struct timeval){left_us / 1000000, left_us % 1000000};
    if (event_add(l->alarm, &tv) != 0)
        mem_die("loop: out of memory");
    l->alarm_us = due_us;
}

/* ---- the turn -----------------------------------------------------------------------
 */

static bool has_work(const struct loop *l)
{
    return !list_empty(&l->soon) || !list_empty(&l->at_end) || l->frees_n > 0;
}

void loop_enter(struct loop *l)
{
    if (l->turn_began_us == 0)
        l->turn_began_us = clock_mono_us();
}

static void count_turn(struct loop *l, int64_t took_us)
{
    uint64_t us = (uint64_t)took_us;

    atomic_fetch_add_explicit(&l->turns, 1, memory_order_relaxed);
    if (us > WATCHDOG_US)
        atomic_fetch_add_explicit(&l->over_5ms, 1, memory_order_relaxed);
    if (us > atomic_load_explicit(&l->longest_us, memory_order_relaxed))
        atomic_store_explicit(&l->longest_us, us, memory_order_relaxed);
}

static void end_turn(struct loop *l)
{
    for (int i = 0; i < TURN_END_ROUNDS && !list_empty(&l->at_end); i++)
        run_tasks(&l->at_end);
    run_frees(l);
}

static void run_turn(struct loop *l)
{
    int flags = EVLOOP_ONCE;

    l->turn_began_us = 0;
    if (has_work(l)) {
        loop_enter(l);
        run_tasks(&l->soon);
    }
    if (has_work(l))
        flags |= EVLOOP_NONBLOCK;
    else
        set_alarm(l);
    if (event_base_loop(l->base, flags) < 0)
        mem_die("loop: event_base_loop failed");
    loop_enter(l);
    run_timers(l, clock_mono_us());
    end_turn(l);
    count_turn(l, clock_mono_us() - l->turn_began_us);
}

void loop_run(struct loop *l)
{
    while (!atomic_load_explicit(&l->stopping, memory_order_acquire))
        run_turn(l);
    atomic_store_explicit(&l->stopping, false, memory_order_relaxed);
}

void loop_stop(struct loop *l)
{
    atomic_store_explicit(&l->stopping, true, memory_order_release);
    wake(l);
}

struct loop_turns loop_turns(const struct loop *l)
{
    return (struct loop_turns){
        .turns = atomic_load_explicit(&l->turns, memory_order_relaxed),
        .longest_us = atomic_load_explicit(&l->longest_us, memory_order_relaxed),
        .over_5ms = atomic_load_explicit(&l->over_5ms, memory_order_relaxed),
    };
}

/* ---- life ---------------------------------------------------------------------------
 */

static struct event_base *make_base(void)
{
    struct event_config *cfg = event_config_new();
    struct event_base *base = NULL;

    if (cfg && event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK |
                                              EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST) == 0)
        base = event_base_new_with_config(cfg);
    if (!base)
        mem_die("loop: no event base (out of memory or file descriptors)");
    event_config_free(cfg);
    return base;
}

struct loop *loop_create(void)
{
    struct loop *l = MEM_NEW(struct loop);

    list_init(&l->soon);
    list_init(&l->at_end);
    wheel_init(&l->wheel, clock_mono_us());
    l->alarm_us = INT64_MAX;
    l->base = make_base();
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    l->wake = event_new(l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, l);
    l->alarm = event_new(l->base, -1, 0, on_alarm, l);
    if (l->wake_fd < 0 || !l->wake || !l->alarm || event_add(l->wake, NULL) != 0)
        mem_die("loop: cannot be made (out of memory or file descriptors)");
    return l;
}

struct event_base *loop_event_base(struct loop *l)
{
    return l->base;
}

static bool has_leftovers(struct loop *l)
{
    return atomic_load_explicit(&l->posts, memory_order_relaxed) || has_work(l);
}

void loop_destroy(struct loop *l)
{
    if (!l)
        return;
    for (int i = 0; i < TURN_END_ROUNDS && has_leftovers(l); i++) {
        run_posts(l);
        end_turn(l);
    }
    event_free(l->wake);
    event_free(l->alarm);
    event_base_free(l->base);
    close(l->wake_fd);
    free(l->frees);
    free(l);
}
