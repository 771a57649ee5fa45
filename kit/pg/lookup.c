// SPDX-License-Identifier: Apache-2.0
/*
 * Reads by id that leave as one statement. Planning nothing, a statement still costs the
 * server more to begin and to end than to find a row, and libpq more than to read one.
 *
 * What was asked for waits until the turn ends, or until one of two batches under way is
 * back: one can be with the server while the other is on its way, and the busier the
 * server is, the more ids share a statement. Full batches go as long as there are
 * connections, so that a slow server reads for many at once. A batch is a flow of its
 * own, which does not end with the flow that asked first; it does when nobody waits for
 * it any more.
 */
#include "kit/base/mem.h"
#include "kit/pg/pool.h"

#include <stdlib.h>

enum { BATCH_MAX = 32 /* ids */, PARTS = 2 /* batches that are not full */ };

struct pg_batch {
    struct pg_gather *gather;
    struct flow *flow; /* NULL: it has ended */
    struct pg_query *query;
    struct arena arena; /* query, ids and rows: for all who read them */
    unsigned users;     /* of the arena */
    unsigned n, wanted; /* members, and how many of them have not gone */
    struct pg_lookup *members[BATCH_MAX];
};

static void let_go(void *ptr)
{
    struct pg_batch *b = ptr;

    if (--b->users > 0)
        return;
    arena_fini(&b->arena);
    free(b);
}

/* ---- a batch that is back ---- */

static void give_row(struct pg_batch *b, struct pg_lookup *l, int row)
{
    b->users++;
    arena_defer(&l->wait.flow->arena, let_go, b);
    l->rows = b->query->rows;
    l->rows.first = row;
    l->rows.count = 1;
}

/* To all who asked for its id. */
static void share_out(struct pg_batch *b)
{
    const struct pg_rows *all = &b->query->rows;

    for (int row = 0; row < all->count; row++) {
        struct uuid id = pg_get_uuid(all, row, 0);

        for (unsigned i = 0; i < b->n; i++)
            if (b->members[i] && uuid_eq(b->members[i]->id, id))
                give_row(b, b->members[i], row);
    }
}

static void tell_members(struct pg_batch *b, const struct err *err)
{
    for (unsigned i = 0; i < b->n; i++) {
        struct pg_lookup *l = b->members[i];

        if (l)
            wait_end(&l->wait, err ? err_copy(&l->wait.flow->arena, err) : NULL);
    }
}

static bool may_send(const struct pg_gather *g)
{
    return g->waiting > 0 && g->under_way < g->pool->n_conns &&
           (g->under_way < PARTS || g->waiting >= BATCH_MAX);
}

static void gather_soon(struct pg_gather *g)
{
    if (may_send(g))
        loop_at_turn_end(g->pool->loop, &g->task);
}

static void on_end(struct flow *f, const struct err *err)
{
    struct pg_batch *b = f->owner;

    b->flow = NULL;
    b->gather->under_way--;
    gather_soon(b->gather);
    if (!err)
        share_out(b);
    tell_members(b, err);
    let_go(b);
}

/* ---- sending ---- */

static enum step answered(struct flow *f)
{
    return flow_done(f);
}

static enum step ask(struct flow *f)
{
    struct pg_batch *b = f->owner;
    const struct pg_gather *g = b->gather;
    struct pg_query *q = pg_query(f, g->pool, b->n == 1 ? g->one : g->many);
    struct uuid *ids = ARENA_ARRAY(&b->arena, struct uuid, b->n);

    for (unsigned i = 0; i < b->n; i++)
        ids[i] = b->members[i]->id;
    b->query = q;
    q->arena = &b->arena; /* rows outlive this flow */
    if (b->n == 1)
        pg_uuid(q, ids[0]);
    else
        pg_uuid_array(q, ids, b->n);
    return pg_await(f, q, answered);
}

static void send_batch(struct pg_gather *g)
{
    struct pg_batch *b = MEM_NEW(struct pg_batch);
    int64_t left_ms = 0;
    struct list *link;

    b->gather = g;
    b->users = 1;
    arena_init(&b->arena);
    while (b->n < BATCH_MAX && (link = list_pop(&g->asked))) {
        struct pg_lookup *l = CONTAINER_OF(link, struct pg_lookup, link);
        int64_t its_ms = flow_left_ms(l->wait.flow);

        left_ms = its_ms > left_ms ? its_ms : left_ms;
        l->batch = b;
        l->place = b->n;
        b->members[b->n++] = l;
    }
    b->wanted = b->n;
    g->waiting -= b->n;
    g->under_way++;
    b->flow = flow_create(g->pool->loop, left_ms, on_end, b);
    flow_start(b->flow, ask);
}

static void on_turn_end(struct loop_task *t)
{
    struct pg_gather *g = CONTAINER_OF(t, struct pg_gather, task);

    while (may_send(g))
        send_batch(g);
}

/* ---- asking ---- */

static void on_cancel(struct wait *w)
{
    struct pg_lookup *l = CONTAINER_OF(w, struct pg_lookup, wait);
    struct pg_batch *b = l->batch;

    if (!b) {
        list_remove(&l->link);
        l->gather->waiting--;
        return;
    }
    b->members[l->place] = NULL;
    if (--b->wanted == 0 && b->flow)
        flow_cancel(b->flow, ERR_STATIC(CANCELLED));
}

struct pg_lookup *pg_lookup(struct flow *f, struct pg_pool *p, const struct pg_stmt *one,
                            const struct pg_stmt *many, struct uuid id)
{
    struct pg_lookup *l = ARENA_NEW(&f->arena, struct pg_lookup);
    struct pg_gather *g = &p->stmts[pg_stmt_index(p, one)].gather;

    g->one = one;
    g->many = many;
    l->gather = g;
    l->id = id;
    list_init(&l->link);
    wait_begin(f, &l->wait, on_cancel, true);
    if (p->closing || g->waiting >= p->max_waiting) {
        wait_end(&l->wait,
                 pg_refusal(&f->arena, p,
                            p->closing ? &ERR_CODE_UNAVAILABLE : &ERR_CODE_SHED));
        return l;
    }
    list_push(&g->asked, &l->link);
    g->waiting++;
    gather_soon(g);
    return l;
}

/* ---- life cycle ---- */

void pg_gather_init(struct pg_gather *g, struct pg_pool *p)
{
    g->pool = p;
    list_init(&g->asked);
    loop_task_init(&g->task, on_turn_end);
}

void pg_gather_close(struct pg_gather *g)
{
    struct list *link;

    loop_task_cancel(&g->task);
    while ((link = list_pop(&g->asked))) {
        struct pg_lookup *l = CONTAINER_OF(link, struct pg_lookup, link);

        g->waiting--;
        wait_end(&l->wait,
                 pg_refusal(&l->wait.flow->arena, g->pool, &ERR_CODE_UNAVAILABLE));
    }
}
