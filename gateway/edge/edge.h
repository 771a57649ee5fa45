// SPDX-License-Identifier: Apache-2.0
/*
 * The edge of one loop: from an HTTP request to its response. What it is made of and the
 * way of a request through it:
 *
 *   request.c   the request's own state; its flow; the end: response, log line, metric
 *   pipeline.c  the steps: match -> limit -> authenticate -> permit -> validate -> call
 *   router.c    paths                      limit.c    sliding windows, Redis or local
 *   lease.c     permits taken in advance
 *   authenticate.c  who calls              api_keys.c  what users says of API keys
 *   prove.c     DPoP proofs                htu.c      the address in one
 *   auth.c      tokens, verified once      keys.c     the users service's public keys
 *   revocations.c  sessions that have ended   validate.c  parameters and bodies
 *   respond.c   bodies and header fields   access.c   log lines and metrics
 *   client.c    proxies and addresses      cors.c     pages of other origins
 *   gzip.c      packed bodies              fields.c   header fields
 *   pages.c     files for browsers
 *
 * One per loop; everything on it.
 */
#ifndef GATEWAY_EDGE_EDGE_H
#define GATEWAY_EDGE_EDGE_H

#include "gateway/edge/client.h"
#include "gateway/edge/limit.h"
#include "gateway/edge/pages.h"
#include "gateway/edge/route.h"
#include "kit/cache/redis.h"
#include "kit/http/http.h"
#include "kit/rpc/client.h"

struct edge;

struct edge_conf {
    const char *issuer, *audience;
    int64_t api_key_ms;                /* what users said of an API key is fresh */
    const char *users, *orders, *jobs; /* hop URLs */
    const char *zone;
    unsigned hop_in_flight;     /* calls at a time to one service, at most */
    unsigned hop_in_flight_min; /* ...and at least, however slow it is */
    int64_t hop_slow_ms;        /* a replica that is so slow is left alone */
    int64_t hedge_ms;           /* 0: never */
    struct redis_conf redis;
    struct http_conf http;
    const char *https_listen; /* "": none; the rest is that of http */
    struct http_tls *tls;
    int64_t hsts_s;
    int redirect_port;          /* not 0: http only sends to https at that port */
    size_t body_bytes;          /* of a route that has no limit of its own */
    int64_t request_timeout_ms; /* of the work for one request */
    struct limiter_conf limits;
    struct client_conf client;
    const char *cors_origins; /* "" for none */
    const struct route *routes;
    struct str openapi, openapi_etag; /* the document of GET /openapi.json */
    const struct pages *pages;        /* of GET /docs; outlive the edge */
};

MUST_CHECK const struct err *edge_create(struct arena *a, struct loop *l,
                                         const struct edge_conf *conf, struct edge **out);
/* No request is in flight any more, or what is left is cut off. */
void edge_destroy(struct edge *e);

/* Certificates for connections to come. */
void edge_set_tls(struct edge *e, struct http_tls *tls);
/* Limits, lists of addresses and origins (as edge_conf.cors_origins) for requests to
 * come; the lists outlive the edge. */
void edge_set_policies(struct edge *e, const struct limiter_conf *limits,
                       const struct client_rules *client, const char *cors_origins);

/* Replies end their connections, no new ones come in; drained when none is left. */
void edge_drain(struct edge *e);
bool edge_drained(const struct edge *e);
int edge_port(const struct edge *e);

/* Keys and revocations have been fetched and every service is connected. Any thread. */
bool edge_is_warm(const struct edge *e);
/* For /health; any thread. `service` NULL: Redis. */
bool edge_dependency_up(const struct edge *e, const char *service);

#endif
