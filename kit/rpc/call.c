// SPDX-License-Identifier: Apache-2.0
/*
 * A call, from its start through its tries to its one end. It is with at most one replica
 * at a time; the body stays in the flow's arena, so a try costs no encoding.
 */
#include "kit/base/clock.h"
#include "kit/rpc/envelope.h"
#include "kit/rpc/internal.h"

enum { SHED_RETRY_MS = 1000 };

static struct flow *flow_of(const struct rpc_call *call)
{
    return call->wait.flow;
}

/* May it be executed twice? */
static bool may_repeat(const struct rpc_call *call)
{
    return call->method->idempotent || call->idempotency_key.n > 0;
}

/* A stream of which some was read cannot be begun anew. */
static bool has_begun(const struct rpc_call *call)
{
    return call->first_us > 0;
}

/* How long the replica took: of a stream, for its first chunk; the rest is the reader's
 * pace. */
static int64_t took_us(const struct rpc_call *call, int64_t now_us)
{
    return (has_begun(call) ? call->first_us : now_us) - call->sent_us;
}

/* ---- ends ------------------------------------------------------------------- */

static void count(struct rpc_call *call, const struct err *err, int64_t now_us)
{
    rpc_stats_count(rpc_client_stats(call->client, call->method), err,
                    now_us - call->begun_us);
}

void rpc_call_detach(struct rpc_call *call, enum rpc_verdict v, int64_t now_us,
                     bool cancel)
{
    struct rpc_replica *r = call->replica;

    if (!r)
        return;
    rpc_replica_release(r, call, cancel);
    rpc_replica_judge(r, call->method->id, v, now_us, took_us(call, now_us));
}

/* It counts no more in its upstream's limit. */
static void leave(struct rpc_call *call)
{
    if (call->admitted)
        rpc_upstream_left(call->upstream);
    call->admitted = false;
}

static void finish(struct rpc_call *call, const struct err *err, int64_t now_us)
{
    leave(call);
    loop_timer_clear(&call->timer);
    rpc_hedge_end(call, now_us);
    count(call, err, now_us);
    wait_end(&call->wait, err);
}

/* No answer in time tells something only if there was enough of it. */
static enum rpc_verdict verdict_of_silence(const struct rpc_call *call, int64_t now_us)
{
    int64_t enough_ms = call->method->timeout_ms / 2;

    if (enough_ms > BREAKER_DEFAULTS.slow_ms)
        enough_ms = BREAKER_DEFAULTS.slow_ms;
    if (call->place == RPC_QUEUED || has_begun(call) ||
        now_us - call->sent_us < enough_ms * 1000)
        return RPC_VERDICT_NONE;
    return RPC_VERDICT_FAILED;
}

static void on_timer(struct loop_timer *t)
{
    struct rpc_call *call = CONTAINER_OF(t, struct rpc_call, timer);
    int64_t now_us = clock_mono_us();

    rpc_call_detach(call, verdict_of_silence(call, now_us), now_us, true);
    finish(call, ERR_STATIC(DEADLINE), now_us);
}

/* The flow ends before the call does: by its deadline, or for reasons of its own. */
static void on_cancel(struct wait *w)
{
    struct rpc_call *call = CONTAINER_OF(w, struct rpc_call, wait);
    int64_t now_us = clock_mono_us();
    bool late = now_us >= w->flow->deadline_us;

    leave(call);
    loop_timer_clear(&call->timer);
    rpc_hedge_end(call, now_us);
    rpc_call_detach(call, late ? verdict_of_silence(call, now_us) : RPC_VERDICT_NONE,
                    now_us, true);
    count(call, late ? ERR_STATIC(DEADLINE) : ERR_STATIC(CANCELLED), now_us);
}

/* A try is over without an answer: the call with it, unless it has another one out. */
static void give_up(struct rpc_call *try, const struct err *err, int64_t now_us)
{
    struct rpc_call *call = rpc_hedge_call(try);

    if (!rpc_hedge_other(try))
        finish(call, err, now_us);
    else if (call != try)
        call->twin = NULL;
}

void rpc_call_drop(struct rpc_call *call)
{
    int64_t now_us = clock_mono_us();

    rpc_call_detach(call, RPC_VERDICT_NONE, now_us, false);
    give_up(call, ERR_STATIC(CANCELLED), now_us);
}

/* ---- tries ------------------------------------------------------------------ */

static const struct err *later(struct rpc_call *call, const struct err_code *code,
                               int64_t retry_after_ms)
{
    struct err *err = ARENA_NEW(&flow_of(call)->arena, struct err);

    err->code = code;
    err->retry_after_ms = retry_after_ms;
    return err;
}

static const struct err *not_available(struct rpc_call *call, int64_t retry_after_ms)
{
    return later(call, &ERR_CODE_UNAVAILABLE, retry_after_ms);
}

