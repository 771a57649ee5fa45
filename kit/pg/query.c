// SPDX-License-Identifier: Apache-2.0
/* Queries as a flow sees them: made, joined, started, cancelled. */
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/pg/pool.h"

#include <stdlib.h>

unsigned pg_stmt_index(const struct pg_pool *p, const struct pg_stmt *stmt)
{
    for (unsigned i = 0; i < p->n_stmts; i++)
        if (p->stmts[i].stmt == stmt)
            return i;
    mem_die("pg: pool %s does not know the statement %s", p->name, stmt->name);
}

struct pg_query *pg_query(struct flow *f, struct pg_pool *p, const struct pg_stmt *stmt)
{
    struct pg_query *q = ARENA_NEW(&f->arena, struct pg_query);

    q->pool = p;
    q->arena = &f->arena;
    q->stmt = pg_stmt_index(p, stmt);
    return q;
}

struct pg_query *pg_query_then(struct flow *f, struct pg_query *first,
                               const struct pg_stmt *stmt)
{
    struct pg_query *q = pg_query(f, first->pool, stmt);

    while (first->then)
        first = first->then;
    first->then = q;
    return q;
}

static struct pg_unit *unit_create(struct flow *f, struct pg_query *first)
{
    struct pg_unit *u = MEM_NEW(struct pg_unit);
    int64_t now = clock_mono_us(), left_us = f->deadline_us - now;

    list_init(&u->link);
    u->pool = first->pool;
    u->first = first;
    u->started_us = now;
    u->give_up_us = now + PG_WAIT_DOWN_MS * INT64_C(1000);
    if (left_us / 2 < PG_WAIT_DOWN_MS * INT64_C(1000)) /* answer within the deadline */
        u->give_up_us = now + left_us / 2;
    for (const struct pg_query *q = first; q; q = q->then) {
        u->n++;
        u->writes |= u->pool->stmts[q->stmt].stmt->writes;
    }
    first->unit = u;
    return u;
}

static void forget_waiting(struct pg_unit *u)
{
    struct pg_pool *p = u->pool;

    list_remove(&u->link);
    p->waiting--;
    pg_pool_report(p, p->ready ? PG_UNTOLD : PG_SICK, clock_mono_us() - u->started_us);
    free(u);
}

/* What has been sent is cancelled in the server, unless its results come first; they are
 * counted off and dropped. */
static void on_cancel(struct wait *w)
{
    struct pg_query *q = CONTAINER_OF(w, struct pg_query, wait);
    struct pg_unit *u = q->unit;

    if (!u)
        return;
    q->unit = NULL;
    u->first = u->at = NULL;
    u->failure.query = NULL;
    if (!u->sent)
        forget_waiting(u);
    else if (u->conn)
        pg_cancel_look(u->conn);
}

const struct err *pg_refusal(struct arena *a, const struct pg_pool *p,
                             const struct err_code *code)
{
    struct err *e = err_new(a, code, "The database is not available");

    e->retry_after_ms = pg_pool_retry_after_ms(p);
    return e;
}

static void refuse(struct flow *f, struct pg_query *q, const struct err_code *code)
{
    wait_end(&q->wait, pg_refusal(&f->arena, q->pool, code));
}

void pg_start(struct flow *f, struct pg_query *q, bool required)
{
    struct pg_pool *p = q->pool;
    struct pg_unit *u;

    wait_begin(f, &q->wait, on_cancel, required);
    if (p->closing || !pg_pool_allow(p)) {
        refuse(f, q, &ERR_CODE_UNAVAILABLE);
        return;
    }
    if (p->waiting >= p->max_waiting) {
        pg_pool_report(p, PG_UNTOLD, 0);
        refuse(f, q, &ERR_CODE_SHED);
        return;
    }
    u = unit_create(f, q);
    list_push(u->writes ? &p->writes : &p->reads, &u->link);
    p->waiting++;
    pg_pool_flush_soon(p);
    pg_pool_watch(p);
}

enum step pg_await(struct flow *f, struct pg_query *q, flow_step next)
{
    pg_start(f, q, true);
    return flow_await(f, next);
}
