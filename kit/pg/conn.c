// SPDX-License-Identifier: Apache-2.0
/*
 * One connection: down -> connecting -> preparing -> ready -> down ... Each state is a
 * row: what is done on entering it, when its descriptor is ready, when its time is over.
 */
#include "kit/base/clock.h"
#include "kit/guard/backoff.h"
#include "kit/pg/conninfo.h"
#include "kit/pg/pool.h"

/* A connection that was ready for so long: back-off begins anew. */
enum { GOOD_US = 1000000 };

struct state {
    const char *name;
    void (*enter)(struct pg_conn *c);
    void (*io)(struct pg_conn *c, int ready);
    void (*late)(struct pg_conn *c);
};
static const struct state states[PG_CONN_STATES];

/* Connecting costs both sides milliseconds of computing: the first one has them for
 * itself, so that the pool is up soon. */
static void begin_others(struct pg_pool *p)
{
    if (p->begun)
        return;
    p->begun = true;
    for (unsigned i = 1; i < p->n_conns; i++)
        loop_timer_set(&p->conns[i].timer, 0);
}

static void enter(struct pg_conn *c, enum pg_conn_state next)
{
    struct pg_pool *p = c->pool;

    LOG_DEBUG(NULL, "pg.connection", KV("pool", p->name),
              KV("from", states[c->state].name), KV("to", states[next].name));
    metric_add(p->m_conns[c->state], -1);
    metric_add(p->m_conns[next], 1);
    pg_pool_count_ready(p, (next == PG_CONN_READY) - (c->state == PG_CONN_READY));
    c->state = next;
    loop_timer_clear(&c->timer);
    states[next].enter(c);
    if (next == PG_CONN_READY || next == PG_CONN_DOWN)
        begin_others(p);
}

static void on_timer(struct loop_timer *t)
{
    struct pg_conn *c = CONTAINER_OF(t, struct pg_conn, timer);

    states[c->state].late(c);
}

static void on_io(void *arg, int ready)
{
    struct pg_conn *c = arg;

    states[c->state].io(c, ready);
}

/* The descriptor may be another one after each step of connecting. */
static void watch(struct pg_conn *c, int wanted)
{
    if (!c->fd)
        c->fd = loop_fd_create(c->pool->loop, PQsocket(c->pg), on_io, c);
    loop_fd_want(c->fd, wanted);
}

static void unwatch(struct pg_conn *c)
{
    loop_fd_destroy(c->fd);
    c->fd = NULL;
}

static void drop(struct pg_conn *c)
{
    pg_cancel_stop(c);
    resolve_cancel(c->resolve);
    c->resolve = NULL;
    unwatch(c);
    PQfinish(c->pg);
    c->pg = NULL;
    arena_fini(&c->arena);
    c->described = NULL;
    c->in_flight = 0;
    c->unflushed = c->retiring = false;
}

static void log_lost(const struct pg_conn *c, const char *why)
{
    enum { EVERY = 30 }; /* attempts; the first one is always told */

    if (c->attempt % EVERY == 0)
        LOG_WARN(
            NULL, "pg.connection_lost", KV("pool", c->pool->name), KV("why", why),
            KV("state", states[c->state].name), KV("attempt", c->attempt),
            KV("detail", c->pg && c->state < PG_CONN_READY ? PQerrorMessage(c->pg) : ""));
}

void pg_conn_lose(struct pg_conn *c, const char *why)
{
    struct list segments;

    if (!c->pool->closing) {
        if (c->state == PG_CONN_READY && clock_mono_us() - c->ready_us > GOOD_US)
            c->attempt = 0;
        log_lost(c, why);
        metric_add(c->pool->m_lost, 1);
    }
    list_init(&segments);
    list_splice(&segments, &c->segments);
    drop(c);
    enter(c, PG_CONN_DOWN);
    pg_segments_abandon(&segments);
}

/* ---- down ---- */

static void down_enter(struct pg_conn *c)
{
    int64_t ms = backoff_ms(PG_BACKOFF_MS, PG_BACKOFF_MAX_MS, c->attempt);

    loop_timer_set(&c->timer, ms);
    c->attempt++;
}

static void down_late(struct pg_conn *c)
{
    enter(c, PG_CONN_RESOLVING);
}

static void no_io(struct pg_conn *c, int ready)
{
    (void)c;
    (void)ready;
}

/* ---- resolving ---- */

static void on_resolved(void *arg, const struct resolve_answer *answer)
{
    struct pg_conn *c = arg;
    const char **keywords, **values;

    c->resolve = NULL;
    if (!pg_conninfo_resolved(&c->arena, c->keywords, c->values, answer, &keywords,
                              &values)) {
        pg_conn_lose(c, "resolve");
        return;
    }
    c->keywords = keywords;
    c->values = values;
    enter(c, PG_CONN_CONNECTING);
}

static void resolving_enter(struct pg_conn *c)
{
    const char *names[RESOLVE_HOSTS_MAX];
    unsigned n;

    c->keywords = c->pool->keywords;
    c->values = c->pool->values;
    n = pg_conninfo_names(&c->arena, c->keywords, c->values, names);
    if (n == 0) {
        enter(c, PG_CONN_CONNECTING);
        return;
    }
    loop_timer_set(&c->timer, PG_CONNECT_MS);
    c->resolve = resolve_start(c->pool->loop, names, n, on_resolved, c);
    if (!c->resolve)
        pg_conn_lose(c, "resolve");
}

