// SPDX-License-Identifier: Apache-2.0
/*
 * Every error code of the product beyond the kit's own (kit/base/err.h). Names are
 * stable: clients match on them. A code belongs to the part named before its dot.
 */
#ifndef PROTO_ERRORS_H
#define PROTO_ERRORS_H

#include "kit/base/err.h"

#define PROTO_ERRORS(E)                                                                \
    E(ROUTE_NOT_FOUND, "route.not_found", NOT_FOUND, "There is nothing at this path")  \
    E(METHOD_NOT_ALLOWED, "route.method_not_allowed", METHOD_NOT_ALLOWED,              \
      "This path does not take this method")                                           \
    E(NOT_ACCEPTABLE, "request.not_acceptable", NOT_ACCEPTABLE,                        \
      "None of the accepted media types can be sent")                                  \
    E(UNSUPPORTED_MEDIA, "request.unsupported_media", UNSUPPORTED_MEDIA,               \
      "The body must be application/json")                                             \
    E(BAD_CURSOR, "request.bad_cursor", BAD_INPUT,                                     \
      "The cursor is not one of ours, or belongs to another list")                     \
    E(RATE_LIMITED, "request.rate_limited", LIMITED, "Too many requests")              \
    E(ADDRESS_DENIED, "request.address_denied", FORBIDDEN,                             \
      "This address may not come in here")                                             \
    E(VERSION_MISMATCH, "request.version_mismatch", PRECONDITION_FAILED,               \
      "It was changed in the meantime")                                                \
    E(VERSION_REQUIRED, "request.version_required", PRECONDITION_REQUIRED,             \
      "If-Match is needed here")                                                       \
    E(TOKEN_MISSING, "auth.token_missing", UNAUTHENTICATED,                            \
      "An access token is needed here")                                                \
    E(TOKEN_INVALID, "auth.token_invalid", UNAUTHENTICATED,                            \
      "The access token is not valid, or not any more")                                \
    E(INSUFFICIENT_SCOPE, "auth.insufficient_scope", FORBIDDEN,                        \
      "Your roles do not permit this")                                                 \
    E(PROOF_MISSING, "auth.proof_missing", UNAUTHENTICATED,                            \
      "The token is bound to a key: send it as DPoP, with a proof of that key")        \
    E(PROOF_INVALID, "auth.proof_invalid", UNAUTHENTICATED,                            \
      "The DPoP proof is not good for this request")                                   \
    E(KEY_INVALID, "auth.key_invalid", UNAUTHENTICATED,                                \
      "The API key is not valid, or not any more")                                     \
    E(KEY_NOT_ALLOWED, "auth.key_not_allowed", FORBIDDEN,                              \
      "This takes a person who signed in, not an API key")                             \
    E(KEY_SCOPE_MISSING, "auth.key_scope_missing", FORBIDDEN,                          \
      "The API key is not good for this")                                              \
    E(BAD_CREDENTIALS, "auth.bad_credentials", UNAUTHENTICATED,                        \
      "E-mail address or password is wrong")                                           \
    E(REFRESH_INVALID, "auth.refresh_invalid", UNAUTHENTICATED,                        \
      "The refresh token is not valid, or not any more")                               \
    E(SIGN_IN_BACKOFF, "auth.too_many_attempts", LIMITED,                              \
      "Too many failed attempts; wait before the next")                                \
    E(USER_NOT_FOUND, "users.not_found", NOT_FOUND, "There is no such user")           \
    E(EMAIL_TAKEN, "users.email_taken", CONFLICT, "This e-mail address is registered") \
    E(USER_INACTIVE, "users.inactive", FORBIDDEN, "This account is not active")        \
    E(API_KEY_NOT_FOUND, "keys.not_found", NOT_FOUND, "There is no such API key")      \
    E(API_KEYS_TOO_MANY, "keys.too_many", CONFLICT, "There are too many API keys")     \
    E(PRODUCT_NOT_FOUND, "products.not_found", NOT_FOUND, "There is no such product")  \
    E(SKU_TAKEN, "products.sku_taken", CONFLICT, "Another product has this SKU")       \
    E(ORDER_NOT_FOUND, "orders.not_found", NOT_FOUND, "There is no such order")        \
    E(OUT_OF_STOCK, "orders.out_of_stock", CONFLICT, "Not enough in stock")            \
    E(ILLEGAL_TRANSITION, "orders.illegal_transition", CONFLICT,                       \
      "An order in this status cannot do that")                                        \
    E(JOB_NOT_FOUND, "jobs.not_found", NOT_FOUND, "There is no such job")              \
    E(JOB_NOT_FINISHED, "jobs.not_finished", CONFLICT, "The job has no result yet")    \
    E(JOB_NO_RESULT, "jobs.no_result", NOT_FOUND, "This job leaves no result")

PROTO_ERRORS(ERR_DECLARE)

/* All codes that a reply may carry, kit's included, NULL-terminated
 * (rpc_client_conf.codes). */
extern const struct err_code *const ERR_CODES[];

#endif
