// SPDX-License-Identifier: Apache-2.0
/* POST /v1/orders. */
#include "gateway/edge/internal.h"
#include "gateway/edge/request.h"
#include "gateway/flows/flows.h"
#include "proto/errors.h"
#include "proto/orders.h"
#include "proto/users.h"

struct placing {
    struct by_id who;
    struct user user;
};

static enum step stored(struct flow *f)
{
    struct request *rq = request_of(f);

    rq->reply = rq->call.reply;
    return flow_done(f);
}

static enum step user_found(struct flow *f)
{
    struct request *rq = request_of(f);
    const struct placing *p = f->state;

    if (p->user.status != USER_ACTIVE)
        return flow_fail_code(f, &ERR_CODE_USER_INACTIVE,
                              "Only active accounts can order");
    rpc_start(f, &rq->call, rq->edge->rpc, &ORDERS_CREATE, f->in, NULL, true);
    return flow_await(f, stored);
}

enum step place_order(struct flow *f)
{
    struct placing *p = ARENA_NEW(&f->arena, struct placing);

    f->state = p;
    WIRE_SET(&p->who, id, f->caller.user);
    return rpc_await(f, request_of(f)->edge->rpc, &USERS_GET, &p->who, &p->user,
                     user_found);
}
