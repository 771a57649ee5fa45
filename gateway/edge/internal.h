// SPDX-License-Identifier: Apache-2.0
/* The edge's own objects, for its files and for flows that need more than their flow. */
#ifndef GATEWAY_EDGE_INTERNAL_H
#define GATEWAY_EDGE_INTERNAL_H

#include "gateway/edge/access.h"
#include "gateway/edge/api_keys.h"
#include "gateway/edge/auth.h"
#include "gateway/edge/client.h"
#include "gateway/edge/edge.h"
#include "gateway/edge/gzip.h"
#include "gateway/edge/keys.h"
#include "gateway/edge/limit.h"
#include "gateway/edge/revocations.h"
#include "gateway/edge/router.h"
#include "gateway/edge/session_set.h"

struct edge {
    struct loop *loop;
    struct edge_conf conf;
    struct http_server *http, *https; /* https: NULL without TLS */
    struct rpc_client *rpc;
    struct redis *redis;
    struct router *router;
    struct limiter *limiter;
    struct keys *keys;
    struct revocations *revocations;
    struct auth *auth;
    struct api_key_cache *api_keys;
    struct session_set proofs; /* DPoP proofs that came here lately, by their id */
    struct access *access;
    struct gzip *gzip;
    struct buf json; /* of the answer that is being made */
    struct client_rules client;
    struct arena arena; /* of the rules */
};

#endif
