// SPDX-License-Identifier: Apache-2.0
/*
 * Messages that together have every kind a table can name, for the tests, fuzzers and
 * benchmark of kit/wire.
 */
#ifndef TESTS_SUPPORT_WIRE_SAMPLE_H
#define TESTS_SUPPORT_WIRE_SAMPLE_H

#include "kit/wire/wire.h"

#define SAMPLE_COLOUR(V)     \
    V(SAMPLE_RED, "red")     \
    V(SAMPLE_GREEN, "green") \
    V(SAMPLE_BLUE, "blue")
WIRE_ENUM(sample_colour, SAMPLE_COLOUR)

#define SAMPLE_LINE(F, T)                  \
    F(T, str, sku, REQUIRED, 1, 5, "what") \
    F(T, i64, quantity, REQUIRED, 1, 99, "how many")
WIRE_MESSAGE(sample_line, SAMPLE_LINE)

/* Every kind; only `name` must be there. */
#define SAMPLE_ALL(F, T)                                          \
    F(T, str, name, REQUIRED, 2, 10, "display name")              \
    F(T, text, note, OPTIONAL, 0, 20, "free text")                \
    F(T, email, mail, OPTIONAL, 6, 254, "address")                \
    F(T, url, link, OPTIONAL, 10, 60, "where to send it")         \
    F(T, secret, password, OPTIONAL, 8, 64, "password")           \
    F(T, currency, currency, OPTIONAL, 3, 3, "of the prices")     \
    F(T, bytes, blob, OPTIONAL, 2, 8, "a few bytes")              \
    F(T, i64, count, OPTIONAL, -5, 5, "how often")                \
    F(T, i64, big, OPTIONAL, INT64_MIN, INT64_MAX, "any integer") \
    F(T, f64, ratio, OPTIONAL, -1, 2, "part of the whole")        \
    F(T, flag, active, OPTIONAL, 0, 0, "whether it is on")        \
    F(T, uuid, id, OPTIONAL, 0, 0, "its name")                    \
    F(T, time, created_at, OPTIONAL, 0, 0, "when")                \
    F(T, enum(sample_colour), colour, OPTIONAL, 0, 0, "which")    \
    F(T, obj(sample_line), line, OPTIONAL, 0, 0, "one line")      \
    F(T, list(sample_line), lines, OPTIONAL, 1, 3, "lines")       \
    F(T, strs, tags, OPTIONAL, 1, 3, "words")
WIRE_MESSAGE(sample_all, SAMPLE_ALL)

/* Contains itself. */
#define SAMPLE_NODE(F, T)                                     \
    F(T, obj(sample_node), child, OPTIONAL, 0, 0, "the next") \
    F(T, i64, depth, OPTIONAL, 0, 100, "of this one")         \
    F(T, strs, words, OPTIONAL, 0, 9, "an array")             \
    F(T, list(sample_line), lines, OPTIONAL, 0, 9, "another")
WIRE_MESSAGE(sample_node, SAMPLE_NODE)

/* Names and values as in a real reply, about 200 bytes as msgpack. */
#define SAMPLE_USER(F, T)                                      \
    F(T, uuid, id, REQUIRED, 0, 0, "its name")                 \
    F(T, email, email, REQUIRED, 3, 254, "login address")      \
    F(T, str, name, REQUIRED, 1, 100, "display name")          \
    F(T, enum(sample_colour), status, REQUIRED, 0, 0, "state") \
    F(T, i64, version, REQUIRED, 1, INT64_MAX, "for If-Match") \
    F(T, flag, verified, REQUIRED, 0, 0, "address verified")   \
    F(T, url, picture, OPTIONAL, 10, 200, "portrait")          \
    F(T, time, created_at, REQUIRED, 0, 0, "when")             \
    F(T, time, updated_at, REQUIRED, 0, 0, "when")
WIRE_MESSAGE(sample_user, SAMPLE_USER)

#define SAMPLE_QUERY(F, T)                                                 \
    F(T, uuid, id, REQUIRED, 0, 0, "in the path")                          \
    F(T, i64, limit, OPTIONAL, 1, 100, "at most so many")                  \
    F(T, str, cursor, OPTIONAL, 1, 200, "where to go on")                  \
    F(T, enum(sample_colour), filter_colour, OPTIONAL, 0, 0, "only these") \
    F(T, time, filter_since, OPTIONAL, 0, 0, "only later ones")            \
    F(T, flag, deep, OPTIONAL, 0, 0, "with content")                       \
    F(T, f64, ratio, OPTIONAL, 0, 1, "part of the whole")                  \
    F(T, bytes, token, OPTIONAL, 2, 8, "a few bytes")                      \
    F(T, strs, fields, OPTIONAL, 1, 3, "only these members")               \
    F(T, obj(sample_line), line, OPTIONAL, 0, 0, "cannot be a parameter")  \
    F(T, list(sample_line), lines, OPTIONAL, 0, 9, "neither can this")
WIRE_MESSAGE(sample_query, SAMPLE_QUERY)

/* A required filter. */
#define SAMPLE_FILTER(F, T) F(T, str, filter_name, REQUIRED, 1, 10, "only this one")
WIRE_MESSAGE(sample_filter, SAMPLE_FILTER)

/* Every field set. */
struct sample_all sample_all_full(struct arena *a);
struct sample_user sample_user_full(void);

/* "ok", or the code and every bad field: "request.invalid /name is required; /x is not a
 * known field". Malformed documents: the code, a colon and the detail. NUL-terminated. */
const char *sample_told(struct arena *a, const struct err *e);

#endif
