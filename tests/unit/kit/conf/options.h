// SPDX-License-Identifier: Apache-2.0
/* An option table with every kind, for the tests. */
#ifndef TESTS_UNIT_KIT_CONF_OPTIONS_H
#define TESTS_UNIT_KIT_CONF_OPTIONS_H

#include "kit/conf/conf.h"

#define SAMPLE_OPTIONS(O)                                                           \
    O(str, listen, "VIADUCT_T_LISTEN", "tcp://127.0.0.1:7101", 0, 0, "hop address") \
    O(secret, key, "VIADUCT_T_KEY", "built-in", 8, 32, "signing key")               \
    O(url, pg, "VIADUCT_T_PG", NULL, 0, 0, "database")                              \
    O(path, dir, "VIADUCT_T_DIR", "", 0, 0, "where keys are")                       \
    O(i64, conns, "VIADUCT_T_CONNS", "4", 1, 100, "connections")                    \
    O(ms, wait_ms, "VIADUCT_T_WAIT_MS", "250", 0, 60000, "patience")                \
    O(bytes, body, "VIADUCT_T_BODY", "1m", 1024, 1e9, "largest body")               \
    O(flag, demo, "VIADUCT_T_DEMO", "false", 0, 0, "demo data")                     \
    O(f64, ratio, "VIADUCT_T_RATIO", "0.5", 0, 1, "share")                          \
    O(i64, any, "VIADUCT_T_ANY", "-1", 0, 0, "any number")                          \
    O(ms, rest_ms, "VIADUCT_T_REST_MS", "0", 0, 0, "any time")                      \
    O(bytes, room, "VIADUCT_T_ROOM", "1k", 0, 0, "any size")

CONF_STRUCT(sample, SAMPLE_OPTIONS)

#endif
