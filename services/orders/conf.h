// SPDX-License-Identifier: Apache-2.0
/* Settings of viaduct-orders. */
#ifndef ORDERS_CONF_H
#define ORDERS_CONF_H

#include "kit/conf/conf.h"
#include "kit/svc/svc.h"

#define ORDERS_OPTIONS(O)                                                                \
    SVC_OPTIONS(O, "127.0.0.1:9102")                                                     \
    O(str, listen, "VIADUCT_ORDERS_LISTEN", "tcp://127.0.0.1:7102", 0, 0, "hop address") \
    O(url, pg, "VIADUCT_ORDERS_PG", NULL, 0, 0, "libpq URI of the orders database")      \
    O(i64, pg_connections, "VIADUCT_ORDERS_PG_CONNECTIONS", "4", 1, 100, "per loop")     \
    O(ms, pg_timeout_ms, "VIADUCT_ORDERS_PG_TIMEOUT_MS", "5000", 10, 60000,              \
      "longest statement")                                                               \
    O(url, redis, "VIADUCT_REDIS", "redis://127.0.0.1:6379", 0, 0,                       \
      "cache and invalidation")                                                          \
    O(str, kafka, "VIADUCT_KAFKA", "127.0.0.1:9092", 0, 0, "brokers, comma-separated")   \
    O(secret, cursor_key, "VIADUCT_CURSOR_KEY", NULL, 32, 256,                           \
      "signs list cursors; the same for all replicas")                                   \
    O(bytes, cache_bytes, "VIADUCT_ORDERS_CACHE_BYTES", "4m", 65536, 1e9,                \
      "products kept in memory, per loop")                                               \
    O(ms, cache_ms, "VIADUCT_ORDERS_CACHE_MS", "2000", 0, 600000,                        \
      "how old a cached product may be, its stock above all")                            \
    O(i64, max_in_flight, "VIADUCT_ORDERS_MAX_IN_FLIGHT", "1024", 1, 100000,             \
      "calls at a time, per loop; more are answered 'overloaded'")

CONF_STRUCT(orders_conf, ORDERS_OPTIONS)

/* For the demo: twenty products. An exit code. */
int orders_seed(void *conf, int argc, char **argv);

#endif
