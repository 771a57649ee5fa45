// SPDX-License-Identifier: Apache-2.0
/* See kit/idempotency/idempotency.h. */
#include "kit/idempotency/idempotency.h"

#include "kit/base/clock.h"
#include "kit/base/siphash.h"
#include "kit/rpc/server.h"
#include "kit/wire/wire.h"

enum { LOOK_AGAIN_MS = 20, PATIENCE_MS = 2000, RETRY_AFTER_MS = 1000 };

/* ---- the transaction --------------------------------------------------------- */

/* Every replica must come to the same hash. */
static int64_t hash_of(struct str request)
{
    const struct siphash_key key = {0x7669616475637420, 0x6964656d706f7465};

    return (int64_t)siphash13(key, request.p, request.n);
}

static void put_key(const struct flow *f, struct pg_query *q)
{
    const struct rpc_request *rq = rpc_request(f);

    pg_uuid(q, f->caller.user);
    pg_str(q, str_of(rq->method->name));
    pg_str(q, rq->key);
}

struct idempotency *idempotency_write(struct flow *f, struct pg_pool *p,
                                      const struct pg_stmt *stmt)
{
    const struct rpc_request *rq = rpc_request(f);
    struct idempotency *k = ARENA_NEW(&f->arena, struct idempotency);

    k->pool = p;
    if (!rq || rq->key.n == 0) {
        k->work = pg_query(f, p, stmt);
        return k;
    }
    k->claim = pg_query(f, p, &sql_idempotency_claim);
    put_key(f, k->claim);
    pg_i64(k->claim, hash_of(rq->body));
    k->work = pg_query_then(f, k->claim, stmt);
    return k;
}

void idempotency_start(struct flow *f, struct idempotency *k, const struct pg_stmt *keep,
                       struct uuid written)
{
    struct pg_query *q;

    if (k->claim) {
        q = pg_query_then(f, k->claim, keep);
        put_key(f, q);
        pg_uuid(q, written);
    }
    pg_start(f, k->claim ? k->claim : k->work, true);
}

/* ---- a key that is taken ------------------------------------------------------ */

static enum step looked(struct flow *f);

static enum step look(struct flow *f)
{
    struct idempotency *k = f->state;

    k->found = pg_query(f, k->pool, &sql_idempotency_find);
    put_key(f, k->found);
    return pg_await(f, k->found, looked);
}

/* The other one is not through yet, or has given up. */
static enum step in_flight(struct flow *f)
{
    const struct idempotency *k = f->state;
    int64_t waited_us = clock_mono_us() - k->begun_us;
    struct err *err;

    if (rpc_request(f)->repeated && waited_us < PATIENCE_MS * 1000)
        return flow_sleep(f, LOOK_AGAIN_MS, look);
    err =
        err_new(&f->arena, &ERR_CODE_KEY_IN_FLIGHT, "Wait for its answer, or ask again");
    err->retry_after_ms = RETRY_AFTER_MS;
    return flow_fail(f, err);
}

static enum step answer_again(struct flow *f, const struct pg_rows *r)
{
    const struct rpc_request *rq = rpc_request(f);
    const struct err *err;

    if (pg_get_i64(r, 0, 0) != hash_of(rq->body))
        return flow_fail_code(f, &ERR_CODE_KEY_REUSED, "Use a new key for a new request");
    err = wire_from_json_lenient(&f->arena, rq->method->out, pg_get_str(r, 0, 1), f->out);
    if (!err)
        return flow_done(f);
    LOG_ERROR(&f->log, "idempotency.bad_answer", KV("method", rq->method->name),
              KV("why", err->detail));
    return flow_fail(f, ERR_STATIC(INTERNAL));
}

static enum step looked(struct flow *f)
{
    const struct idempotency *k = f->state;
    const struct pg_rows *r = &k->found->rows;

    return r->count == 0 ? in_flight(f) : answer_again(f, r);
}

static enum step settled(struct flow *f)
{
    struct idempotency *k = f->state;
    struct str violated = k->claim->violated;

    if (str_eq(violated, STR("idempotency_used")))
        return look(f);
    if (str_eq(violated, STR("idempotency_in_flight")))
        return in_flight(f);
    f->state = k->state;
    return k->next(f);
}

enum step idempotency_await(struct flow *f, struct idempotency *k, flow_step next)
{
    if (!k->claim)
        return flow_await(f, next);
    k->state = f->state;
    k->next = next;
    k->begun_us = clock_mono_us();
    f->state = k;
    return flow_await(f, settled);
}
