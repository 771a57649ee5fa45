// SPDX-License-Identifier: Apache-2.0
/* What connections and bodies take of the process's quota, and give back. */
#include "kit/http/internal.h"

#include <sys/socket.h>

bool http_conn_of_proxy(const struct http_conn *c)
{
    const struct http_server *s = c->server;
    char *address;
    uint16_t port;

    if (!s->conf.trusted_peer)
        return false;
    evhttp_connection_get_peer(c->evcon, &address, &port);
    return s->conf.trusted_peer(s->arg, str_of(address));
}

static void count(enum http_quota_answer why)
{
    static const char *const reasons[] = {
        [HTTP_QUOTA_FULL] = "total", [HTTP_QUOTA_ADDRESS_FULL] = "address"};

    metric_add(metrics_counter("viaduct_http_connections_refused_total",
                               "Connections closed at once, over a cap", "reason",
                               reasons[why], NULL),
               1);
}

static bool enter(struct http_conn *c)
{
    enum http_quota_answer answer =
        http_quota_enter(c->server->conf.quota, c->of_address ? &c->key : NULL);

    c->admitted = answer == HTTP_QUOTA_YES;
    if (!c->admitted)
        count(answer);
    return c->admitted;
}

bool http_conn_admit(struct http_conn *c)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;

    if (!c->server->conf.quota)
        return true;
    if (getpeername(bufferevent_getfd(c->bev), (struct sockaddr *)&peer, &len) < 0)
        return false; /* it is gone already */
    c->of_address = !http_conn_of_proxy(c);
    c->key = http_quota_key((const struct sockaddr *)&peer);
    return enter(c);
}

bool http_conn_admit_source(struct http_conn *c)
{
    if (!c->server->conf.quota)
        return true;
    http_conn_leave(c);
    c->of_address = true;
    return enter(c);
}

void http_conn_leave(struct http_conn *c)
{
    if (c->admitted)
        http_quota_leave(c->server->conf.quota, c->of_address ? &c->key : NULL);
    c->admitted = false;
}

bool http_exchange_charge(struct http_exchange *ex, size_t n)
{
    struct http_quota *q = ex->req.server->conf.quota;

    if (!q || n == 0)
        return true;
    if (!http_quota_take_bytes(q, n))
        return false;
    ex->charged += n;
    return true;
}

void http_exchange_uncharge(struct http_exchange *ex)
{
    if (ex->charged > 0)
        http_quota_give_bytes(ex->req.server->conf.quota, ex->charged);
    ex->charged = 0;
}
