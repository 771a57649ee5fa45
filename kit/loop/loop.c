// SPDX-License-Identifier: Apache-2.0
/* The turn of an event loop: tasks, the wait, events, timers, turn-end tasks, frees. */
#include "kit/loop/internal.h"

#include "kit/base/clock.h"
#include "kit/base/log.h"
#include "kit/base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* More may have been ready than the thread's last wait took. */
static _Thread_local bool more_ready;

/* libevent would ask for up to 4,096 events, and the kernel looks at each of their
 * sockets before the first is served, anew in each turn: 1 us each. Being the program's
 * own, this is found before the C library's; whoever else calls it has no loss. */
__attribute__((visibility("default"))) int epoll_wait(int epfd,
                                                      struct epoll_event *events, int max,
                                                      int timeout_ms)
{
    int most = max < LOOP_EVENTS_MAX ? max : LOOP_EVENTS_MAX;
    int n = epoll_pwait(epfd, events, most, timeout_ms, NULL);

    more_ready = n == most;
    return n;
}

/* libevent asks how much there is before it reads, and takes 4,096 bytes at most however
 * much that is. When it cannot be told it reads as much: a call less for each request. */
__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    void *arg;

    if (request == FIONREAD) {
        errno = ENOTTY;
        return -1;
    }
    va_start(args, request);
    arg = va_arg(args, void *);
    va_end(args);
    return (int)syscall(SYS_ioctl, fd, request, arg);
}

/* Tasks leave the events of the turn as long. */
enum { SOON_US = LOOP_PACE_US / 2 };

static void end_watch(struct loop *l)
{
    watch_mark(&l->watch, "log_flush");
    log_flush();
    watch_end(&l->watch);
}

/* True when there is nothing more to do than to wait: that time is nobody's. */
static bool run_soon(struct loop *l)
{
    bool work = loop_has_work(l);

    if (work) {
        watch_enter(&l->watch);
        loop_run_tasks(l, &l->soon, SOON_US);
    }
    if (loop_has_work(l))
        return false;
    if (work) {
        end_watch(l);
        watch_begin(&l->watch);
    }
    return true;
}

static void run_turn(struct loop *l)
{
    int flags = EVLOOP_ONCE;

    watch_begin(&l->watch);
    if (run_soon(l))
        loop_set_alarm(l);
    else
        flags |= EVLOOP_NONBLOCK;
    if (more_ready)
        loop_own_first(l);
    if (event_base_loop(l->base, flags) < 0)
        mem_die("loop: event_base_loop failed");
    watch_enter(&l->watch);
    loop_run_timers(l);
    loop_end_turn(l);
    end_watch(l);
}

void loop_run(struct loop *l)
{
    log_hold(true);
    watch_open(&l->watch);
    while (!atomic_load_explicit(&l->stopping, memory_order_acquire))
        run_turn(l);
    watch_close(&l->watch);
    log_hold(false);
    atomic_store_explicit(&l->stopping, false, memory_order_relaxed);
}

void loop_stop(struct loop *l)
{
    atomic_store_explicit(&l->stopping, true, memory_order_release);
    loop_wake(l);
}

struct loop_turns loop_turns(const struct loop *l)
{
    return watch_read(&l->watch);
}

void loop_turns_restart(struct loop *l)
{
    watch_restart(&l->watch);
}

/* ---- life ----------------------------------------------------------------------- */

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
    list_init(&l->due);
    wheel_init(&l->wheel, clock_mono_us());
    l->alarm_us = INT64_MAX;
    l->base = make_base();
    l->own = epoll_create1(EPOLL_CLOEXEC);
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    l->wake = event_new(l->base, l->wake_fd, EV_READ | EV_PERSIST, loop_on_wake, l);
    l->alarm = event_new(l->base, -1, 0, loop_on_alarm, l);
    if (l->own < 0 || l->wake_fd < 0 || !l->wake || !l->alarm ||
        event_add(l->wake, NULL) != 0)
        mem_die("loop: cannot be made (out of memory or file descriptors)");
    return l;
}

struct event_base *loop_event_base(struct loop *l)
{
    l->watch.foreign = true;
    return l->base;
}

bool loop_pace_at(struct loop *l, int64_t turn_us)
{
    if (turn_us < LOOP_PACE_US)
        return false;
    event_base_loopbreak(l->base);
    return true;
}

/* The first in a turn takes the time of its beginning. */
bool loop_pace(struct loop *l)
{
    struct watch *w = &l->watch;
    int64_t more_us = w->entered ? clock_mono_us() - w->turn.running_us : 0;

    watch_enter(w);
    return loop_pace_at(l, watch_marked_us(w) + more_us);
}

void loop_destroy(struct loop *l)
{
    if (!l)
        return;
    loop_run_leftovers(l);
    event_free(l->wake);
    event_free(l->alarm);
    event_base_free(l->base);
    close(l->wake_fd);
    close(l->own);
    free(l->frees);
    free(l);
}
