// SPDX-License-Identifier: Apache-2.0
/* Placing an order: check the lines, then one statement does all or nothing. */
#include "orders/rules/orders.h"
#include "orders/rules/placing.h"

struct create {
    struct uuid id;
    struct idempotency *placed;
};

static enum step order_stored(struct flow *f)
{
    const struct create *c = f->state;
    struct placed_lines lines;

    if (!store_order_place_read(f, c->placed, c->id, f->out, &lines))
        return flow_fail(f, placing_refusal(&f->arena, &lines));
    store_event_committed(f);
    return flow_done(f);
}

enum step order_create(struct flow *f)
{
    const struct err *err = placing_check(&f->arena, f->in);
    struct create *c = f->state = ARENA_NEW(&f->arena, struct create);

    if (err)
        return flow_fail(f, err);
    c->id = uuid_new();
    c->placed = store_order_place(f, c->id, f->in);
    return idempotency_await(f, c->placed, order_stored);
}
