// SPDX-License-Identifier: Apache-2.0
/* From plain HTTP to https. */
#include "gateway/edge/internal.h"
#include "gateway/edge/request.h"

enum { HTTPS_PORT = 443 };

/* "[::1]:8080" is "[::1]"; the head machine has seen that it is an authority. */
static struct str without_port(struct str host)
{
    const char *bracket = host.n > 0 ? memchr(host.p, ']', host.n) : NULL;
    size_t from = bracket ? (size_t)(bracket - host.p) : 0;
    const char *colon = host.n > 0 ? memchr(host.p + from, ':', host.n - from) : NULL;

    return colon ? (struct str){host.p, (size_t)(colon - host.p)} : host;
}

static struct str location(const struct edge *e, struct http_req *r)
{
    struct str host = without_port(http_header(r, "host"));
    struct str target = r->target.n > 0 && r->target.p[0] == '/' ? r->target : STR("/");
    int port = e->conf.redirect_port;

    if (host.n == 0) /* HTTP/1.0 may go without */
        return (struct str){NULL, 0};
    return port == HTTPS_PORT ? arena_printf(&r->arena, "https://%.*s%.*s", STR_FMT(host),
                                             STR_FMT(target))
                              : arena_printf(&r->arena, "https://%.*s:%d%.*s",
                                             STR_FMT(host), port, STR_FMT(target));
}

void redirect_handle(void *arg, struct http_req *http)
{
    const struct http_reply_header headers[] = {{"Location", location(arg, http)},
                                                {"Cache-Control", STR("no-store")}};
    int status = headers[0].value.p ? 308 : 400;

    http_reply(http, status, NULL, headers, 2, STR(""));
}
