// SPDX-License-Identifier: Apache-2.0
/*
 * Orders in PostgreSQL. Each operation has two halves: store_x() starts its one statement
 * as a required wait of the flow, store_x_read() reads the answer in the step after
 * flow_await(), or idempotency_await() where store_x() returns a struct idempotency. What
 * is read lives as long as the flow.
 */
#ifndef ORDERS_STORE_ORDERS_H
#define ORDERS_STORE_ORDERS_H

#include "kit/cursor/page.h"
#include "kit/flow/flow.h"
#include "kit/idempotency/idempotency.h"
#include "proto/orders.h"

/* A line of an order as the database sees it at the moment of placing. */
struct placed_line {
    struct uuid product;
    int64_t quantity, stock;
    struct str currency;
    bool active; /* false also when there is no such product */
};
struct placed_lines {
    struct placed_line *v;
    size_t n;
};

/* Order, items, stock and the event order.placed, all or nothing. */
struct idempotency *store_order_place(struct flow *f, struct uuid id,
                                      const struct order_create *in);
/* true: placed, *out filled. false: nothing was written, *lines tells what stood against
 * it. */
bool store_order_place_read(struct flow *f, const struct idempotency *k, struct uuid id,
                            struct order *out, struct placed_lines *lines);

struct pg_lookup *store_order_get(struct flow *f, struct uuid id);
bool store_order_get_read(struct flow *f, const struct pg_lookup *l, struct order *out);

struct order_move {
    const enum order_status *from;
    size_t n_from;
    enum order_status to;
    bool restock;
};
/* owner NULL: anybody's. Writes the event order.moved too. */
struct idempotency *store_order_move(struct flow *f, struct uuid id,
                                     const struct uuid *owner,
                                     const struct order_move *move);
enum order_move_result { ORDER_MOVE_DONE, ORDER_MOVE_NONE, ORDER_MOVE_ILLEGAL };
/* *was: the status before, unless there is no such order. */
enum order_move_result store_order_move_read(const struct idempotency *k,
                                             enum order_status *was);

struct order_filter {
    const struct uuid *user; /* NULL: all */
    bool has_status;
    enum order_status status;
    bool descending;
};
struct pg_query *store_order_list(struct flow *f, const struct order_filter *filter,
                                  const struct page *page);
void store_order_list_read(struct flow *f, const struct pg_query *q,
                           const struct page *page, struct order_page *out);

struct pg_query *store_order_period(struct flow *f, int64_t from_us, int64_t to_us,
                                    const struct page *page);
void store_order_period_read(struct flow *f, const struct pg_query *q,
                             const struct page *page, struct order_rows *out);

/* Tells the relay of this process that an event was committed. */
void store_event_committed(const struct flow *f);

#endif
