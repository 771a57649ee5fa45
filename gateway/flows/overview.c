// SPDX-License-Identifier: Apache-2.0
/* GET /v1/users/{id}/overview: three calls side by side. A service that is down costs its
 * part of the answer; a service that says no (not found, not permitted) says so for all.
 */
#include "gateway/flows/overview.h"

#include "gateway/edge/internal.h"
#include "gateway/edge/request.h"
#include "gateway/flows/flows.h"
#include "proto/errors.h"

WIRE_DEFINE(overview_reply, OVERVIEW)

enum { RECENT = 10, PARTS = 3 };

struct viewing {
    struct rpc_call user_call, orders_call, jobs_call;
    struct user user;
    struct order_query orders_in;
    struct order_page orders;
    struct job_query jobs_in;
    struct job_page jobs;
    struct str missing[PARTS];
};

/* True when the part can be used; *refusal is set when a service has decided. */
static bool take(struct overview_reply *out, const struct rpc_call *call, struct str part,
                 const struct err **refusal)
{
    const struct err *e = call->wait.err;

    if (!e)
        return true;
    if (err_info(e)->http_status < 500 && !*refusal)
        *refusal = e;
    out->unavailable.v[out->unavailable.n++] = part;
    out->partial = true;
    return false;
}

static void take_orders(struct overview_reply *out, const struct viewing *v)
{
    const struct order_list page = {v->orders.items.v, v->orders.items.n};

    WIRE_SET(out, orders, page);
}

static enum step gathered(struct flow *f)
{
    struct viewing *v = f->state;
    struct overview_reply *out = f->out;
    const struct err *refusal = NULL;

    WIRE_SET(out, partial, false);
    WIRE_SET(out, unavailable, ((struct str_list){v->missing, 0}));
    if (take(out, &v->user_call, STR("user"), &refusal))
        WIRE_SET(out, user, &v->user);
    if (take(out, &v->orders_call, STR("orders"), &refusal))
        take_orders(out, v);
    if (v->jobs_call.method && take(out, &v->jobs_call, STR("jobs"), &refusal))
        WIRE_SET(out, jobs, v->jobs.items);
    return refusal ? flow_fail(f, refusal) : flow_done(f);
}

enum step overview(struct flow *f)
{
    struct rpc_client *rpc = request_of(f)->edge->rpc;
    struct viewing *v = ARENA_NEW(&f->arena, struct viewing);
    const struct by_id *who = f->in;

    f->state = v;
    WIRE_SET(&v->orders_in, filter_user_id, who->id);
    WIRE_SET(&v->orders_in, limit, RECENT);
    WIRE_SET(&v->jobs_in, limit, RECENT);
    rpc_start(f, &v->user_call, rpc, &USERS_GET, who, &v->user, false);
    rpc_start(f, &v->orders_call, rpc, &ORDERS_LIST, &v->orders_in, &v->orders, false);
    if (uuid_eq(who->id, f->caller.user)) /* jobs.list knows no other's jobs */
        rpc_start(f, &v->jobs_call, rpc, &JOBS_LIST, &v->jobs_in, &v->jobs, false);
    return flow_await(f, gathered);
}
