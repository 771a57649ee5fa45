// SPDX-License-Identifier: Apache-2.0
/* What the files of kit/loop share. */
#ifndef KIT_LOOP_INTERNAL_H
#define KIT_LOOP_INTERNAL_H

#include "kit/loop/loop.h"
#include "kit/loop/watch.h"
#include "kit/loop/wheel.h"

#include <event2/event.h>
#include <stdatomic.h>

struct dying {
    void (*fn)(void *);
    void *ptr;
};

struct loop {
    struct event_base *base;
    struct event *wake;  /* eventfd: posts and loop_stop */
    struct event *alarm; /* ends the kernel's wait when a timer is due */
    int64_t alarm_us;    /* when it is set to ring; INT64_MAX: not set */
    int wake_fd;
    int own; /* epoll: the descriptors of loop_fds that want to read, see io.c */
    _Atomic(struct loop_post *) posts; /* newest first */
    atomic_bool stopping;

    struct list soon, at_end; /* of loop_task */
    struct dying *frees;
    size_t frees_n, frees_room;
    struct wheel wheel;
    struct list due; /* timers that could not run in the last turn */
    struct watch watch;
};

/* Callbacks of libevent begin with watch_enter(). */
void loop_on_wake(evutil_socket_t fd, short what, void *arg);
void loop_on_alarm(evutil_socket_t fd, short what, void *arg);

/* loop_pace() for a turn that has lasted turn_us. */
bool loop_pace_at(struct loop *l, int64_t turn_us);
void loop_wake(const struct loop *l);
void loop_run_posts(struct loop *l);
/* Those that are queued now, until the turn has lasted turn_us. */
void loop_run_tasks(struct loop *l, struct list *queue, int64_t turn_us);
void loop_run_timers(struct loop *l);
/* Turn-end tasks, then what is to be freed. */
void loop_end_turn(struct loop *l);
/* Something to do before events are waited for. */
bool loop_has_work(const struct loop *l);
/* Of loop_fds, those that are ready to be read are now the first of the turn. */
void loop_own_first(struct loop *l);
/* Makes the kernel's wait end when the next timer is due. */
void loop_set_alarm(struct loop *l);
/* Posts and frees that are there when the loop is destroyed. */
void loop_run_leftovers(struct loop *l);

#endif
