// SPDX-License-Identifier: Apache-2.0
/*
 * File descriptors and signals on the loop.
 *
 * The kernel hands ready sockets over in the order in which they became ready. Those of
 * clients bring new work, what is watched here mostly ends some: an answer would wait
 * behind the requests of all clients that came before it. So when there are more than a
 * turn takes, ours, which are few, are asked for first.
 */
#include "kit/loop/internal.h"

#include "kit/base/mem.h"

#include <stdlib.h>
#include <sys/epoll.h>

struct loop_fd {
    struct loop *loop;
    struct event *event;
    int fd;
    int wanted;
    const char *name;
    void (*fn)(void *arg, int ready);
    void *arg;
};

/* What follows is others' until the next of ours runs. */
static void mark_over(struct watch *w)
{
    if (w->foreign)
        watch_mark(w, NULL);
}

/* fn may destroy f: nothing of it is touched afterwards. */
static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct loop_fd *f = arg;
    struct loop *l = f->loop;
    struct watch *w = &l->watch;
    int ready = (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0);

    (void)fd;
    watch_enter(w);
    watch_mark(w, f->name);
    f->fn(f->arg, ready);
    mark_over(w);
    loop_pace_at(l, watch_marked_us(w));
}

struct loop_fd *loop_fd_create_named(struct loop *l, int fd,
                                     void (*fn)(void *arg, int ready), void *arg,
                                     const char *name)
{
    struct loop_fd *f = MEM_NEW(struct loop_fd);

    *f = (struct loop_fd){.loop = l, .fd = fd, .fn = fn, .arg = arg, .name = name};
    f->event = event_new(l->base, fd, EV_PERSIST, on_ready, f);
    if (!f->event)
        mem_die("loop: cannot watch descriptor %d", fd);
    return f;
}

/* libevent merges what it hears of the same event twice. */
void loop_own_first(struct loop *l)
{
    struct epoll_event ready[LOOP_EVENTS_MAX];
    int n = epoll_pwait(l->own, ready, LOOP_EVENTS_MAX, 0, NULL);

    for (int i = 0; i < n; i++)
        event_active(((struct loop_fd *)ready[i].data.ptr)->event, EV_READ, 0);
}

/* It may fail when libpq has closed a socket itself; then only the order is lost. */
static void own(struct loop_fd *f, bool reads)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = f};

    if (reads != ((f->wanted & LOOP_READ) != 0))
        (void)epoll_ctl(f->loop->own, reads ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, f->fd, &e);
}

void loop_fd_want(struct loop_fd *f, int wanted)
{
    short what = (short)(EV_PERSIST | (wanted & LOOP_READ ? EV_READ : 0) |
                         (wanted & LOOP_WRITE ? EV_WRITE : 0));

    if (wanted == f->wanted)
        return;
    own(f, wanted & LOOP_READ);
    if (f->wanted)
        event_del(f->event);
    f->wanted = wanted;
    if (!wanted)
        return;
    if (event_assign(f->event, f->loop->base, f->fd, what, on_ready, f) != 0 ||
        event_add(f->event, NULL) != 0)
        mem_die("loop: cannot watch descriptor %d", f->fd);
}

void loop_fd_destroy(struct loop_fd *f)
{
    if (!f)
        return;
    own(f, false);
    event_free(f->event);
    free(f);
}

struct loop_signal {
    struct loop *loop;
    struct event *event;
    void (*fn)(void *arg, int signo);
    void *arg;
};

static void on_signal(evutil_socket_t signo, short what, void *arg)
{
    struct loop_signal *s = arg;

    (void)what;
    watch_enter(&s->loop->watch);
    watch_mark(&s->loop->watch, "a signal");
    s->fn(s->arg, signo);
}

struct loop_signal *loop_signal_create(struct loop *l, int signo,
                                       void (*fn)(void *arg, int signo), void *arg)
{
    struct loop_signal *s = MEM_NEW(struct loop_signal);

    *s = (struct loop_signal){.loop = l, .fn = fn, .arg = arg};
    s->event = evsignal_new(l->base, signo, on_signal, s);
    if (!s->event || event_add(s->event, NULL) != 0)
        mem_die("loop: cannot take signal %d", signo);
    return s;
}

void loop_signal_destroy(struct loop_signal *s)
{
    if (!s)
        return;
    event_free(s->event);
    free(s);
}
