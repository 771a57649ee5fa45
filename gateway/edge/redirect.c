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

    if (port == HTTPS_PORT)
        return arena_printf(&r->arena, "https://%.*s%.*s", STR_FMT(host),
                            STR_FMT(target));
    return arena_printf(&r->arena, "https://%.*s:%d%.*s", STR_FMT(host), port,
                        STR_FMT(target));
}

static enum step redirect(struct flow *f)
{
    struct request *rq = request_of(f);

    if (!http_header(rq->http, "host").p) /* HTTP/1.0 may go without */
        return flow_fail_code(f, &ERR_CODE_BAD_REQUEST,
                              "Only https is spoken here, and without Host it is not "
                              "known where");
    rq->elsewhere = location(rq->edge, rq->http);
    return flow_done(f);
}

void redirect_handle(void *arg, struct http_req *http)
{
    request_begin(arg, http, redirect);
}
