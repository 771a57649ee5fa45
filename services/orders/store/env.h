// SPDX-License-Identifier: Apache-2.0
/* The long-lived objects of one loop of the orders service: f->env of every flow. */
#ifndef ORDERS_STORE_ENV_H
#define ORDERS_STORE_ENV_H

#include "kit/base/str.h"

struct orders_env {
    struct pg_pool *pg;
    struct redis *redis;
    struct cache *products;     /* by id; holds what products.get answers */
    struct outbox_relay *relay; /* in the first loop only, NULL in the others */
    struct str cursor_secret;
};

#endif
