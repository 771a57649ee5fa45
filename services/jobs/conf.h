// SPDX-License-Identifier: Apache-2.0
/* Settings of viaduct-jobs. */
#ifndef JOBS_CONF_H
#define JOBS_CONF_H

#include "kit/conf/conf.h"
#include "kit/rpc/tls.h"
#include "kit/svc/svc.h"

#define JOBS_OPTIONS(O)                                                                  \
    SVC_OPTIONS(O, "127.0.0.1:9103")                                                     \
    O(str, role, "VIADUCT_JOBS_ROLE", "both", 0, 0,                                      \
      "api (ledger, events to jobs), worker (does them) or both; also --role")           \
    O(str, listen, "VIADUCT_JOBS_LISTEN", "tcp://127.0.0.1:7103", 0, 0,                  \
      "hop address of the api role, tcp:// or tls+tcp://")                               \
    RPC_TLS_OPTIONS(O)                                                                   \
    O(url, pg, "VIADUCT_JOBS_PG", NULL, 0, 0, "libpq URI of the jobs database")          \
    O(i64, pg_connections, "VIADUCT_JOBS_PG_CONNECTIONS", "4", 1, 100, "per loop")       \
    O(ms, pg_timeout_ms, "VIADUCT_JOBS_PG_TIMEOUT_MS", "5000", 10, 60000,                \
      "longest statement")                                                               \
    O(str, kafka, "VIADUCT_KAFKA", "127.0.0.1:9092", 0, 0, "brokers, comma-separated")   \
    O(secret, cursor_key, "VIADUCT_CURSOR_KEY", "", 0, 256,                              \
      "signs list cursors, at least 32 bytes; the same for all replicas; api role only") \
    O(i64, max_in_flight, "VIADUCT_JOBS_MAX_IN_FLIGHT", "1024", 1, 100000,               \
      "calls at a time, per loop; more are answered 'overloaded'")                       \
    O(ms, lease_ms, "VIADUCT_JOBS_LEASE_MS", "15000", 500, 600000,                       \
      "how long a job of a worker that died stays with it; the same for api and worker") \
    O(ms, heartbeat_ms, "VIADUCT_JOBS_HEARTBEAT_MS", "4000", 100, 200000,                \
      "how often a worker says that it lives")                                           \
    O(i64, at_once, "VIADUCT_JOBS_AT_ONCE", "8", 1, 1000, "jobs at a time in a worker")  \
    O(ms, again_ms, "VIADUCT_JOBS_AGAIN_MS", "120000", 500, 3600000,                     \
      "a message for a job that is still queued after this is sent again")               \
    O(ms, keep_ms, "VIADUCT_JOBS_KEEP_MS", "604800000", 1000, 1e12,                      \
      "how long a job that succeeded and its result are kept")                           \
    O(url, smtp, "VIADUCT_SMTP", "smtp://127.0.0.1:25", 0, 0,                            \
      "mail server, smtp:// or smtps://, with user:password@ where needed")              \
    O(str, mail_from, "VIADUCT_MAIL_FROM", "Viaduct <no-reply@viaduct.example>", 3, 320, \
      "sender of our mails: an address, or a name with the address in <>")               \
    O(str, users, "VIADUCT_USERS_UPSTREAM", "tcp://127.0.0.1:7101", 0, 0,                \
      "replicas of the users service, comma-separated")                                  \
    O(str, orders, "VIADUCT_ORDERS_UPSTREAM", "tcp://127.0.0.1:7102", 0, 0,              \
      "replicas of the orders service, comma-separated")

CONF_STRUCT(jobs_conf, JOBS_OPTIONS)

bool jobs_has_api(const struct jobs_conf *c);
bool jobs_has_worker(const struct jobs_conf *c);

/* What types and bounds do not say; also parts that only one role needs. */
MUST_CHECK const struct err *jobs_conf_check(struct arena *a, void *conf);

#endif
