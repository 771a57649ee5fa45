// SPDX-License-Identifier: Apache-2.0
/*
 * A statement whose flow has gone (deadline, client away) works in vain, and what waits
 * behind it on the connection waits in vain. The server is asked to cancel it, over a
 * connection of its own (libpq's PQcancel*). That may hit the next statement instead: one
 * that is cancelled while a request was about is rolled back for certain, and is done
 * again. Costs nothing until it is needed; quick statements end by themselves first.
 */
#include "kit/base/clock.h"
#include "kit/pg/pool.h"

enum { GRACE_MS = 20, AGAIN_MS = 250, REQUEST_MS = 2000, LINGERS_US = 1000000 };

static bool in_vain(const struct pg_conn *c)
{
    const struct pg_unit *u = pg_segment_current(c);

    return u && !u->first;
}

static void unwatch(struct pg_cancel *k)
{
    loop_fd_destroy(k->fd);
    k->fd = NULL;
}

void pg_cancel_stop(struct pg_conn *c)
{
    struct pg_cancel *k = &c->cancel;

    loop_timer_clear(&k->timer);
    unwatch(k);
    PQcancelFinish(k->request);
    k->request = NULL;
    k->about_us = 0;
}

static void over(struct pg_conn *c)
{
    struct pg_cancel *k = &c->cancel;

    unwatch(k);
    PQcancelFinish(k->request);
    k->request = NULL;
    k->about_us = clock_mono_us();
    loop_timer_set(&k->timer, AGAIN_MS);
}

static void step(struct pg_conn *c);

static void on_io(void *arg, int ready)
{
    (void)ready;
    step(arg);
}

/* The descriptor may be another one after each step. */
static void step(struct pg_conn *c)
{
    struct pg_cancel *k = &c->cancel;
    PostgresPollingStatusType next;

    unwatch(k);
    next = PQcancelPoll(k->request);
    if (next != PGRES_POLLING_READING && next != PGRES_POLLING_WRITING) {
        over(c);
        return;
    }
    k->fd = loop_fd_create(c->pool->loop, PQcancelSocket(k->request), on_io, c);
    loop_fd_want(k->fd, next == PGRES_POLLING_READING ? LOOP_READ : LOOP_WRITE);
}

static void begin(struct pg_conn *c)
{
    struct pg_cancel *k = &c->cancel;

    metric_add(c->pool->m_cancels, 1);
    k->about_us = clock_mono_us();
    k->request = PQcancelCreate(c->pg);
    if (!PQcancelStart(k->request)) {
        over(c);
        return;
    }
    loop_timer_set(&k->timer, REQUEST_MS);
    k->fd = loop_fd_create(c->pool->loop, PQcancelSocket(k->request), on_io, c);
    loop_fd_want(k->fd, LOOP_WRITE);
}

static void on_timer(struct loop_timer *t)
{
    struct pg_conn *c = CONTAINER_OF(t, struct pg_conn, cancel.timer);

    if (c->cancel.request)
        over(c);
    else if (in_vain(c))
        begin(c);
}

void pg_cancel_init(struct pg_conn *c)
{
    loop_timer_init(&c->cancel.timer, c->pool->loop, on_timer);
}

void pg_cancel_look(struct pg_conn *c)
{
    struct pg_cancel *k = &c->cancel;

    if (c->state == PG_CONN_READY && !k->request && !loop_timer_is_set(&k->timer) &&
        in_vain(c))
        loop_timer_set(&k->timer, GRACE_MS);
}

bool pg_cancel_about(const struct pg_conn *c)
{
    const struct pg_cancel *k = &c->cancel;

    return k->request || (k->about_us && clock_mono_us() - k->about_us < LINGERS_US);
}
