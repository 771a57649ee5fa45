// SPDX-License-Identifier: Apache-2.0
/* Refusing what comes on a connection: its server's handler says it, or a plain problem
 * does; early.c sends that and ends the connection. */
#include "kit/base/clock.h"
#include "kit/base/id.h"
#include "kit/http/internal.h"

enum { REFUSAL_MAX = 4096 };

static void count(enum head_reject why)
{
    const char *reason = head_reject_name(why);

    metric_add(metrics_counter("viaduct_http_refused_total",
                               "Requests refused before any handler", "reason", reason,
                               NULL),
               1);
    LOG_INFO(NULL, "http.refused", KV("reason", reason));
}

static void reply_plain(struct http_req *r, const struct err *e)
{
    int status = err_info(e)->http_status;
    char id[UUID_TEXT_LEN];
    const struct str request_id = {id, sizeof id};
    const struct http_reply_header headers[] = {
        {"X-Request-Id", request_id},
        {"X-Content-Type-Options", STR("nosniff")},
        {"Cache-Control", STR("no-store")},
        {"Retry-After", status == 503 ? STR("1") : (struct str){NULL, 0}},
    };
    struct buf body;

    buf_init(&body, REFUSAL_MAX);
    uuid_format(uuid_new(), id);
    http_problem(&body, e, (struct str){NULL, 0}, request_id);
    http_reply(r, status, "application/problem+json", headers,
               sizeof headers / sizeof *headers, buf_view(&body));
    buf_fini(&body);
}

/* What is known of a request that the handler has not seen. */
static void describe(struct http_exchange *ex)
{
    if (ex->state != EXCHANGE_COMING)
        return;
    http_exchange_enter(ex);
    ex->req.method = ex->head.method;
    if (ex->req.start_us == 0)
        ex->req.start_us = clock_mono_us();
}

void http_conn_refuse(struct http_conn *c, enum head_reject why)
{
    struct http_exchange *ex = c->exchange;
    const struct http_server *s = c->server;
    const struct err *e = head_reject_err(why);

    c->state = CONN_REFUSED;
    loop_timer_set(&c->timer, HTTP_LINGER_MS);
    count(why);
    if (why == HEAD_REJECT_BODY_LENGTH)
        e = http_too_large(&ex->req.arena, c->limits.body_bytes);
    describe(ex);
    if (s->conf.refused)
        s->conf.refused(s->arg, &ex->req, e);
    else
        reply_plain(&ex->req, e);
}