static void resolving_late(struct pg_conn *c)
{
    pg_conn_lose(c, "resolve_timeout");
}

/* ---- connecting ---- */

/* Notices quote parameters too: nothing of them is kept. */
static void on_notice(void *arg, const PGresult *r)
{
    (void)arg;
    (void)r;
}

static void connecting_enter(struct pg_conn *c)
{
    c->pg = PQconnectStartParams(c->keywords, c->values, 0);
    if (!c->pg || PQstatus(c->pg) == CONNECTION_BAD) {
        pg_conn_lose(c, "connect");
        return;
    }
    PQsetNoticeReceiver(c->pg, on_notice, NULL);
    loop_timer_set(&c->timer, PG_CONNECT_MS);
    watch(c, LOOP_WRITE);
}

/* A step may derive keys (SCRAM, RFC 5802), which takes milliseconds: one a turn and
 * pool, the others find their descriptor ready again in the next. */
static void connecting_io(struct pg_conn *c, int ready)
{
    (void)ready;
    if (!list_empty(&c->pool->handshook.link))
        return;
    loop_at_turn_end(c->pool->loop, &c->pool->handshook);
    unwatch(c);
    switch (PQconnectPoll(c->pg)) {
    case PGRES_POLLING_READING: watch(c, LOOP_READ); break;
    case PGRES_POLLING_WRITING: watch(c, LOOP_WRITE); break;
    case PGRES_POLLING_OK: enter(c, PG_CONN_PREPARING); break;
    default: pg_conn_lose(c, "connect"); break;
    }
}

static void connecting_late(struct pg_conn *c)
{
    pg_conn_lose(c, "connect_timeout");
}

/* ---- preparing and ready ---- */

static void preparing_enter(struct pg_conn *c)
{
    if (!pg_prepare_send(c)) {
        pg_conn_lose(c, "prepare");
        return;
    }
    loop_timer_set(&c->timer, PG_CONNECT_MS);
    pg_conn_flush(c);
}

static void ready_enter(struct pg_conn *c)
{
    c->ready_us = clock_mono_us();
    pg_pool_flush_soon(c->pool);
}

void pg_conn_flush(struct pg_conn *c)
{
    int left;

    if (!c->pg)
        return;
    c->unflushed = false;
    left = PQflush(c->pg);
    if (left < 0)
        pg_conn_lose(c, "write");
    else
        watch(c, left ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

/* false: the connection is to be lost. */
static bool prepared_result(struct pg_conn *c, PGresult *r)
{
    bool over = pg_prepare_result(c, r);

    PQclear(r);
    if (over && !c->refused)
        enter(c, PG_CONN_READY);
    return !over || !c->refused;
}

static bool awaits_results(const struct pg_conn *c)
{
    return c->state == PG_CONN_PREPARING || !list_empty(&c->segments);
}

/* Two NULLs in a row say that libpq expects nothing more; we do, so the books differ. */
static bool drain(struct pg_conn *c)
{
    int nulls = 0;
    bool going = true;

    while (going && awaits_results(c) && !PQisBusy(c->pg)) {
        PGresult *r = PQgetResult(c->pg);

        if (!r)
            going = ++nulls < 2;
        else if (c->state == PG_CONN_PREPARING)
            going = prepared_result(c, r);
        else
            going = pg_segment_result(c, r);
        nulls = r ? 0 : nulls;
    }
    return going;
}

static void session_io(struct pg_conn *c, int ready)
{
    if (ready & LOOP_WRITE) {
        pg_conn_flush(c);
        if (!c->pg)
            return;
    }
    if (!(ready & LOOP_READ))
        return;
    if (!PQconsumeInput(c->pg)) {
        pg_conn_lose(c, "read");
        return;
    }
    if (!awaits_results(c))
        (void)PQisBusy(c->pg); /* takes in what the server says unasked */
    if (drain(c))
        pg_cancel_look(c);
    else
        pg_conn_lose(c, c->retiring ? "retired" : c->refused ? "prepare" : "result");
}

static void preparing_late(struct pg_conn *c)
{
    pg_conn_lose(c, "prepare_timeout");
}

static void never_late(struct pg_conn *c)
{
    (void)c;
}

static const struct state states[PG_CONN_STATES] = {
    [PG_CONN_DOWN] = {"down", down_enter, no_io, down_late},
    [PG_CONN_RESOLVING] = {"resolving", resolving_enter, no_io, resolving_late},
    [PG_CONN_CONNECTING] = {"connecting", connecting_enter, connecting_io,
                            connecting_late},
    [PG_CONN_PREPARING] = {"preparing", preparing_enter, session_io, preparing_late},
    [PG_CONN_READY] = {"ready", ready_enter, session_io, never_late},
};

/* ---- life cycle ---- */

void pg_conn_init(struct pg_conn *c, struct pg_pool *p)
{
    c->pool = p;
    c->state = PG_CONN_DOWN;
    list_init(&c->segments);
    arena_init(&c->arena);
    loop_timer_init(&c->timer, p->loop, on_timer);
    pg_cancel_init(c);
    if (c == p->conns)
        loop_timer_set(&c->timer, 0);
    metric_add(p->m_conns[PG_CONN_DOWN], 1);
}

void pg_conn_fini(struct pg_conn *c)
{
    if (c->state != PG_CONN_DOWN)
        pg_conn_lose(c, "closing");
    loop_timer_clear(&c->timer);
    metric_add(c->pool->m_conns[PG_CONN_DOWN], -1);
}
