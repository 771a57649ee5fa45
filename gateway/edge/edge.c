// SPDX-License-Identifier: Apache-2.0
/* Making and ending the edge of a loop. */
#include "gateway/edge/fields.h"
#include "gateway/edge/internal.h"
#include "gateway/edge/request.h"
#include "kit/base/mem.h"
#include "proto/errors.h"

#include <stdlib.h>

static const char *const services[] = {"users", "orders", "jobs"};

enum { JSON_MAX = 16 << 20 };

static const struct err *connect_services(struct arena *a, struct edge *e)
{
    const struct rpc_client_conf conf = {.self = "viaduct-gateway",
                                         .codes = ERR_CODES,
                                         .zone = e->conf.zone,
                                         .in_flight = e->conf.hop_in_flight,
                                         .in_flight_min = e->conf.hop_in_flight_min,
                                         .slow_ms = e->conf.hop_slow_ms,
                                         .hedge_ms = e->conf.hedge_ms};
    const char *const urls[] = {e->conf.users, e->conf.orders, e->conf.jobs};

    e->rpc = rpc_client_create(e->loop, &conf);
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        const struct err *err = rpc_client_add(e->rpc, a, services[i], urls[i]);

        if (err)
            return err;
    }
    return NULL;
}

static void make_parts(struct edge *e)
{
    const struct edge_conf *c = &e->conf;

    e->redis = redis_create(e->loop, &c->redis);
    e->router = router_create(c->routes);
    e->limiter = limiter_create(e->loop, e->redis, &c->limits);
    e->keys = keys_create(e->loop, e->rpc);
    e->revocations = revocations_create(e->loop, e->redis, e->rpc);
    e->auth = auth_create(e->keys, e->revocations, c->issuer, c->audience);
    e->api_keys = api_keys_create(e->rpc, e->revocations, c->api_key_ms);
    session_set_init(&e->proofs);
    e->access = access_create(c->routes);
    e->gzip = gzip_create();
}

static bool is_proxy(void *edge, struct str address)
{
    const struct edge *e = edge;
    struct ip ip;

    return ip_parse(address, &ip) && cidr_list_has(&e->client.trusted, &ip);
}

static const struct err *listen_plain(struct arena *a, struct edge *e)
{
    struct http_conf conf = e->conf.http;

    if (!e->conf.redirect_port)
        return http_server_create(a, e->loop, &conf, request_handle, e, &e->http);
    conf.head = redirect_handle;
    return http_server_create(a, e->loop, &conf, redirect_handle, e, &e->http);
}

static const struct err *listen_tls(struct arena *a, struct edge *e)
{
    struct http_conf conf = e->conf.http;

    if (!e->conf.tls)
        return NULL;
    conf.listen = e->conf.https_listen;
    conf.tls = e->conf.tls;
    conf.hsts_s = e->conf.hsts_s;
    return http_server_create(a, e->loop, &conf, request_handle, e, &e->https);
}

const struct err *edge_create(struct arena *a, struct loop *l,
                              const struct edge_conf *conf, struct edge **out)
{
    struct edge *e = MEM_NEW(struct edge);
    struct fields all = {.n = 0};
    const struct err *err;

    e->loop = l;
    e->conf = *conf;
    arena_init(&e->arena);
    buf_init(&e->json, JSON_MAX);
    err = client_rules_read(&e->arena, &conf->client, &e->client);
    if (!err)
        err = connect_services(a, e);
    if (!err) {
        make_parts(e);
        e->conf.http.trusted_peer = is_proxy;
        e->conf.http.head = request_head;
        e->conf.http.refused = request_refused;
        fields_of_all(&all);
        e->conf.http.common = all.v;
        e->conf.http.n_common = all.n;
        err = listen_plain(a, e);
    }
    if (!err)
        err = listen_tls(a, e);
    if (err)
        edge_destroy(e);
    else
        *out = e;
    return err;
}

void edge_destroy(struct edge *e)
{
    if (!e)
        return;
    http_server_destroy(e->http); /* ends the flows: first of all */
    http_server_destroy(e->https);
    auth_destroy(e->auth);
    api_keys_destroy(e->api_keys);
    session_set_fini(&e->proofs);
    revocations_destroy(e->revocations);
    keys_destroy(e->keys);
    rpc_client_destroy(e->rpc);
    limiter_destroy(e->limiter);
    if (e->redis)
        redis_destroy(e->redis);
    router_destroy(e->router);
    access_destroy(e->access);
    gzip_destroy(e->gzip);
    arena_fini(&e->arena);
    buf_fini(&e->json);
    free(e);
}

void edge_set_tls(struct edge *e, struct http_tls *tls)
{
    if (e->https && tls)
        http_server_set_tls(e->https, tls);
}

void edge_set_policies(struct edge *e, const struct limiter_conf *limits,
                       const struct client_rules *client, const char *cors_origins)
{
    limiter_set(e->limiter, limits);
    e->client = *client;
    e->conf.cors_origins = cors_origins;
}

void edge_drain(struct edge *e)
{
    limiter_drain(e->limiter);
    http_server_drain(e->http);
    if (e->https)
        http_server_drain(e->https);
}

bool edge_drained(const struct edge *e)
{
    return http_server_connections(e->http) == 0 &&
           (!e->https || http_server_connections(e->https) == 0);
}

int edge_port(const struct edge *e)
{
    return http_server_port(e->http);
}

bool edge_is_warm(const struct edge *e)
{
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (!rpc_client_up(e->rpc, services[i]))
            return false;
    return keys_loaded(e->keys) && revocations_synced(e->revocations);
}

bool edge_dependency_up(const struct edge *e, const char *service)
{
    return service ? rpc_client_up(e->rpc, service) : redis_up(e->redis);
}
