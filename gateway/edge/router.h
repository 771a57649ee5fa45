// SPDX-License-Identifier: Apache-2.0
/* Finding the route of a path and a method. Pure once made; any thread. */
#ifndef GATEWAY_EDGE_ROUTER_H
#define GATEWAY_EDGE_ROUTER_H

#include "gateway/edge/route.h"

enum { ROUTER_PARAMS_MAX = 4, ROUTER_SEGMENTS_MAX = 8 };

struct router;

/* `routes` ends with a row whose path is NULL, and outlives the router. */
struct router *router_create(const struct route *routes);
void router_destroy(struct router *r);

struct router_param {
    struct str name, value; /* name: in the template; value: in the path */
};

struct router_match {
    const struct route *route; /* NULL: nothing at this path, or not with this method */
    unsigned allowed;          /* bits 1 << enum http_method; 0: nothing at this path */
    struct router_param params[ROUTER_PARAMS_MAX];
    unsigned n_params;
};

/* HEAD is GET. A literal segment goes before a parameter. "*", which only OPTIONS may ask
 * for, is the whole API. */
void router_find(const struct router *r, enum http_method method, struct str path,
                 struct router_match *out);

/* "GET, HEAD, OPTIONS" */
struct str router_allow(struct arena *a, unsigned allowed);

#endif
