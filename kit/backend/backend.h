// SPDX-License-Identifier: Apache-2.0
/*
 * What services with a database, a cache and an outbox have in common, so that a
 * service's main says only what is its own: the pool and the Redis client of each loop,
 * in the first loop also the Kafka producer and the outbox relay, the rpc server that all
 * loops join; readiness, health rows, draining and closing of them all.
 *
 *   start: backend_listen    loop start: backend_open, backend_join
 *   drain, idle, stop: backend_drain, backend_idle, backend_stop    loop stop:
 * backend_leave, backend_close
 */
#ifndef KIT_BACKEND_BACKEND_H
#define KIT_BACKEND_BACKEND_H

#include "kit/pg/migrate.h"
#include "kit/pg/pg.h"
#include "kit/rpc/server.h"
#include "kit/rpc/tls.h"
#include "kit/svc/svc.h"

struct redis;
struct outbox_relay;
struct kafka_producer;

/* Rows of a service's option table: its name in variables, and its admin and hop ports.
 */
#define BACKEND_OPTIONS(O, NAME, ADMIN, HOP)                                           \
    SVC_OPTIONS(O, "127.0.0.1:" ADMIN)                                                 \
    O(str, listen, "VIADUCT_" NAME "_LISTEN", "tcp://127.0.0.1:" HOP, 0, 0,            \
      "hop address, tcp:// or tls+tcp://")                                             \
    RPC_TLS_OPTIONS(O)                                                                 \
    O(url, pg, "VIADUCT_" NAME "_PG", NULL, 0, 0, "libpq URI of its database")         \
    O(i64, pg_connections, "VIADUCT_" NAME "_PG_CONNECTIONS", "4", 1, 100, "per loop") \
    O(ms, pg_timeout_ms, "VIADUCT_" NAME "_PG_TIMEOUT_MS", "5000", 10, 60000,          \
      "longest statement")                                                             \
    O(url, redis, "VIADUCT_REDIS", "redis://127.0.0.1:6379", 0, 0,                     \
      "cache and messages between processes")                                          \
    O(str, kafka, "VIADUCT_KAFKA", "127.0.0.1:9092", 0, 0, "brokers, comma-separated") \
    O(secret, cursor_key, "VIADUCT_CURSOR_KEY", NULL, 32, 256,                         \
      "signs list cursors; the same for all replicas")                                 \
    O(i64, max_in_flight, "VIADUCT_" NAME "_MAX_IN_FLIGHT", "1024", 1, 100000,         \
      "calls at a time, per loop; more are answered 'overloaded'")

struct backend_conf {
    const char *name; /* "orders" */
    const char *pg, *redis, *kafka;
    int64_t pg_connections, pg_timeout_ms;
    const struct pg_stmt *const *stmts;
    const char *topic; /* of its events */
};

struct backend {
    struct pg_pool *pg;
    struct redis *redis;
    struct outbox_relay *relay;      /* in the first loop, NULL in the others */
    struct kafka_producer *producer; /* likewise */
};

/* The `migrate` command. An exit code; says what it did, or why not. */
int backend_migrate(const char *name, const char *conninfo,
                    const struct pg_migration *list);

/* Once per process, before the loops: listens, serves nothing yet. */
MUST_CHECK const struct err *backend_listen(struct arena *a,
                                            const struct rpc_server_conf *conf,
                                            const struct rpc_tls_files *tls);

/* In the loop's thread. */
MUST_CHECK const struct err *backend_open(struct arena *a, struct svc *s, struct loop *l,
                                          unsigned index, const struct backend_conf *conf,
                                          struct backend *out);
void backend_join(struct loop *l, const void *env);
/* First of all in the loop's stop: no call uses what is closed then. */
void backend_leave(struct loop *l);
void backend_close(struct backend *b);

/* svc_def's functions, as they are. */
void backend_drain(struct svc *s, struct loop *l, unsigned index);
bool backend_idle(struct svc *s, struct loop *l, unsigned index);
void backend_stop(struct svc *s);

#endif
