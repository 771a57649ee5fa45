// SPDX-License-Identifier: Apache-2.0
/*
 * What a route is. The one table of them is gateway/routes.c: from it come matching,
 * authentication, limits, validation, the call, the response fields and the OpenAPI
 * document.
 */
#ifndef GATEWAY_EDGE_ROUTE_H
#define GATEWAY_EDGE_ROUTE_H

#include "kit/flow/flow.h"
#include "kit/http/http.h"
#include "kit/wire/method.h"
#include "proto/scopes.h"

enum { ROUTES_MAX = 256 };

enum route_auth { ROUTE_PUBLIC, ROUTE_USER };

/* What If-Match is to a change. Required: of several people who edit the same thing none
 * overwrites what he has not seen, unless he says "*". */
enum route_if_match { IF_MATCH_IGNORED, IF_MATCH_TAKEN, IF_MATCH_REQUIRED };

/*
 * Classes of routes: which limits count a call (gateway/edge/limit.h) and which addresses
 * may make it (gateway/edge/client.h). A route that takes a permission is ADMIN's. X is
 * handed on to each row.
 *
 *   symbol, member and name of settings, what is in it
 */
#define ROUTE_CLASSES(C, X)                                                           \
    C(X, ROUTE_API, api, "API", "routes for whoever is signed in")                    \
    C(X, ROUTE_OPEN, open, "OPEN", "routes that take no token: catalogue, documents") \
    C(X, ROUTE_SIGN_IN, sign_in, "SIGN_IN", "sign-in and registration")               \
    C(X, ROUTE_ADMIN, admin, "ADMIN", "routes that take a permission")

enum route_class {
#define ROUTE_CLASS_ENUM(X, symbol, ...) symbol,
    ROUTE_CLASSES(ROUTE_CLASS_ENUM, )
#undef ROUTE_CLASS_ENUM
        ROUTE_CLASS_COUNT
};

struct route {
    enum http_method method;
    const char
        *path; /* "/v1/users/{id}": {id} fills the field `id` of the request message */
    const char *tag, *summary;
    enum route_auth auth;
    enum permission permission; /* PERM_NONE: whoever is signed in */
    uint32_t scopes;            /* an API key needs all of them; 0: not for API keys */
    enum route_class class;
    unsigned cost;          /* of a call, in calls as limits count them; 0: one */
    enum priority priority; /* what is refused first when there is too much */
    int64_t longest_ms;     /* 0: VIADUCT_WORK_MS; for streams, which wait for clients */

    /* One of both: a call that is passed on, or the first step of a flow. */
    const struct rpc_method *rpc;
    flow_step flow;
    /* The request message, NULL: the method's; then what fills it from where. Fields are
     * copied by name from `query` and `body` into it. */
    const struct wire_msg *in, *query, *body;
    size_t body_max;  /* bytes; 0: what VIADUCT_MAX_BODY_BYTES says */
    const char *self; /* its field that is the caller's id */
    bool binds;       /* its field jkt is whose DPoP proof came along, if one did */
    enum route_if_match if_match; /* its field if_version comes from it */
    bool keyed; /* takes Idempotency-Key: its service does it by kit/idempotency */

    const struct wire_msg *reply; /* NULL: the method's */
    const char *media;            /* NULL: application/json */
    int status;
    const char *location;      /* "/v1/users/{id}", {id} from the reply */
    const char *cache_control; /* NULL: private, no-cache */
    bool page; /* for browsers, not for programs: has a CSP, is sent whatever Accept says,
                  is not in the OpenAPI document */

    /* Seconds since 1970, 0: not. A path that takes its place. */
    int64_t deprecated_s, sunset_s;
    const char *successor;
};

static inline const struct wire_msg *route_in(const struct route *r)
{
    return r->in || !r->rpc ? r->in : r->rpc->in;
}
/* Bytes of a body it takes; `otherwise` when it has no limit of its own. */
static inline size_t route_body_max(const struct route *r, size_t otherwise)
{
    return r->body_max ? r->body_max : otherwise;
}
/* NULL: no body, or not JSON. */
static inline const struct wire_msg *route_reply(const struct route *r)
{
    return r->reply || !r->rpc ? r->reply : r->rpc->out;
}

#endif
