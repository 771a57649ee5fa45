// SPDX-License-Identifier: Apache-2.0
/*
 * Products in PostgreSQL, single ones read through the cache. The halves are as in
 * orders/store/orders.h. The stock of a cached product may be some seconds old; placing
 * an order looks at the rows.
 */
#ifndef ORDERS_STORE_PRODUCTS_H
#define ORDERS_STORE_PRODUCTS_H

#include "kit/cursor/page.h"
#include "kit/flow/flow.h"
#include "kit/idempotency/idempotency.h"
#include "proto/orders.h"

struct pg_query;
struct cache_get;

struct cache_get *store_product_get(struct flow *f, struct uuid id);
/* *found false: there is no such product. */
MUST_CHECK const struct err *store_product_get_read(struct flow *f,
                                                    const struct cache_get *g,
                                                    struct product *out, bool *found);

struct idempotency *store_product_insert(struct flow *f, struct uuid id,
                                         const struct product_create *in);
struct pg_query *store_product_update(struct flow *f, const struct product_patch *in);

enum product_written {
    PRODUCT_WRITTEN,
    PRODUCT_NONE,
    PRODUCT_OTHER_VERSION,
    PRODUCT_SKU_TAKEN
};
/* For both; the cache forgets the product. */
enum product_written store_product_write_read(struct flow *f, const struct pg_query *q,
                                              struct product *out);

struct pg_query *store_product_list(struct flow *f, enum product_sort sort,
                                    struct str sku, const struct page *page);
void store_product_list_read(struct flow *f, const struct pg_query *q,
                             enum product_sort sort, const struct page *page,
                             struct product_page *out);

#endif
