// SPDX-License-Identifier: Apache-2.0
/*
 * Requests that end before evhttp has heard of them: those without a body, and those
 * that are answered by their head, as the handler is asked about it before the body is
 * read. evhttp idles meanwhile. What the client still sends is skipped when it is short
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

static bool is_written(const struct http_conn *c)
{
    return evbuffer_get_length(bufferevent_get_output(c->bev)) == 0;
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
    struct http_conn *c = arg;

    if (!is_written(c))
        return;
    loop_timer_set(&c->timer, HTTP_LINGER_MS);
    http_secure_end(c);
    shutdown(bufferevent_getfd(bev), SHUT_WR);
}

static void linger(struct http_conn *c)
{
    c->state = CONN_REFUSED;
    http_conn_drop_body(c);
    loop_task_cancel(&c->task);
    loop_timer_set(&c->timer, c->server->conf.response_ms);
    bufferevent_setcb(c->bev, NULL, last_written, ended, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    last_written(c->bev, c);
}

/* A client that waits to be invited may send the body or not; then it is not known where
 * the next request begins. */
static bool may_skip(const struct http_exchange *ex)
{
    const struct head *h = &ex->head;

    return !ex->wanted && !h->expect_continue && !h->chunked &&
           h->length <= HTTP_SKIP_MAX;
}

/* A connection that is busy has had the whole of a request. */
static bool may_go_on(const struct http_exchange *ex)
{
    const struct http_conn *c = ex->conn;

    return ex->head.keep_alive && !c->server->draining &&
           (c->state == CONN_BUSY || (c->state == CONN_ASKED && may_skip(ex)));
}

/* The next request may come when the answer has left: what a client that does not read
 * makes us hold is one answer. */
bool http_conn_skipped(const struct http_conn *c)
{
    return c->body_left == 0 && is_written(c);
}

static void skipped_written(struct bufferevent *bev, void *arg)
{
    struct http_conn *c = arg;

    (void)bev;
    if (http_conn_skipped(c))
        loop_soon(c->server->loop, &c->task);
}

static void skip(struct http_conn *c)
{
    bool whole = c->state == CONN_BUSY;

    c->state = CONN_SKIP;
    c->body_left = whole ? 0 : c->exchange->head.length;
    if (c->body_left > 0 || !is_written(c)) {
        loop_timer_set(&c->timer, c->server->conf.response_ms);
        bufferevent_setcb(c->bev, NULL, skipped_written, ended, c);
        bufferevent_enable(c->bev, EV_WRITE);
    }
    loop_soon(c->server->loop, &c->task); /* one request of a pipeline a turn */
}

/* Answers of a turn leave together at its end, each in a call of its own: a client that
 * shares a core with others, or sleeps, is woken for the first and not for each. */
void http_early_leave(struct http_exchange *ex)
{
    struct http_conn *c = ex->conn;

    if (!c)
        return;
    http_answer_write(ex);
    if (ex->last)
        linger(c);
    else
        skip(c);
    c->exchange = NULL;
    ex->conn = NULL;
}

/* The exchange goes at the end of the turn: its handler may still look at the request. */
void http_reply_early(struct http_exchange *ex, struct str body)
{
    ex->state = EXCHANGE_OVER;
    loop_at_turn_end(ex->req.server->loop, &ex->task);
    if (!ex->conn)
        return;
    ex->last = !may_go_on(ex);
    http_answer_make(ex, ex->last, body);
    if (ex->last || ex->conn->state != CONN_BUSY)
        http_early_leave(ex);
}
