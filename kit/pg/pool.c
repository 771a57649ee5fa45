// SPDX-License-Identifier: Apache-2.0
/*
 * The pool: hands waiting units to connections at the end of the turn, keeps the breaker,
 * and sweeps out what waits in vain.
 */
#include "kit/pg/pool.h"

#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/pg/conninfo.h"
#include "kit/pg/rows.h"

#include <stdio.h>
#include <stdlib.h>

/* Slow statements end by statement_timeout, which counts as a failure. */
static const struct breaker_conf breaker_conf = {
    .window_ms = 10000,
    .min_calls = 10,
    .failure_ratio = 0.5,
    .slow_ratio = 1.1,
    .slow_ms = 60000,
    .dead_ms = 250,
    .open_ms = 500,
    .open_max_ms = 5000,
    .probes = 3,
};

/* ---- breaker ---- */

/* Tells other threads and the metrics. */
static void publish_breaker(struct pg_pool *p)
{
    bool open = p->breaker.state == BREAKER_OPEN;
    enum breaker_state state = p->breaker.state;

    atomic_store(&p->refuse_until_us, open ? p->breaker.open_until_us : 0);
    if (state != p->breaker_shown)
        metric_add(p->m_breaker, (int64_t)state - (int64_t)p->breaker_shown);
    p->breaker_shown = state;
}

bool pg_pool_allow(struct pg_pool *p)
{
    bool yes = breaker_allow(&p->breaker, clock_mono_us());

    publish_breaker(p);
    return yes;
}

void pg_pool_report(struct pg_pool *p, enum pg_health health, int64_t took_us)
{
    int64_t now = clock_mono_us();

    if (health == PG_UNTOLD)
        breaker_forget(&p->breaker, now);
    else
        breaker_report(&p->breaker, now, health == PG_SICK, took_us);
    publish_breaker(p);
}

int64_t pg_pool_retry_after_ms(const struct pg_pool *p)
{
    int64_t ms = breaker_retry_after_ms(&p->breaker, clock_mono_us());

    return ms > PG_WAIT_DOWN_MS ? ms : PG_WAIT_DOWN_MS;
}

/* A first connection after none at all is proof enough that the server is back: without
 * traffic, no probe would ever close the breaker. */
void pg_pool_count_ready(struct pg_pool *p, int change)
{
    unsigned before = p->ready;

    if (change == 0)
        return;
    p->ready = before + (unsigned)change;
    LOG_INFO(NULL, "pg.ready", KV("pool", p->name), KV("connections", p->ready));
    if (before == 0) {
        breaker_init(&p->breaker, &breaker_conf, clock_mono_us());
        publish_breaker(p);
    }
}

bool pg_pool_up(const struct pg_pool *p)
{
    return atomic_load(&p->ready) > 0 &&
           clock_mono_us() >= atomic_load(&p->refuse_until_us);
}

/* ---- end of turn ---- */

static struct pg_conn *least_loaded(struct pg_pool *p)
{
    struct pg_conn *best = NULL;

    for (unsigned i = 0; i < p->n_conns; i++) {
        struct pg_conn *c = &p->conns[i];

        if (c->state == PG_CONN_READY && !c->retiring && c->in_flight < PG_DEPTH &&
            (!best || c->in_flight < best->in_flight))
            best = c;
    }
    return best;
}

static struct pg_unit *first_unit(const struct list *queue)
{
    return list_empty(queue) ? NULL : CONTAINER_OF(queue->next, struct pg_unit, link);
}

/* One write, or reads that may share a sync. */
static void take_segment(struct pg_pool *p, struct list *queue, struct list *units)
{
    struct pg_unit *u = first_unit(queue);
    bool alone = u->writes || u->alone;
    unsigned n = 0;

    do {
        n += u->n;
        p->waiting--;
        list_remove(&u->link);
        list_push(units, &u->link);
        u = first_unit(queue);
    } while (!alone && u && !u->alone && n + u->n <= PG_READS_PER_SYNC);
}

static void send_queue(struct pg_pool *p, struct list *queue, struct list *broken)
{
    struct pg_conn *c;

    while (!list_empty(queue) && (c = least_loaded(p))) {
        struct list units;

        list_init(&units);
        take_segment(p, queue, &units);
        if (!pg_segment_send(c, &units, broken))
            pg_conn_lose(c, "send");
    }
}

static void end_broken(struct list *broken)
{
    struct list *link;

    while ((link = list_pop(broken)))
        pg_unit_end(CONTAINER_OF(link, struct pg_unit, link), &ERR_CODE_INTERNAL,
                    PG_UNTOLD);
}

/* That the turn is over is all there is to know. */
static void on_handshook(struct loop_task *t)
{
    (void)t;
}

static void on_flush(struct loop_task *t)
{
    struct pg_pool *p = CONTAINER_OF(t, struct pg_pool, flush);
    struct list broken;

    list_init(&broken);
    send_queue(p, &p->reads, &broken);
    send_queue(p, &p->writes, &broken);
    for (unsigned i = 0; i < p->n_conns; i++)
        if (p->conns[i].unflushed)
            pg_conn_flush(&p->conns[i]);
    end_broken(&broken);
}

void pg_pool_flush_soon(struct pg_pool *p)
{
    loop_at_turn_end(p->loop, &p->flush);
}

/* ---- sweeping ---- */

static bool stalled(const struct pg_conn *c, int64_t now)
{
    int64_t limit_ms = c->pool->statement_timeout_ms + PG_STALL_MS;

    return !list_empty(&c->segments) && now - c->progress_us > limit_ms * 1000;
}

