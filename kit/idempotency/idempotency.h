// SPDX-License-Identifier: Apache-2.0
/*
 * The work of one Idempotency-Key is done once, and its answer kept. A key belongs to a
 * user and a method. Claim, work and answer are one transaction, so a key that is found
 * used was, whoever died meanwhile:
 *
 *     used, by the same request     the answer of then; the work is not looked at
 *     used, by another request      request.key_reused
 *     in flight                     request.key_in_flight; a call that the caller sends
 *                                   again, as its first answer was lost, waits for it
 *     not used, or nothing written  the work is done as without a key
 *
 * The answer is kept as JSON, which the database makes from the rows it wrote: the keep
 * statement's, whose parameters are $1 user, $2 method, $3 key, $4 the id of what was
 * written. It frees the key when this transaction wrote no such row (a refusal is judged
 * anew each time). Requests with secrets in them must not use this: their hash is kept.
 *
 * A service that uses it has the table idempotency_keys (services/orders/migrations) and
 * lists IDEMPOTENCY_STATEMENTS among its statements:
 *
 *     k = idempotency_write(f, env->pg, &sql_order_place);
 *     pg_uuid(k->work, id); ...
 *     idempotency_start(f, k, &sql_order_keep, id);
 *     return idempotency_await(f, k, order_stored);       // reads k->work
 */
#ifndef KIT_IDEMPOTENCY_IDEMPOTENCY_H
#define KIT_IDEMPOTENCY_IDEMPOTENCY_H

#include "kit/flow/flow.h"
#include "kit/pg/pg.h"

extern const struct pg_stmt sql_idempotency_claim, sql_idempotency_find,
    sql_idempotency_sweep;
#define IDEMPOTENCY_STATEMENTS \
    &sql_idempotency_claim, &sql_idempotency_find, &sql_idempotency_sweep

enum { IDEMPOTENCY_KEEP_MS = 24 * 3600 * 1000 };

/* One write of a call's flow, in its arena. */
struct idempotency {
    struct pg_query *work;

    /* private */
    struct pg_pool *pool;
    struct pg_query *claim, *found; /* NULL: without a key, or not asked for */
    void *state;                    /* the flow's, while its answer is looked for */
    flow_step next;
    int64_t begun_us;
};

/* `stmt` is the work, its parameters are to be given to ->work. Only in a flow that
 * kit/rpc made for a call can there be a key. */
struct idempotency *idempotency_write(struct flow *f, struct pg_pool *p,
                                      const struct pg_stmt *stmt);
/* Starts it as one required wait. */
void idempotency_start(struct flow *f, struct idempotency *k, const struct pg_stmt *keep,
                       struct uuid written);
/* Then `next`, if the work has been looked at; otherwise the flow ends with the answer of
 * then in f->out, or with an error of the above. */
MUST_CHECK enum step idempotency_await(struct flow *f, struct idempotency *k,
                                       flow_step next);

/* Deletes keys older than IDEMPOTENCY_KEEP_MS, at once and every minute; one per process
 * is enough, more do not hurt. */
struct idempotency_sweeper;
struct idempotency_sweeper *idempotency_sweeper_create(struct loop *l, struct pg_pool *p);
/* Before the pool. */
void idempotency_sweeper_destroy(struct idempotency_sweeper *s);

#endif
