// SPDX-License-Identifier: Apache-2.0
/* Settings of viaduct-users. */
#ifndef USERS_CONF_H
#define USERS_CONF_H

#include "kit/backend/backend.h"

#define USERS_OPTIONS(O)                                                                \
    BACKEND_OPTIONS(O, "USERS", "9101", "7101")                                         \
    O(path, keys, "VIADUCT_USERS_KEYS", NULL, 0, 0,                                     \
      "folder of Ed25519 private keys, KID.pem; the last by name signs, all verify")    \
    O(str, issuer, "VIADUCT_ISSUER", "viaduct", 1, 200, "iss of access tokens")         \
    O(str, audience, "VIADUCT_AUDIENCE", "viaduct-api", 1, 200, "aud of access tokens") \
    O(i64, access_s, "VIADUCT_ACCESS_TOKEN_S", "600", 10, 86400,                        \
      "seconds an access token lives")                                                  \
    O(i64, refresh_s, "VIADUCT_SESSION_S", "2592000", 60, 31536000,                     \
      "seconds a session lives")                                                        \
    O(i64, hash_threads, "VIADUCT_HASH_THREADS", "2", 1, 64,                            \
      "password hashes at a time; each takes 19 MiB while it runs")                     \
    O(i64, hash_queue, "VIADUCT_HASH_QUEUE", "64", 1, 10000,                            \
      "password hashes that may wait; more are answered 'overloaded'")                  \
    O(bytes, cache_bytes, "VIADUCT_USERS_CACHE_BYTES", "4m", 65536, 1e9,                \
      "accounts kept in memory, per loop")                                              \
    O(ms, cache_ms, "VIADUCT_USERS_CACHE_MS", "30000", 0, 600000,                       \
      "how long an account is kept if no message says it changed")

CONF_STRUCT(users_conf, USERS_OPTIONS)

/* What types and bounds do not say. */
MUST_CHECK const struct err *users_conf_check(struct arena *a, void *conf);

/* A signing key, when the folder has none. An exit code. */
int users_make_keys(void *conf, int argc, char **argv);
/* For the demo: an administrator and two users. An exit code. */
int users_seed(void *conf, int argc, char **argv);

#endif
