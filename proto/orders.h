// SPDX-License-Identifier: Apache-2.0
/* What the orders service says and hears: catalogue, stock, orders. Money is in minor
 * units. */
#ifndef PROTO_ORDERS_H
#define PROTO_ORDERS_H

#include "proto/common.h"

/* --- catalogue --- */

#define PRODUCT_FIELDS(F, T, NEED)                                            \
    F(T, str, sku, NEED, 1, 40, "stock keeping unit, unique")                 \
    F(T, str, name, NEED, 1, 200, "what customers read")                      \
    F(T, text, description, OPTIONAL, 0, 4000, "more about it")               \
    F(T, i64, price, NEED, 0, 100000000000, "in minor units of the currency") \
    F(T, currency, currency, NEED, 3, 3, "ISO 4217")                          \
    F(T, i64, stock, NEED, 0, 1000000000, "pieces that can be ordered")

#define PRODUCT(F, T)                                                         \
    F(T, uuid, id, REQUIRED, 0, 0, "its id")                                  \
    PRODUCT_FIELDS(F, T, REQUIRED)                                            \
    F(T, flag, active, REQUIRED, 0, 0, "inactive products cannot be ordered") \
    F(T, i64, version, REQUIRED, 1, INT64_MAX, "grows with every change")     \
    F(T, time, created_at, REQUIRED, 0, 0, "when it was added")               \
    F(T, time, updated_at, REQUIRED, 0, 0, "when it last changed")
WIRE_MESSAGE(product, PRODUCT)

#define PRODUCT_CREATE(F, T) PRODUCT_FIELDS(F, T, REQUIRED)
WIRE_MESSAGE(product_create, PRODUCT_CREATE)

#define PRODUCT_PATCH_BODY(F, T)   \
    PRODUCT_FIELDS(F, T, OPTIONAL) \
    F(T, flag, active, OPTIONAL, 0, 0, "inactive products cannot be ordered")
WIRE_MESSAGE(product_patch_body, PRODUCT_PATCH_BODY)
#define PRODUCT_PATCH(F, T)                         \
    F(T, uuid, id, REQUIRED, 0, 0, "which product") \
    PRODUCT_PATCH_BODY(F, T)                        \
    F(T, i64, if_version, OPTIONAL, 1, INT64_MAX, "only if it is still this version")
WIRE_MESSAGE(product_patch, PRODUCT_PATCH)

#define PRODUCT_SORT(V)                            \
    V(PRODUCT_SORT_CREATED_AT, "created_at")       \
    V(PRODUCT_SORT_CREATED_AT_DESC, "-created_at") \
    V(PRODUCT_SORT_PRICE, "price")                 \
    V(PRODUCT_SORT_PRICE_DESC, "-price")
WIRE_ENUM(product_sort, PRODUCT_SORT)
#define PRODUCT_QUERY(F, T)                                                     \
    PAGE_QUERY(F, T)                                                            \
    F(T, enum(product_sort), sort, OPTIONAL, 0, 0, "-created_at when left out") \
    F(T, str, filter_sku, OPTIONAL, 1, 40, "the one with this SKU")
WIRE_MESSAGE(product_query, PRODUCT_QUERY)
#define PRODUCT_PAGE(F, T)                                       \
    F(T, list(product), items, REQUIRED, 0, 100, "the products") \
    F(T, str, next_cursor, OPTIONAL, 0, 200,                     \
      "where the next page starts; left out on the last")
WIRE_MESSAGE(product_page, PRODUCT_PAGE)

/* --- orders --- */

#define ORDER_STATUS(V)             \
    V(ORDER_PENDING, "pending")     \
    V(ORDER_PAID, "paid")           \
    V(ORDER_SHIPPED, "shipped")     \
    V(ORDER_DELIVERED, "delivered") \
    V(ORDER_CANCELLED, "cancelled") \
    V(ORDER_REFUNDED, "refunded")
WIRE_ENUM(order_status, ORDER_STATUS)

#define ORDER_LINE(F, T)                                    \
    F(T, uuid, product_id, REQUIRED, 0, 0, "which product") \
    F(T, i64, quantity, REQUIRED, 1, 10000, "how many")
WIRE_MESSAGE(order_line, ORDER_LINE)
#define ORDER_CREATE(F, T) \
    F(T, list(order_line), items, REQUIRED, 1, 100, "what to order; a product once")
WIRE_MESSAGE(order_create, ORDER_CREATE)

#define ORDER_ITEM(F, T)                                        \
    F(T, uuid, product_id, REQUIRED, 0, 0, "which product")     \
    F(T, str, sku, REQUIRED, 1, 40, "as it was when ordered")   \
    F(T, str, name, REQUIRED, 1, 200, "as it was when ordered") \
    F(T, i64, quantity, REQUIRED, 1, 10000, "how many")         \
    F(T, i64, unit_price, REQUIRED, 0, INT64_MAX,               \
      "in minor units, as it was when ordered")
WIRE_MESSAGE(order_item, ORDER_ITEM)

