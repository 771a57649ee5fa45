// SPDX-License-Identifier: Apache-2.0
/* The method table. Decoding and encoding are the message tables' (kit/rpc does them). */
#include "orders/api/handlers.h"

#include "orders/rules/orders.h"
#include "orders/rules/products.h"
#include "proto/orders.h"

const struct rpc_handler orders_handlers[] = {
    {&PRODUCTS_LIST, product_list},
    {&PRODUCTS_GET, product_get},
    {&PRODUCTS_CREATE, product_create},
    {&PRODUCTS_PATCH, product_patch},
    {&ORDERS_CREATE, order_create},
    {&ORDERS_GET, order_get},
    {&ORDERS_LIST, order_list},
    {&ORDERS_PAY, order_pay},
    {&ORDERS_SHIP, order_ship},
    {&ORDERS_DELIVER, order_deliver},
    {&ORDERS_CANCEL, order_cancel},
    {&ORDERS_REFUND, order_refund},
    {&ORDERS_PERIOD, order_period},
    {&ORDERS_EXPORT, order_export},
    {0},
};
