// SPDX-License-Identifier: Apache-2.0
/*
 * What a trusted proxy sends before anything else, TLS too: evhttp and OpenSSL do not
 * touch the socket until its header has been taken from it, to the byte.
 */
#include "kit/base/mem.h"
#include "kit/http/internal.h"
#include "kit/http/proxy_header.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

struct http_preface {
    struct loop_fd *fd;
    short enabled; /* of the bufferevent */
    struct proxy_header header;
};

static void count(const char *outcome)
{
    metric_add(metrics_counter("viaduct_http_proxy_headers_total",
                               "PROXY protocol headers of trusted proxies", "outcome",
                               outcome, NULL),
               1);
}

void http_preface_end(struct http_conn *c)
{
    if (!c->preface)
        return;
    loop_fd_destroy(c->preface->fd);
    loop_free_later(c->server->loop, free, c->preface);
    c->preface = NULL;
}

/* Nothing is answered: who is not a proxy of ours learns nothing here. */
static void refuse(struct http_conn *c, const char *why)
{
    count("refused");
    LOG_WARN(NULL, "http.proxy_header", KV("why", why));
    http_conn_close(c);
}

static void keep_source(struct http_conn *c, const struct sockaddr_storage *source)
{
    const struct sockaddr *sa = (const struct sockaddr *)source;
    const void *address =
        sa->sa_family == AF_INET
            ? (const void *)&((const struct sockaddr_in *)source)->sin_addr
            : (const void *)&((const struct sockaddr_in6 *)source)->sin6_addr;

    if (sa->sa_family == AF_UNSPEC)
        return;
    (void)inet_ntop(sa->sa_family, address, c->source, sizeof c->source);
    c->key = http_quota_key(sa);
}

static void go_on(struct http_conn *c)
{
    struct http_preface *p = c->preface;
    short enabled = p->enabled;

    count("taken");
    keep_source(c, &p->header.source);
    http_preface_end(c);
    if (c->source[0] && !http_conn_admit_source(c)) {
        http_conn_close(c);
        return;
    }
    http_conn_begin(c);
    bufferevent_enable(c->bev, enabled);
}

static void on_ready(void *arg, int ready)
{
    struct http_conn *c = arg;
    struct proxy_header *h = &c->preface->header;
    char piece[PROXY_HEADER_MAX];
    ssize_t n;

    (void)ready;
    while (h->state == PROXY_HEADER_COMING) {
        n = recv(bufferevent_getfd(c->bev), piece, proxy_header_wants(h), 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) { /* also those that only look whether the port is open */
            http_conn_close(c);
            return;
        }
        proxy_header_feed(h, (struct str){piece, (size_t)n});
    }
    if (h->state == PROXY_HEADER_REJECTED)
        refuse(c, h->why);
    else
        go_on(c);
}

void http_preface_begin(struct http_conn *c)
{
    struct http_preface *p = MEM_NEW(struct http_preface);

    c->preface = p;
    p->enabled = bufferevent_get_enabled(c->bev);
    bufferevent_disable(c->bev, EV_READ | EV_WRITE);
    p->fd = loop_fd_create(c->server->loop, bufferevent_getfd(c->bev), on_ready, c);
    loop_fd_want(p->fd, LOOP_READ);
}
