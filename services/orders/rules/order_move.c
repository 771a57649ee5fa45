// SPDX-License-Identifier: Apache-2.0
/* Moving an order through its statuses by the transition table. */
#include "orders/rules/orders.h"
#include "orders/rules/transitions.h"
#include "orders/store/orders.h"

#include "proto/errors.h"

struct move {
    const struct transition *t;
    struct idempotency *write;
    struct pg_lookup *read;
};

static enum step order_reread(struct flow *f)
{
    const struct move *m = f->state;

    if (!store_order_get_read(f, m->read, f->out))
        return flow_fail(f, ERR_STATIC(ORDER_NOT_FOUND));
    return flow_done(f);
}

static enum step order_moved(struct flow *f)
{
    const struct by_id *in = f->in;
    struct move *m = f->state;
    enum order_status was;

    switch (store_order_move_read(m->write, &was)) {
    case ORDER_MOVE_NONE: return flow_fail(f, ERR_STATIC(ORDER_NOT_FOUND));
    case ORDER_MOVE_ILLEGAL:
        return flow_fail_code(f, &ERR_CODE_ILLEGAL_TRANSITION,
                              "Cannot %s an order that is %s", m->t->name,
                              wire_enum_label(&order_status_enum, was));
    case ORDER_MOVE_DONE: break;
    }
    store_event_committed(f);
    m->read = store_order_get(f, in->id);
    return flow_await(f, order_reread);
}

static enum step move(struct flow *f, enum order_action action)
{
    const struct by_id *in = f->in;
    struct move *m = f->state = ARENA_NEW(&f->arena, struct move);
    bool anybodys;

    m->t = transition_of(action);
    anybodys = permission_granted(f->caller.roles, m->t->by_right);
    if (!anybodys && !m->t->by_owner)
        return flow_fail(f, ERR_STATIC(INSUFFICIENT_SCOPE));
    m->write = store_order_move(
        f, in->id, anybodys ? NULL : &f->caller.user,
        &(struct order_move){m->t->from, m->t->n_from, m->t->to, m->t->restock});
    return idempotency_await(f, m->write, order_moved);
}

#define MOVE(name, action)         \
    enum step name(struct flow *f) \
    {                              \
        return move(f, action);    \
    }
MOVE(order_pay, ORDER_PAY)
MOVE(order_ship, ORDER_SHIP)
MOVE(order_deliver, ORDER_DELIVER)
MOVE(order_cancel, ORDER_CANCEL)
MOVE(order_refund, ORDER_REFUND)
