// SPDX-License-Identifier: Apache-2.0
/* Timers: the wheel keeps them, one libevent timer ends the kernel's wait in time. */
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/loop/internal.h"

void loop_timer_init_named(struct loop_timer *t, struct loop *l,
                           void (*fn)(struct loop_timer *t), const char *name)
{
    *t = (struct loop_timer){.loop = l, .fn = fn, .name = name};
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

void loop_run_timers(struct loop *l)
{
    int64_t start_us = clock_mono_us();
    int64_t until_us = start_us + LOOP_PACE_US;
    struct list *it;

    wheel_advance(&l->wheel, start_us, &l->due);
    while (l->watch.turn.running_us < until_us && (it = list_pop(&l->due))) {
        struct loop_timer *t = CONTAINER_OF(it, struct loop_timer, link);

        watch_mark(&l->watch, t->name);
        t->fn(t);
    }
}

void loop_on_alarm(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;

    (void)fd, (void)what;
    l->alarm_us = INT64_MAX; /* the turn looks at the wheel anyway */
    watch_enter(&l->watch);
}

/* Makes the kernel's wait end when the next timer is due. */
void loop_set_alarm(struct loop *l)
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
