// SPDX-License-Identifier: Apache-2.0
/* What an order must look like, and why one could not be placed. Pure. */
#ifndef ORDERS_RULES_PLACING_H
#define ORDERS_RULES_PLACING_H

#include "kit/base/err.h"
#include "orders/store/orders.h"

/* A product must stand in one line only. */
MUST_CHECK const struct err *placing_check(struct arena *a,
                                           const struct order_create *in);

/* Every line that stood against it: unknown product, mixed currencies (request.invalid),
 * else too little in stock (orders.out_of_stock). Never NULL. */
MUST_CHECK const struct err *placing_refusal(struct arena *a,
                                             const struct placed_lines *lines);

#endif
