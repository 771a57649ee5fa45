// SPDX-License-Identifier: Apache-2.0
/* Keys that have had their day. */
#include "kit/base/mem.h"
#include "kit/idempotency/idempotency.h"

#include <stdlib.h>

enum { EVERY_MS = 60000, STATEMENT_MS = 10000 };

struct idempotency_sweeper {
    struct loop *loop;
    struct pg_pool *pool;
    struct loop_timer timer;
    struct flow *flow;
};

static enum step swept(struct flow *f)
{
    return flow_done(f);
}

static enum step sweep(struct flow *f)
{
    const struct idempotency_sweeper *s = f->owner;
    struct pg_query *q = pg_query(f, s->pool, &sql_idempotency_sweep);

    pg_i64(q, IDEMPOTENCY_KEEP_MS);
    f->state = q;
    return pg_await(f, q, swept);
}

static void ended(struct flow *f, const struct err *err)
{
    struct idempotency_sweeper *s = f->owner;
    const struct pg_query *q = f->state;

    if (!s->flow) /* destroyed */
        return;
    s->flow = NULL;
    loop_timer_set(&s->timer, !err && q->rows.affected ? 0 : EVERY_MS);
}

static void begin(struct loop_timer *t)
{
    struct idempotency_sweeper *s = CONTAINER_OF(t, struct idempotency_sweeper, timer);

    s->flow = flow_create(s->loop, STATEMENT_MS, ended, s);
    flow_start(s->flow, sweep);
}

struct idempotency_sweeper *idempotency_sweeper_create(struct loop *l, struct pg_pool *p)
{
    struct idempotency_sweeper *s = MEM_NEW(struct idempotency_sweeper);

    s->loop = l;
    s->pool = p;
    loop_timer_init(&s->timer, l, begin);
    loop_timer_set(&s->timer, 0);
    return s;
}

void idempotency_sweeper_destroy(struct idempotency_sweeper *s)
{
    struct flow *f;

    if (!s)
        return;
    f = s->flow;
    s->flow = NULL;
    loop_timer_clear(&s->timer);
    if (f)
        flow_cancel(f, ERR_STATIC(CANCELLED));
    free(s);
}