/* To a replica whose breaker has been asked. */
static const struct err *give(struct rpc_call *call, struct rpc_replica *r,
                              int64_t now_us)
{
    call->tries++;
    call->sent_us = now_us;
    if (rpc_replica_take(r, call))
        return NULL;
    rpc_replica_judge(r, call->method->id, RPC_VERDICT_NONE, now_us, 0);
    return ERR_STATIC(SHED);
}

const struct err *rpc_call_dispatch(struct rpc_call *call,
                                    const struct rpc_replica *avoid)
{
    int64_t now_us = clock_mono_us();
    int64_t retry_after_ms = 0;
    struct rpc_replica *r =
        rpc_upstream_pick(call->upstream, avoid, now_us, &retry_after_ms);

    return r ? give(call, r, now_us) : not_available(call, retry_after_ms);
}

/* Once more, elsewhere; `free`: nothing was sent, so it does not use up the budget. */
static bool try_elsewhere(struct rpc_call *call, const struct rpc_replica *avoid,
                          bool free)
{
    struct rpc_upstream *u = call->upstream;

    if (call->client->closing || call->tries >= RPC_TRIES_MAX || u->up_n == 0 ||
        (u->up_n == 1 && u->up[0] == avoid))
        return false;
    if (!free && !rpc_budget_take(&u->budget, clock_mono_us()))
        return false;
    if (rpc_call_dispatch(call, avoid))
        return false;
    metric_add(u->retries, 1);
    return true;
}

/* Each answer on a connection pays for repeating one call that its loss leaves open: a
 * third of all calls may be on a replica that dies, which is more than the budget allows,
 * and no storm, as what never answers pays for nothing. */
static bool earned(struct rpc_replica *r)
{
    if (r->earned == 0)
        return false;
    r->earned--;
    return true;
}

void rpc_call_lost(struct rpc_call *call)
{
    struct rpc_replica *r = call->replica;
    bool sent = call->place != RPC_QUEUED;
    int64_t now_us = clock_mono_us();

    rpc_call_detach(call, sent ? RPC_VERDICT_LOST : RPC_VERDICT_NONE, now_us, false);
    if (sent && !may_repeat(call))
        finish(call, ERR_STATIC(UNKNOWN_OUTCOME), now_us);
    else if (rpc_hedge_other(call) || call->twin_of || has_begun(call) ||
             !try_elsewhere(call, r, !sent || earned(r)))
        give_up(call, not_available(call, 0), now_us);
}

/* ---- answers ---------------------------------------------------------------- */

static const struct err *read_reply(struct rpc_call *call, const struct rpc_frame *f)
{
    struct flow *flow = flow_of(call);
    const struct err *err = NULL;

    if (f->flags & RPC_FLAG_ERROR)
        return rpc_envelope_read(&flow->arena, f->body, call->client->conf.codes);
    if (call->out)
        err = wire_from_msgpack(&flow->arena, call->method->out, f->body, call->out);
    if (err) {
        LOG_ERROR(&flow->log, "rpc.bad_reply", KV("method", call->method->name),
                  KV("why", err->detail));
        return ERR_STATIC(INTERNAL);
    }
    call->reply = f->body;
    return NULL;
}

/* The service refused it before any work, or cannot do, or tell of, what may be done
 * twice. */
static bool worth_another_try(const struct rpc_call *call, const struct err *err,
                              const struct rpc_frame *f)
{
    enum err_kind kind = err_kind(err);

    return !has_begun(call) &&
           ((f->flags & RPC_FLAG_NOT_STARTED) ||
            ((kind == ERR_UNAVAILABLE || kind == ERR_UNKNOWN_OUTCOME) &&
             may_repeat(call)));
}

static enum rpc_verdict verdict_of_reply(const struct err *err, const struct rpc_frame *f)
{
    if (err && err_info(err)->breaker_failure)
        return RPC_VERDICT_FAILED;
    return f->flags & RPC_FLAG_NOT_STARTED ? RPC_VERDICT_REFUSED : RPC_VERDICT_OK;
}

/* The replica is judged by when the answer came, not by how many before it were in the
 * same message. */
void rpc_call_replied(struct rpc_call *call, struct rpc_inbound *in,
                      const struct rpc_frame *f)
{
    struct rpc_replica *r = call->replica;
    int64_t now_us = r->heard_us;
    struct rpc_call *whole = rpc_hedge_call(call);
    const struct err *err;

    rpc_inbound_keep(in, &flow_of(call)->arena);
    err = read_reply(whole, f);
    r->earned += verdict_of_reply(err, f) == RPC_VERDICT_OK;
    rpc_call_detach(call, verdict_of_reply(err, f), now_us, false);
    if (err && worth_another_try(call, err, f)) {
        if (rpc_hedge_other(call)) {
            give_up(call, err, now_us);
            return;
        }
        if (call == whole && try_elsewhere(call, r, false))
            return;
    }
    if (call != whole) /* beaten: it is at least as slow as this */
        rpc_call_detach(whole, RPC_VERDICT_OK, now_us, true);
    finish(whole, err, now_us);
}

