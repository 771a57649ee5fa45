// SPDX-License-Identifier: Apache-2.0
/*
 * The way of a request, in reading order. It is counted once, when it is known who calls
 * or that nobody does: address, user, key and tenant in one round trip, with the note of
 * its proof. All up to body_here() is done with the head alone: what it refuses is
 * answered before the body is read.
 */
#include "gateway/edge/authenticate.h"
#include "gateway/edge/internal.h"
#include "gateway/edge/prove.h"
#include "gateway/edge/request.h"
#include "gateway/edge/respond.h"
#include "gateway/edge/validate.h"
#include "proto/errors.h"

static enum step counted(struct flow *f);
static enum step permit(struct flow *f);
static enum step body_here(struct flow *f);
static enum step called(struct flow *f);

static bool needs_user(const struct request *rq)
{
    return rq->match.route && rq->match.route->auth == ROUTE_USER;
}

/* Signatures and unknown keys cost: not for an address that comes too often. */
static enum step identify(struct flow *f)
{
    struct request *rq = request_of(f);
    const struct err *e = limit_may_ask(f, rq->edge->limiter, rq->counted_ip);

    if (e)
        return flow_fail(f, e);
    return needs_user(rq) ? authenticate(f)
                          : pipeline_identified(f, prove_start(f, NULL));
}

enum step pipeline_begin(struct flow *f)
{
    struct request *rq = request_of(f);
    struct http_req *http = rq->http;
    bool known = true;

    router_find(rq->edge->router, http->method, http->path, &rq->match);
    if (rq->match.route)
        f->log.route = str_of(rq->match.route->path);
    if (!client_may(&rq->edge->client, http->client_ip, rq->match.route))
        return flow_fail_code(f, &ERR_CODE_ADDRESS_DENIED, "Not from this address");
    rq->counted_ip = client_counted(&http->arena, http->client_ip);
    if (needs_user(rq))
        known = authenticate_peek(f);
    else if (rq->match.route && rq->match.route->binds)
        known = !prove_offered(rq);
    return known ? pipeline_identified(f, NULL) : identify(f);
}

enum step pipeline_identified(struct flow *f, const struct err *err)
{
    struct request *rq = request_of(f);
    const struct route *route = rq->match.route;
    const struct limit_who who = {rq->counted_ip, &f->caller};

    rq->refusal = err;
    limit_start(f, &rq->limit, rq->edge->limiter, route ? route->class : ROUTE_OPEN,
                route ? route->cost : 1, &who);
    return flow_await(f, counted);
}

static const struct err *judge_caller(struct flow *f)
{
    const struct request *rq = request_of(f);

    if (rq->refusal)
        return rq->refusal;
    if (needs_user(rq) && uuid_is_nil(f->caller.user))
        return err_new(&f->arena, &ERR_CODE_TOKEN_MISSING,
                       "Send Authorization: Bearer TOKEN");
    return prove_judge(f);
}

static enum step counted(struct flow *f)
{
    struct request *rq = request_of(f);
    const struct err *e = limit_judge(f, &rq->limit);

    if (!e)
        e = judge_caller(f);
    if (e)
        return flow_fail(f, e);
    if (rq->match.allowed == 0)
        return flow_fail_code(f, &ERR_CODE_ROUTE_NOT_FOUND, "No route has this path");
    if (rq->http->method == HTTP_OPTIONS)
        return flow_done(f);
    if (!rq->match.route)
        return flow_fail_code(f, &ERR_CODE_METHOD_NOT_ALLOWED,
                              "The field Allow has those it takes");
    return permit(f);
}

/* ---- what does it want ---- */

static enum step start_work(struct flow *f)
{
    struct request *rq = request_of(f);
    const struct route *route = rq->match.route;
    const struct wire_msg *reply = route_reply(route);

    f->priority = route->priority;
    if (route->longest_ms > 0)
        flow_set_deadline(f, route->longest_ms);
    rq->call.idempotency_key = rq->key;
    if (route->rpc) {
        rpc_start(f, &rq->call, rq->edge->rpc, route->rpc, f->in, NULL, true);
        return flow_await(f, called);
    }
    if (reply)
        f->out = arena_alloc(&f->arena, reply->size);
    return route->flow(f);
}

/* By the role of a user, and by the scopes of a key. */
static const struct err *judge(struct flow *f)
{
    const struct request *rq = request_of(f);
    const struct route *route = rq->match.route;
    bool by_key = f->caller.key_id.p != NULL;

    if (route->auth != ROUTE_USER)
        return NULL;
    if (by_key && !route->scopes)
        return ERR_STATIC(KEY_NOT_ALLOWED);
    if (by_key && (route->scopes & ~rq->scopes))
        return err_new(&f->arena, &ERR_CODE_KEY_SCOPE_MISSING, "It takes the scopes %.*s",
                       STR_FMT(scopes_text(&f->arena, route->scopes)));
    if (!permission_granted(f->caller.roles, route->permission))
        return err_new(&f->arena, &ERR_CODE_INSUFFICIENT_SCOPE,
                       "It takes the permission %s", permission_name(route->permission));
    return NULL;
}

static enum step permit(struct flow *f)
{
    struct request *rq = request_of(f);
    const struct err *e = judge(f);

    if (!e)
        e = respond_acceptable(rq);
    if (!e)
        e = validate_head(rq);
    return e ? flow_fail(f, e) : request_body(f, body_here);
}

static enum step body_here(struct flow *f)
{
    const struct err *e = validate(request_of(f));

    return e ? flow_fail(f, e) : start_work(f);
}

static enum step called(struct flow *f)
{
    struct request *rq = request_of(f);

    rq->reply = rq->call.reply;
    return flow_done(f);
}