static void give_up(struct list *queue, int64_t now)
{
    struct list late, *link;

    list_init(&late);
    for (link = queue->next; link != queue;) {
        struct pg_unit *u = CONTAINER_OF(link, struct pg_unit, link);

        link = link->next;
        if (now < u->give_up_us && !u->pool->closing)
            continue;
        list_remove(&u->link);
        list_push(&late, &u->link);
        u->pool->waiting--;
        u->sent = true; /* a cancel finds it in no queue */
    }
    while ((link = list_pop(&late)))
        pg_unit_end(CONTAINER_OF(link, struct pg_unit, link), &ERR_CODE_UNAVAILABLE,
                    PG_SICK);
}

static bool busy(const struct pg_pool *p)
{
    bool yes = p->waiting > 0;

    for (unsigned i = 0; i < p->n_conns; i++)
        yes |= !list_empty(&p->conns[i].segments);
    return yes;
}

static void on_sweep(struct loop_timer *t)
{
    struct pg_pool *p = CONTAINER_OF(t, struct pg_pool, sweep);
    int64_t now = clock_mono_us();

    for (unsigned i = 0; i < p->n_conns; i++)
        if (stalled(&p->conns[i], now))
            pg_conn_lose(&p->conns[i], "stalled");
    if (p->ready == 0) {
        give_up(&p->reads, now);
        give_up(&p->writes, now);
    }
    if (busy(p))
        loop_timer_set(t, PG_SWEEP_MS);
}

void pg_pool_watch(struct pg_pool *p)
{
    if (!loop_timer_is_set(&p->sweep))
        loop_timer_set(&p->sweep, PG_SWEEP_MS);
}

/* ---- life cycle ---- */

static void init_stmts(struct pg_pool *p, const struct pg_stmt *const *stmts)
{
    while (stmts[p->n_stmts])
        p->n_stmts++;
    p->stmts = mem_alloc(sizeof *p->stmts * (p->n_stmts + 1));
    for (unsigned i = 0; i < p->n_stmts; i++) {
        p->stmts[i] = (struct pg_prepared){
            .stmt = stmts[i],
            .maps = pg_maps_create(),
            .duration =
                metrics_histogram("viaduct_pg_query_duration_seconds",
                                  "From the start of a query to its end, by statement",
                                  "statement", stmts[i]->name, NULL),
        };
        pg_gather_init(&p->stmts[i].gather, p);
    }
}

static void init_metrics(struct pg_pool *p)
{
    static const char *const names[] = {"down", "resolving", "connecting", "preparing",
                                        "ready"};
    char target[128];

    for (int i = 0; i < PG_CONN_STATES; i++)
        p->m_conns[i] =
            metrics_gauge("viaduct_pg_pool_connections", "Connections by state", "pool",
                          p->name, "state", names[i], NULL);
    snprintf(target, sizeof target, "postgresql@%s", p->name);
    p->m_breaker =
        metrics_gauge("viaduct_breaker_state",
                      "0 closed, 1 half open, 2 open; the sum over the process's loops",
                      "target", target, NULL);
    p->m_cancels = metrics_counter("viaduct_pg_cancels_total",
                                   "Requests to cancel what nobody waits for any more",
                                   "pool", p->name, NULL);
    p->m_lost = metrics_counter("viaduct_pg_connections_lost_total",
                                "Connections lost, and attempts that failed", "pool",
                                p->name, NULL);
}

struct pg_pool *pg_pool_create(struct loop *l, const struct pg_conf *conf)
{
    unsigned n = conf->connections ? conf->connections : 1;
    struct pg_pool *p = mem_alloc(sizeof *p + n * sizeof p->conns[0]);

    p->loop = l;
    p->name = mem_strdup(conf->name);
    p->statement_timeout_ms = conf->statement_timeout_ms;
    p->max_waiting = conf->max_waiting;
    p->n_conns = n;
    list_init(&p->reads);
    list_init(&p->writes);
    loop_task_init(&p->flush, on_flush);
    loop_task_init(&p->handshook, on_handshook);
    loop_timer_init(&p->sweep, l, on_sweep);
    breaker_init(&p->breaker, &breaker_conf, clock_mono_us());
    pg_conninfo_make(conf->conninfo, conf->statement_timeout_ms, &p->keywords,
                     &p->values);
    init_stmts(p, conf->stmts);
    init_metrics(p);
    for (unsigned i = 0; i < n; i++)
        pg_conn_init(&p->conns[i], p);
    return p;
}

static void free_pool(void *ptr)
{
    struct pg_pool *p = ptr;

    for (unsigned i = 0; i < p->n_stmts; i++)
        pg_maps_destroy(p->stmts[i].maps);
    free(p->stmts);
    pg_conninfo_free(p->keywords, p->values);
    free(p->name);
    free(p);
}

void pg_pool_destroy(struct pg_pool *p)
{
    if (!p)
        return;
    p->closing = true;
    for (unsigned i = 0; i < p->n_stmts; i++)
        pg_gather_close(&p->stmts[i].gather);
    for (unsigned i = 0; i < p->n_conns; i++)
        pg_conn_fini(&p->conns[i]);
    give_up(&p->reads, 0);
    give_up(&p->writes, 0);
    loop_task_cancel(&p->flush);
    loop_task_cancel(&p->handshook);
    loop_timer_clear(&p->sweep);
    metric_add(p->m_breaker, -(int64_t)p->breaker_shown);
    loop_free_later(p->loop, free_pool, p);
}
