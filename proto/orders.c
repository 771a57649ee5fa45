// SPDX-License-Identifier: Apache-2.0
/* The tables of proto/orders.h as data. */
#include "proto/orders.h"

WIRE_ENUM_DEFINE(product_sort, PRODUCT_SORT)
WIRE_ENUM_DEFINE(order_status, ORDER_STATUS)
WIRE_ENUM_DEFINE(order_sort, ORDER_SORT)
WIRE_DEFINE(product, PRODUCT)
WIRE_DEFINE(product_create, PRODUCT_CREATE)
WIRE_DEFINE(product_patch_body, PRODUCT_PATCH_BODY)
WIRE_DEFINE(product_patch, PRODUCT_PATCH)
WIRE_DEFINE(product_query, PRODUCT_QUERY)
WIRE_DEFINE(product_page, PRODUCT_PAGE)
WIRE_DEFINE(order_line, ORDER_LINE)
WIRE_DEFINE(order_create, ORDER_CREATE)
WIRE_DEFINE(order_item, ORDER_ITEM)
WIRE_DEFINE(order, ORDER)
WIRE_DEFINE(order_query, ORDER_QUERY)
WIRE_DEFINE(order_page, ORDER_PAGE)
WIRE_DEFINE(order_period, ORDER_PERIOD)
WIRE_DEFINE(order_row, ORDER_ROW)
WIRE_DEFINE(order_rows, ORDER_ROWS)
WIRE_DEFINE(order_export, ORDER_EXPORT)

#define ORDERS_METHOD(...) RPC_METHOD_DEFINE("orders", __VA_ARGS__)
ORDERS_METHODS(ORDERS_METHOD)
