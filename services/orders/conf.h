// SPDX-License-Identifier: Apache-2.0
/* Settings of viaduct-orders. */
#ifndef ORDERS_CONF_H
#define ORDERS_CONF_H

#include "kit/backend/backend.h"

#define ORDERS_OPTIONS(O)                                                 \
    BACKEND_OPTIONS(O, "ORDERS", "9102", "7102")                          \
    O(bytes, cache_bytes, "VIADUCT_ORDERS_CACHE_BYTES", "4m", 65536, 1e9, \
      "products kept in memory, per loop")                                \
    O(ms, cache_ms, "VIADUCT_ORDERS_CACHE_MS", "2000", 0, 600000,         \
      "how old a cached product may be, its stock above all")

CONF_STRUCT(orders_conf, ORDERS_OPTIONS)

/* What types and bounds do not say. */
MUST_CHECK const struct err *orders_conf_check(struct arena *a, void *conf);

/* For the demo: twenty products. An exit code. */
int orders_seed(void *conf, int argc, char **argv);

#endif
