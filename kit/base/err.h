// SPDX-License-Identifier: Apache-2.0
/*
 * Errors are values. A function that can fail returns `const struct err *`: NULL is
 * success. An error has a code (stable name, the one clients see) and its code has a
 * kind; ERR_KINDS is the one table of what a kind means everywhere: the HTTP status,
 * whether the same call may be tried again, whether it counts against a circuit breaker.
 *
 * Ownership: static codes live for ever; an err made with err_new() lives as long as its
 * arena. `detail` is a sentence for the caller; it never holds secrets or internals.
 */
#ifndef KIT_BASE_ERR_H
#define KIT_BASE_ERR_H

#include "kit/base/arena.h"
#include "kit/base/str.h"

#define MUST_CHECK __attribute__((warn_unused_result))

/*   kind, HTTP status, try again, counts for the breaker, metric label */
#define ERR_KINDS(K)                                                     \
    K(BAD_INPUT, 400, false, false, "bad_input")                         \
    K(UNAUTHENTICATED, 401, false, false, "unauthenticated")             \
    K(FORBIDDEN, 403, false, false, "forbidden")                         \
    K(NOT_FOUND, 404, false, false, "not_found")                         \
    K(METHOD_NOT_ALLOWED, 405, false, false, "method_not_allowed")       \
    K(NOT_ACCEPTABLE, 406, false, false, "not_acceptable")               \
    K(REQUEST_TIMEOUT, 408, true, false, "request_timeout")              \
    K(CONFLICT, 409, false, false, "conflict")                           \
    K(PRECONDITION_FAILED, 412, false, false, "precondition_failed")     \
    K(TOO_LARGE, 413, false, false, "too_large")                         \
    K(URI_TOO_LONG, 414, false, false, "uri_too_long")                   \
    K(UNSUPPORTED_MEDIA, 415, false, false, "unsupported_media")         \
    K(INVALID, 422, false, false, "invalid")                             \
    K(PRECONDITION_REQUIRED, 428, false, false, "precondition_required") \
    K(LIMITED, 429, true, false, "limited")                              \
    K(HEADERS_TOO_LARGE, 431, false, false, "headers_too_large")         \
    K(CANCELLED, 499, false, false, "cancelled")                         \
    K(INTERNAL, 500, false, true, "internal")                            \
    K(NOT_IMPLEMENTED, 501, false, false, "not_implemented")             \
    K(UNKNOWN_OUTCOME, 502, false, true, "unknown_outcome")              \
    K(UNAVAILABLE, 503, true, true, "unavailable")                       \
    K(SHED, 503, true, false, "shed")                                    \
    K(DEADLINE, 504, false, true, "deadline")                            \
    K(VERSION_NOT_SUPPORTED, 505, false, false, "version_not_supported")

enum err_kind {
#define ERR_KIND_ENUM(kind, status, again, breaker, label) ERR_##kind,
    ERR_KINDS(ERR_KIND_ENUM)
#undef ERR_KIND_ENUM
        ERR_KIND_COUNT
};

struct err_kind_info {
    int http_status;
    bool retryable;
    bool breaker_failure;
    const char *label;
};

const struct err_kind_info *err_kind_info(enum err_kind kind);

/* One row of an error table. `name` is what clients match on, "orders.out_of_stock";
 * `title` is its short sentence for people. */
struct err_code {
    const char *name;
    enum err_kind kind;
    const char *title;
};

/* One bad field: `pointer` is an RFC 6901 JSON pointer ("/items/0/quantity"), or
 * "?limit" for a query parameter, "{id}" for one in the path, "Content-Type" for a
 * header. */
struct err_field {
    struct err_field *next;
    struct str pointer;
    struct str detail;
};

struct err {
    const struct err_code *code;
    struct str detail;
    struct err_field *fields; /* every bad field, in the order found; may be NULL */
    int64_t retry_after_ms;   /* 0: nothing known */
};

__attribute__((format(printf, 3, 4), returns_nonnull)) struct err *err_new(
    struct arena *a, const struct err_code *code, const char *fmt, ...);

/* Appends a bad field. */
__attribute__((format(printf, 4, 5))) void err_add_field(struct arena *a, struct err *e,
                                                         struct str pointer,
                                                         const char *fmt, ...);

/* A deep copy into another arena. */
const struct err *err_copy(struct arena *a, const struct err *e);

static inline enum err_kind err_kind(const struct err *e)
{
    return e->code->kind;
}
static inline const struct err_kind_info *err_info(const struct err *e)
{
    return err_kind_info(e->code->kind);
}

/*   symbol, name, kind, title: what the kit itself can fail with */
#define KIT_ERRORS(E)                                                                   \
    E(BAD_JSON, "request.malformed_json", BAD_INPUT, "The body is not valid JSON")      \
    E(BAD_MSGPACK, "request.malformed_msgpack", BAD_INPUT,                              \
      "The body is not valid msgpack")                                                  \
    E(INVALID_FIELDS, "request.invalid", INVALID, "Some fields are not acceptable")     \
    E(BAD_PARAMETERS, "request.bad_parameter", BAD_INPUT,                               \
      "Some parameters are not acceptable")                                             \
    E(CONFLICT, "request.conflict", CONFLICT, "The state of things does not allow it")  \
    E(KEY_IN_FLIGHT, "request.key_in_flight", CONFLICT,                                 \
      "A request with this Idempotency-Key is under way")                               \
    E(KEY_REUSED, "request.key_reused", INVALID,                                        \
      "This Idempotency-Key came with another request before")                          \
    E(BODY_TOO_LARGE, "request.too_large", TOO_LARGE, "The body is too large")          \
    E(BAD_REQUEST, "request.malformed", BAD_INPUT, "The request is malformed")          \
    E(CANCELLED, "request.cancelled", CANCELLED, "The caller went away")                \
    E(DEADLINE, "request.deadline", DEADLINE,                                           \
      "The deadline passed before the work was done")                                   \
    E(INTERNAL, "internal", INTERNAL, "Something went wrong on our side")               \
    E(UNAVAILABLE, "unavailable", UNAVAILABLE,                                          \
      "A part this request needs is not available")                                     \
    E(UNKNOWN_OUTCOME, "unknown_outcome", UNKNOWN_OUTCOME,                              \
      "The connection broke while the work was under way; it may or may not have been " \
      "done")                                                                           \
    E(SHED, "overloaded", SHED, "Too much work at the moment")

/* For a table's header: TABLE(ERR_DECLARE). */
#define ERR_DECLARE(symbol, name, kind, title)      \
    extern const struct err_code ERR_CODE_##symbol; \
    extern const struct err ERR_STATIC_##symbol;
KIT_ERRORS(ERR_DECLARE)

/* In one .c file per table: TABLE(ERR_DEFINE) */
#define ERR_DEFINE(symbol, name, kind, title)                            \
    const struct err_code ERR_CODE_##symbol = {name, ERR_##kind, title}; \
    const struct err ERR_STATIC_##symbol = {.code = &ERR_CODE_##symbol};

/* The same codes as ready errors without detail, for places without an arena. They live
 * for ever. */
#define ERR_STATIC(symbol) (&ERR_STATIC_##symbol)

#endif
