// SPDX-License-Identifier: Apache-2.0
/* Orders: one statement per operation. */
#include "orders/store/orders.h"

#include "orders/store/env.h"
#include "sql.h"

#include "kit/outbox/event.h"
#include "kit/outbox/outbox.h"
#include "kit/pg/pg.h"
#include "proto/events.h"

static struct idempotency *write_once(struct flow *f, const struct pg_stmt *stmt)
{
    const struct orders_env *env = f->env;

    return idempotency_write(f, env->pg, stmt);
}

/* ---- placing
 * --------------------------------------------------------------------------- */

struct idempotency *store_order_place(struct flow *f, struct uuid id,
                                      const struct order_create *in)
{
    struct order_placed event = {0};
    struct uuid *products = ARENA_ARRAY(&f->arena, struct uuid, in->items.n);
    int64_t *quantities = ARENA_ARRAY(&f->arena, int64_t, in->items.n);
    struct idempotency *k = write_once(f, &sql_order_place);
    struct pg_query *q = k->work;

    for (size_t i = 0; i < in->items.n; i++) {
        products[i] = in->items.v[i].product_id;
        quantities[i] = in->items.v[i].quantity;
    }
    WIRE_SET(&event, order_id, id);
    WIRE_SET(&event, user_id, f->caller.user);
    pg_uuid(q, id);
    pg_uuid(q, f->caller.user);
    pg_uuid_array(q, products, in->items.n);
    pg_i64_array(q, quantities, in->items.n);
    outbox_params(f, q, EVENT_ORDER_PLACED, &order_placed_msg, &event);
    idempotency_start(f, k, &sql_order_keep, id);
    return k;
}

enum {
    PLACE_PRODUCT,
    PLACE_SKU,
    PLACE_NAME,
    PLACE_QUANTITY,
    PLACE_UNIT_PRICE,
    PLACE_LINE_CURRENCY,
    PLACE_STOCK,
    PLACE_ACTIVE,
    PLACE_PLACED_AT,
    PLACE_TOTAL,
    PLACE_CURRENCY
};

static void read_lines(struct flow *f, const struct pg_rows *r, struct placed_lines *out)
{
    out->n = (size_t)r->count;
    out->v = ARENA_ARRAY(&f->arena, struct placed_line, out->n);
    for (int i = 0; i < r->count; i++)
        out->v[i] = (struct placed_line){
            .product = pg_get_uuid(r, i, PLACE_PRODUCT),
            .quantity = pg_get_i64(r, i, PLACE_QUANTITY),
            .stock = pg_get_i64(r, i, PLACE_STOCK),
            .currency = pg_get_str(r, i, PLACE_LINE_CURRENCY),
            .active = pg_get_flag(r, i, PLACE_ACTIVE),
        };
}

static void read_items(struct flow *f, const struct pg_rows *r, struct order *out)
{
    struct order_item_list items = {
        ARENA_ARRAY(&f->arena, struct order_item, (size_t)r->count), (size_t)r->count};

    for (int i = 0; i < r->count; i++)
        pg_get_msg(&f->arena, r, i, &order_item_msg, &items.v[i]);
    WIRE_SET(out, items, items);
}

bool store_order_place_read(struct flow *f, const struct idempotency *k, struct uuid id,
                            struct order *out, struct placed_lines *lines)
{
    const struct pg_rows *r = &k->work->rows;

    if (k->work->violated.p || r->count == 0 || pg_is_null(r, 0, PLACE_PLACED_AT)) {
        read_lines(f, r, lines);
        return false;
    }
    WIRE_SET(out, id, id);
    WIRE_SET(out, user_id, f->caller.user);
    WIRE_SET(out, status, ORDER_PENDING);
    WIRE_SET(out, currency, pg_get_str(r, 0, PLACE_CURRENCY));
    WIRE_SET(out, total, pg_get_i64(r, 0, PLACE_TOTAL));
    WIRE_SET(out, version, 1);
    WIRE_SET(out, created_at, pg_get_time(r, 0, PLACE_PLACED_AT));
    WIRE_SET(out, updated_at, out->created_at);
    read_items(f, r, out);
    return true;
}

/* ---- one order
 * --------------------------------------------------------------------------- */

struct pg_lookup *store_order_get(struct flow *f, struct uuid id)
{
    const struct orders_env *env = f->env;

    return pg_lookup(f, env->pg, &sql_order_get, &sql_order_get_many, id);
}

bool store_order_get_read(struct flow *f, const struct pg_lookup *l, struct order *out)
{
    if (l->rows.count == 0)
        return false;
    pg_get_msg(&f->arena, &l->rows, 0, &order_msg, out);
    return true;
}

struct idempotency *store_order_move(struct flow *f, struct uuid id,
                                     const struct uuid *owner,
                                     const struct order_move *move)
{
    struct order_moved event = {0};
    struct str *from = ARENA_ARRAY(&f->arena, struct str, move->n_from);
    struct idempotency *k = write_once(f, &sql_order_move);
    struct pg_query *q = k->work;

    for (size_t i = 0; i < move->n_from; i++)
        from[i] = str_of(wire_enum_label(&order_status_enum, move->from[i]));
    WIRE_SET(&event, order_id, id);
    WIRE_SET(&event, status, move->to);
    pg_uuid(q, id);
    pg_uuid_opt(q, owner != NULL, owner ? *owner : (struct uuid){{0}});
    pg_str_array(q, from, move->n_from);
    pg_str(q, str_of(wire_enum_label(&order_status_enum, move->to)));
    pg_flag(q, move->restock);
    outbox_params(f, q, EVENT_ORDER_MOVED, &order_moved_msg, &event);
    idempotency_start(f, k, &sql_order_keep, id);
    return k;
}

enum order_move_result store_order_move_read(const struct idempotency *k,
                                             enum order_status *was)
{
    const struct pg_rows *r = &k->work->rows;

    if (r->count == 0)
        return ORDER_MOVE_NONE;
    *was = (enum order_status)wire_enum_value(&order_status_enum, pg_get_str(r, 0, 0));
    return pg_is_null(r, 0, 1) ? ORDER_MOVE_ILLEGAL : ORDER_MOVE_DONE;
}

void store_event_committed(const struct flow *f)
{
    const struct orders_env *env = f->env;

    if (env->relay)
        outbox_relay_nudge(env->relay);
}
