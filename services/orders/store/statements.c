// SPDX-License-Identifier: Apache-2.0
/* The list of statements. */
#include "orders/store/statements.h"

#include "kit/idempotency/idempotency.h"
#include "sql.h"

const struct pg_stmt *const orders_statements[] = {
    IDEMPOTENCY_STATEMENTS,
    &sql_order_keep,
    &sql_product_keep,
    &sql_order_place,
    &sql_order_get,
    &sql_order_get_many,
    &sql_order_move,
    &sql_orders_of_user_asc,
    &sql_orders_of_user_desc,
    &sql_orders_all_asc,
    &sql_orders_all_desc,
    &sql_orders_of_period,
    &sql_product_get,
    &sql_product_insert,
    &sql_product_update,
    &sql_products_by_created_at_asc,
    &sql_products_by_created_at_desc,
    &sql_products_by_price_asc,
    &sql_products_by_price_desc,
    0,
};
