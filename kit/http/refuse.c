// SPDX-License-Identifier: Apache-2.0
/*
 * Refusing a connection's request: problem+json past evhttp, which idles meanwhile. Then
 * our side is shut, and what the client still sends is thrown away for a while, because
 * closing with unread bytes would reset the connection and take the answer with it.
 */
#include "kit/base/id.h"
#include "kit/http/internal.h"

#include <sys/socket.h>

enum { REFUSAL_MAX = 4096 };

static void flushed(struct bufferevent *bev, void *arg)
{
    http_secure_end(arg);
    shutdown(bufferevent_getfd(bev), SHUT_WR);
}

static void ended(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    (void)what;
    http_conn_close(arg);
}

static void count(const struct http_conn *c, enum head_reject why)
{
    const char *reason = head_reject_name(why);

    (void)c;
    metric_add(metrics_counter("viaduct_http_refused_total",
                               "Requests refused before any handler", "reason", reason,
                               NULL),
               1);
    LOG_INFO(NULL, "http.refused", KV("reason", reason));
}

static void write_refusal(struct http_conn *c, const struct err *e)
{
    struct evbuffer *out = bufferevent_get_output(c->bev);
    struct buf body;
    char id[UUID_TEXT_LEN];
    const char *hsts = c->server->hsts;
    int status = err_info(e)->http_status;

    buf_init(&body, REFUSAL_MAX);
    uuid_format(uuid_new(), id);
    http_problem(&body, e, (struct str){NULL, 0}, (struct str){id, sizeof id});
    evbuffer_add_printf(out,
                        "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: "
                        "application/problem+json\r\nContent-Length: %zu\r\n"
                        "X-Request-Id: %.*s\r\nX-Content-Type-Options: nosniff\r\n"
                        "Cache-Control: no-store\r\n%s%s%s%sConnection: close\r\n\r\n",
                        status, http_reason(status), http_server_date(c->server), body.n,
                        (int)sizeof id, id, *hsts ? "Strict-Transport-Security: " : "",
                        hsts, *hsts ? "\r\n" : "",
                        status == 503 ? "Retry-After: 1\r\n" : "");
    evbuffer_add(out, body.p, body.n);
    buf_fini(&body);
}

void http_conn_refuse(struct http_conn *c, enum head_reject why)
{
    c->state = CONN_REFUSED;
    http_conn_drop_body(c);
    loop_timer_set(&c->timer, HTTP_LINGER_MS);
    count(c, why);
    bufferevent_setcb(c->bev, NULL, flushed, ended, c);
    write_refusal(c, head_reject_err(why));
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}