/* ---- the frame -------------------------------------------------------------- */

/* What the other side would refuse as malformed is left out. */
static struct str fit(struct str s, size_t most)
{
    return s.n > 0 && s.n <= most && str_is_utf8(s) ? s : (struct str){0};
}

void rpc_call_frame(const struct rpc_call *call, int64_t now_us, struct rpc_frame *f)
{
    const struct flow *flow = flow_of(call);
    int64_t left_ms = (call->deadline_us - now_us) / 1000;

    *f = (struct rpc_frame){
        .type = RPC_CALL,
        .flags = (flow->trace.sampled ? RPC_FLAG_SAMPLED : 0) |
                 (call->tries > 1 ? RPC_FLAG_REPEATED : 0),
        .method = call->method->id,
        .call = call->id,
        .body = call->body,
        .of_call = {.left_ms = left_ms > 0 ? (uint32_t)left_ms : 1,
                    .trace = flow->trace,
                    .caller = flow->caller,
                    .request_id = call->request_id,
                    .key = call->idempotency_key},
    };
}

/* ---- start ------------------------------------------------------------------ */

/* A timer only where the flow's own deadline does not come first anyway. */
static void set_deadline(struct rpc_call *call, int64_t now_us)
{
    struct flow *f = flow_of(call);
    int64_t own_us = now_us + (int64_t)call->method->timeout_ms * 1000;

    loop_timer_init(&call->timer, f->loop, on_timer);
    call->deadline_us = f->deadline_us;
    if (own_us >= f->deadline_us)
        return;
    call->deadline_us = own_us;
    loop_timer_set_at(&call->timer, own_us);
}

static const struct err *admit(struct rpc_call *call)
{
    if (call->client->closing)
        return ERR_STATIC(CANCELLED);
    if (!call->upstream) {
        LOG_ERROR(&flow_of(call)->log, "rpc.no_upstream",
                  KV("service", call->method->service));
        return not_available(call, 0);
    }
    if (call->begun_us >= call->deadline_us)
        return ERR_STATIC(DEADLINE);
    call->admitted = rpc_upstream_enter(call->upstream, flow_of(call)->priority);
    return call->admitted ? NULL : later(call, &ERR_CODE_SHED, SHED_RETRY_MS);
}

static const struct err *encode(struct rpc_call *call, const void *in)
{
    struct buf *scratch = &call->client->scratch;
    struct rpc_frame f;

    buf_reset(scratch);
    wire_to_msgpack(scratch, call->method->in, in);
    if (scratch->failed)
        return ERR_STATIC(BODY_TOO_LARGE);
    call->body = arena_str(&flow_of(call)->arena, buf_view(scratch));
    rpc_call_frame(call, call->begun_us, &f);
    call->frame_bytes = rpc_frame_size(&f);
    return call->frame_bytes > RPC_FRAME_MAX ? ERR_STATIC(BODY_TOO_LARGE) : NULL;
}

/* A call that is refused costs no encoding. */
static const struct err *begin(struct rpc_call *call, const void *in)
{
    struct rpc_upstream *u = call->upstream;
    const struct err *err = admit(call);
    int64_t retry_after_ms = 0;
    struct rpc_replica *r;

    if (err)
        return err;
    r = rpc_upstream_pick(u, NULL, call->begun_us, &retry_after_ms);
    if (!r)
        return not_available(call, retry_after_ms);
    err = encode(call, in);
    if (err) {
        rpc_replica_judge(r, call->method->id, RPC_VERDICT_NONE, call->begun_us, 0);
        return err;
    }
    rpc_budget_call(&u->budget);
    rpc_hedge_begin(call);
    return give(call, r, call->begun_us);
}

void rpc_start(struct flow *f, struct rpc_call *call, struct rpc_client *c,
               const struct rpc_method *m, const void *in, void *out, bool required)
{
    const struct err *err;

    call->client = c;
    call->method = m;
    call->upstream = c->closing ? NULL : rpc_client_upstream(c, m->service);
    call->replica = NULL;
    call->place = RPC_NOWHERE;
    call->out = out;
    call->reply = (struct str){0};
    call->tries = 0;
    call->first_us = 0;
    call->admitted = false;
    call->hedging = false;
    call->twin = call->twin_of = NULL;
    call->begun_us = clock_mono_us();
    call->idempotency_key = fit(call->idempotency_key, RPC_KEY_MAX);
    call->request_id = fit(f->log.request_id, RPC_REQUEST_ID_MAX);
    list_init(&call->link);
    wait_begin(f, &call->wait, on_cancel, required);
    set_deadline(call, call->begun_us);
    err = begin(call, in);
    if (err)
        finish(call, err, call->begun_us);
}

enum step rpc_await(struct flow *f, struct rpc_client *c, const struct rpc_method *m,
                    const void *in, void *out, flow_step next)
{
    rpc_start(f, ARENA_NEW(&f->arena, struct rpc_call), c, m, in, out, true);
    return flow_await(f, next);
}
