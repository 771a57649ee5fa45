// SPDX-License-Identifier: Apache-2.0
/* How a unit ends: its outcome for the flow, for the breaker, and in the metrics. */
#include "kit/base/clock.h"
#include "kit/pg/pool.h"

#include <stdlib.h>

static const struct err *make_err(struct pg_query *q, const struct err_code *code)
{
    struct err *e;

    if (!code)
        return NULL;
    e = err_new(q->arena, code, "%s", code->title);
    if (err_kind_info(code->kind)->retryable)
        e->retry_after_ms = pg_pool_retry_after_ms(q->pool);
    return e;
}

static void observe(const struct pg_unit *u, int64_t took_us)
{
    for (const struct pg_query *q = u->first; q; q = q->then)
        metric_observe_us(u->pool->stmts[q->stmt].duration, took_us);
}

void pg_unit_end(struct pg_unit *u, const struct err_code *code, enum pg_health health)
{
    struct pg_query *first = u->first;
    int64_t took_us = clock_mono_us() - u->started_us;

    observe(u, took_us);
    pg_pool_report(u->pool, health, took_us);
    free(u);
    if (!first)
        return;
    first->unit = NULL;
    wait_end(&first->wait, make_err(first, code));
}

void pg_unit_repeat(struct pg_unit *u)
{
    struct pg_pool *p = u->pool;
    struct list *queue = u->writes ? &p->writes : &p->reads;

    if (!u->first) {
        pg_unit_end(u, NULL, PG_HEALTHY);
        return;
    }
    u->seen = u->done = 0;
    u->at = NULL;
    u->sent = false;
    u->conn = NULL;
    u->failure = (struct pg_failure){0};
    list_push(queue->next, &u->link); /* before the first */
    p->waiting++;
    pg_pool_flush_soon(p);
    pg_pool_watch(p);
}

static void give_violation(struct pg_unit *u)
{
    if (u->first && u->failure.query)
        u->first->violated = u->failure.query->violated = u->failure.text;
}

static void settle_failure(struct pg_unit *u)
{
    switch (u->failure.verdict) {
    case PG_VIOLATED:
        give_violation(u);
        pg_unit_end(u, NULL, PG_HEALTHY);
        break;
    case PG_TIMED_OUT: pg_unit_end(u, &ERR_CODE_DEADLINE, PG_SICK); break;
    case PG_REPEAT:
    case PG_ELSEWHERE:
        u->alone = true;
        if (++u->tries < PG_TRIES)
            pg_unit_repeat(u);
        else
            pg_unit_end(u, &ERR_CODE_UNAVAILABLE, PG_HEALTHY);
        break;
    case PG_EXHAUSTED:
    case PG_DISCONNECTED: pg_unit_end(u, &ERR_CODE_UNAVAILABLE, PG_SICK); break;
    case PG_BROKEN: pg_unit_end(u, &ERR_CODE_INTERNAL, PG_HEALTHY); break;
    }
}

void pg_unit_settle(struct pg_unit *u)
{
    if (u->failure.failed) {
        settle_failure(u);
    } else if (u->done == u->n) {
        pg_unit_end(u, NULL, PG_HEALTHY);
    } else { /* another unit of the segment took it along */
        u->alone = true;
        pg_unit_repeat(u);
    }
}