#define ORDER(F, T)                                                       \
    F(T, uuid, id, REQUIRED, 0, 0, "its id")                              \
    F(T, uuid, user_id, REQUIRED, 0, 0, "who ordered")                    \
    F(T, enum(order_status), status, REQUIRED, 0, 0, "where it stands")   \
    F(T, currency, currency, REQUIRED, 3, 3, "ISO 4217, of all amounts")  \
    F(T, i64, total, REQUIRED, 0, INT64_MAX, "in minor units")            \
    F(T, list(order_item), items, OPTIONAL, 0, 100, "left out in lists")  \
    F(T, i64, version, REQUIRED, 1, INT64_MAX, "grows with every change") \
    F(T, time, created_at, REQUIRED, 0, 0, "when it was placed")          \
    F(T, time, updated_at, REQUIRED, 0, 0, "when it last changed")
WIRE_MESSAGE(order, ORDER)

#define ORDER_SORT(V)                      \
    V(ORDER_SORT_CREATED_AT, "created_at") \
    V(ORDER_SORT_CREATED_AT_DESC, "-created_at")
WIRE_ENUM(order_sort, ORDER_SORT)
#define ORDER_QUERY(F, T)                                                     \
    PAGE_QUERY(F, T)                                                          \
    F(T, enum(order_sort), sort, OPTIONAL, 0, 0, "-created_at when left out") \
    F(T, enum(order_status), filter_status, OPTIONAL, 0, 0, "only these")     \
    F(T, uuid, filter_user_id, OPTIONAL, 0, 0,                                \
      "whose orders; your own when left out, others' for administrators only")
WIRE_MESSAGE(order_query, ORDER_QUERY)
#define ORDER_PAGE(F, T)                                     \
    F(T, list(order), items, REQUIRED, 0, 100, "the orders") \
    F(T, str, next_cursor, OPTIONAL, 0, 200,                 \
      "where the next page starts; left out on the last")
WIRE_MESSAGE(order_page, ORDER_PAGE)

/* --- for the report worker: orders of a period, oldest first --- */

#define ORDER_PERIOD(F, T)                                  \
    F(T, time, from, REQUIRED, 0, 0, "first moment")        \
    F(T, time, to, REQUIRED, 0, 0, "first moment after it") \
    F(T, i64, limit, REQUIRED, 1, 1000, "rows")             \
    F(T, str, cursor, OPTIONAL, 1, 200, "next_cursor of the answer before")
WIRE_MESSAGE(order_period, ORDER_PERIOD)
#define ORDER_ROW(F, T)                                                 \
    F(T, uuid, id, REQUIRED, 0, 0, "its id")                            \
    F(T, uuid, user_id, REQUIRED, 0, 0, "who ordered")                  \
    F(T, enum(order_status), status, REQUIRED, 0, 0, "where it stands") \
    F(T, currency, currency, REQUIRED, 3, 3, "ISO 4217")                \
    F(T, i64, total, REQUIRED, 0, INT64_MAX, "in minor units")          \
    F(T, i64, pieces, REQUIRED, 0, INT64_MAX, "sum of the quantities")  \
    F(T, time, created_at, REQUIRED, 0, 0, "when it was placed")
WIRE_MESSAGE(order_row, ORDER_ROW)
#define ORDER_ROWS(F, T)                                        \
    F(T, list(order_row), items, REQUIRED, 0, 1000, "the rows") \
    F(T, str, next_cursor, OPTIONAL, 0, 200, "left out on the last page")
WIRE_MESSAGE(order_rows, ORDER_ROWS)

/* --- for exports: lines of JSON, an order_row each, as chunks of a stream --- */

#define ORDER_EXPORT(F, T)                                                        \
    F(T, time, from, OPTIONAL, 0, 0, "first moment; all there are when left out") \
    F(T, time, to, OPTIONAL, 0, 0, "first moment after it; now when left out")
WIRE_MESSAGE(order_export, ORDER_EXPORT)

/*   number, symbol, name, in, out, idempotent, longest ms */
#define ORDERS_METHODS(M)                                                               \
    M(0x0201, PRODUCTS_LIST, "products.list", product_query, product_page, true, 3000)  \
    M(0x0202, PRODUCTS_GET, "products.get", by_id, product, true, 2000)                 \
    M(0x0203, PRODUCTS_CREATE, "products.create", product_create, product, false, 3000) \
    M(0x0204, PRODUCTS_PATCH, "products.patch", product_patch, product, false, 3000)    \
    M(0x0210, ORDERS_CREATE, "orders.create", order_create, order, false, 5000)         \
    M(0x0211, ORDERS_GET, "orders.get", by_id, order, true, 2000)                       \
    M(0x0212, ORDERS_LIST, "orders.list", order_query, order_page, true, 3000)          \
    M(0x0213, ORDERS_PAY, "orders.pay", by_id, order, false, 3000)                      \
    M(0x0214, ORDERS_SHIP, "orders.ship", by_id, order, false, 3000)                    \
    M(0x0215, ORDERS_DELIVER, "orders.deliver", by_id, order, false, 3000)              \
    M(0x0216, ORDERS_CANCEL, "orders.cancel", by_id, order, false, 3000)                \
    M(0x0217, ORDERS_REFUND, "orders.refund", by_id, order, false, 3000)                \
    M(0x0220, ORDERS_PERIOD, "orders.period", order_period, order_rows, true, 10000)    \
    M(0x0221, ORDERS_EXPORT, "orders.export", order_export, empty, true, 3600000)
ORDERS_METHODS(RPC_METHOD_DECLARE)

#endif
