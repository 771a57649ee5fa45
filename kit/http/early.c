// SPDX-License-Identifier: Apache-2.0
/*
 * Requests that end before evhttp has heard of them: the handler is asked about a head
 * before the body behind it is read, and an answer that it gives then is written past
 * evhttp, which idles meanwhile. What the client still sends is skipped when it is short
 * and its end is known, so that the connection goes on; else the connection lingers and
 * ends, because closing with unread bytes would reset it and take the answer with it.
 */
#include "kit/http/errors.h"
#include "kit/http/internal.h"

#include <sys/socket.h>

/* ---- asking ---- */

int64_t http_body_length(const struct http_req *r)
{
    const struct head *h = &http_exchange_of((struct http_req *)(uintptr_t)r)->head;

    return h->chunked ? -1 : (int64_t)h->length;
}

bool http_conn_ask(struct http_conn *c)
{
    struct http_exchange *ex = c->exchange;
    const struct http_conf *conf = &c->server->conf;

    if (!conf->head || http_body_length(&ex->req) == 0)
        return true;
    ex->state = EXCHANGE_ASKED;
    c->state = CONN_ASKED;
    http_exchange_enter(ex);
    c->asking = true;
    conf->head(c->server->arg, &ex->req);
    c->asking = false;
    return c->state == CONN_ASKED && ex->wanted;
}

const struct err *http_too_large(struct arena *a, size_t max_bytes)
{
    return err_new(a, &ERR_CODE_BODY_TOO_LARGE, "The limit for this body is %zu bytes",
                   max_bytes);
}

const struct err *http_take_body(struct http_req *r, size_t max_bytes)
{
    struct http_exchange *ex = http_exchange_of(r);
    struct http_conn *c = ex->conn;

    if (!c || ex->state != EXCHANGE_ASKED || ex->wanted)
        return NULL;
    if (max_bytes < c->limits.body_bytes)
        c->limits.body_bytes = max_bytes;
    if (!ex->head.chunked && ex->head.length > max_bytes)
        return http_too_large(&r->arena, max_bytes);
    ex->wanted = true;
    if (!c->asking)
        loop_at_turn_end(c->server->loop, &c->task);
    return NULL;
}

/* ---- answering ---- */

static void write_answer(struct http_exchange *ex, bool last, struct str body)
{
    struct evbuffer *out = bufferevent_get_output(ex->conn->bev);

    http_answer_make(ex, last, body);
    evbuffer_add(out, ex->answer.p, ex->answer.n);
    evbuffer_add(out, ex->lasting.p, ex->lasting.n);
}

static void ended(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    (void)what;
    http_conn_close(arg);
}

/* Our side is shut when the answer has left. */
static void last_written(struct bufferevent *bev, void *arg)
{
    http_secure_end(arg);
    shutdown(bufferevent_getfd(bev), SHUT_WR);
}

static void linger(struct http_conn *c)
{
    c->state = CONN_REFUSED;
    http_conn_drop_body(c);
    loop_task_cancel(&c->task);
    loop_timer_set(&c->timer, HTTP_LINGER_MS);
    bufferevent_setcb(c->bev, NULL, last_written, ended, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* A client that waits to be invited may send the body or not; then it is not known where
 * the next request begins. */
static bool may_skip(const struct http_exchange *ex)
{
    const struct http_conn *c = ex->conn;
    const struct head *h = &ex->head;

    return c->state == CONN_ASKED && !ex->wanted && h->keep_alive &&
           !h->expect_continue && !h->chunked && h->length <= HTTP_SKIP_MAX &&
           !c->server->draining;
}

/* The next request may come when the answer has left: what a client that does not read
 * makes us hold is one answer. */
bool http_conn_skipped(struct http_conn *c)
{
    const struct http_server *s = c->server;

    if (c->body_left > 0 || evbuffer_get_length(bufferevent_get_output(c->bev)) > 0)
        return false;
    bufferevent_setcb(c->bev, s->evhttp_read, NULL, s->evhttp_event, c->evcon);
    bufferevent_enable(c->bev, EV_READ);
    return true;
}

static void skipped_written(struct bufferevent *bev, void *arg)
{
    struct http_conn *c = arg;

    (void)bev;
    if (http_conn_skipped(c))
        loop_at_turn_end(c->server->loop, &c->task);
}

static void skip(struct http_conn *c, uint64_t n)
{
    c->state = CONN_SKIP;
    c->body_left = n;
    loop_timer_set(&c->timer, c->server->conf.response_ms);
    bufferevent_setcb(c->bev, NULL, skipped_written, ended, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    if (!c->asking) /* what is held is looked at */
        loop_at_turn_end(c->server->loop, &c->task);
}

/* The exchange goes at the end of the turn: its handler may still look at the request. */
void http_reply_early(struct http_exchange *ex, struct str body)
{
    struct http_conn *c = ex->conn;
    bool go_on = c && may_skip(ex);

    if (c) {
        write_answer(ex, !go_on, body);
        c->exchange = NULL;
        ex->conn = NULL;
    }
    ex->state = EXCHANGE_OVER;
    loop_at_turn_end(ex->req.server->loop, &ex->task);
    if (go_on)
        skip(c, ex->head.length);
    else if (c)
        linger(c);
}
