// SPDX-License-Identifier: Apache-2.0
/*
 * A whole answer. evhttp checks, copies and prints its fields one by one, which took an
 * eighth of a request. So its text is made here, in one piece, and sent past evhttp. If
 * evhttp has the request, that is at the end of the turn; then it is told that a response
 * has ended that it was told nothing else of, and goes on as after one of its own.
 */
#include "kit/http/internal.h"

#include <sys/socket.h>

/* ---- its text ---- */

enum { AROUND_MAX = 160 }; /* "HTTP/1.1 503 ", Date, Content-Length, Connection */

static char *put(char *at, struct str s)
{
    if (s.n > 0)
        memcpy(at, s.p, s.n);
    return at + s.n;
}

static struct str connection(const struct http_exchange *ex, bool last)
{
    if (last)
        return STR("\r\nConnection: close");
    return ex->head.http10 ? STR("\r\nConnection: keep-alive") : STR("");
}

static bool is_lasting(const struct http_conf *conf, struct str body)
{
    for (size_t i = 0; i < sizeof conf->lasting / sizeof *conf->lasting; i++) {
        struct str all = conf->lasting[i];

        if (all.n && body.p >= all.p && body.p + body.n <= all.p + all.n)
            return true;
    }
    return false;
}

void http_answer_make(struct http_exchange *ex, bool last, struct str body)
{
    const struct http_server *s = ex->req.server;
    bool no_content = ex->status == 204 || ex->status == 304;
    bool sent = !no_content && ex->req.method != HTTP_HEAD;
    bool copied = sent && !is_lasting(&s->conf, body);
    struct str fields = buf_view(&s->lines);
    struct str reason = str_of(http_reason(ex->status));
    char *begin = arena_alloc(&ex->req.arena,
                              AROUND_MAX + reason.n + fields.n + (copied ? body.n : 0));
    char *at = put(begin, STR("HTTP/1.1 "));

    at += str_from_i64(ex->status, at);
    at = put(put(at, STR(" ")), reason);
    at = put(put(at, STR("\r\nDate: ")), fields);
    if (!no_content) {
        at = put(at, STR("\r\nContent-Length: "));
        at += str_from_i64((int64_t)body.n, at);
    }
    at = put(put(at, connection(ex, last)), STR("\r\n\r\n"));
    if (copied)
        at = put(at, body);
    ex->answer = (struct str){begin, (size_t)(at - begin)};
    ex->lasting = sent && !copied ? body : STR("");
}

/* ---- its way ---- */

static size_t send_some(struct http_conn *c, struct str bytes)
{
    ssize_t n;

    if (c->tls)
        return http_secure_send(c, bytes);
    n = send(bufferevent_getfd(c->bev), bytes.p, bytes.n, MSG_NOSIGNAL);
    return n > 0 ? (size_t)n : 0;
}

/* Most answers fit into the socket's buffer, and nothing of libevent's waits for it. What
 * does not fit, and errors, are left to the bufferevent, which has a copy: it may outlive
 * the exchange. */
bool http_answer_write(struct http_exchange *ex)
{
    struct evbuffer *out = bufferevent_get_output(ex->conn->bev);
    struct str text = ex->answer, lasting = ex->lasting;
    size_t n = 0;

    if (evbuffer_get_length(out) == 0)
        n = send_some(ex->conn, text);
    if (n == text.n && lasting.n == 0)
        return true;
    evbuffer_add(out, text.p + n, text.n - n);
    if (lasting.n > 0)
        evbuffer_add_reference(out, lasting.p, lasting.n, NULL, NULL);
    return false;
}

/* OpenSSL's bufferevent calls this in a turn to come, when there may be more to write. */
static void written(struct bufferevent *bev, void *arg)
{
    struct http_conn *c = arg;

    if (evbuffer_get_length(bufferevent_get_output(bev)) > 0)
        return;
    c->server->evhttp_write(bev, c->evcon);
    http_conn_limit_held(c);
}

static void failed(struct bufferevent *bev, short what, void *arg)
{
    struct http_conn *c = arg;

    c->server->evhttp_event(bev, what, c->evcon);
}

static void send_rest(struct http_conn *c)
{
    http_conn_sending(c, true);
    bufferevent_setcb(c->bev, NULL, written, failed, c);
    bufferevent_enable(c->bev, EV_WRITE);
}

void http_answer_end(struct http_exchange *ex)
{
    struct http_conn *c = ex->conn;

    ex->state = EXCHANGE_SENT;
    if (ex->native)
        evhttp_send_reply_end(ex->native);
    if (!c) { /* evhttp frees its request then, and nobody will call back */
        http_exchange_destroy(ex);
        return;
    }
    if (c->exchange == ex)
        send_rest(c);
    http_conn_limit_held(c);
}

void http_answer_send(struct http_exchange *ex)
{
    if (ex->conn)
        (void)http_answer_write(ex);
    http_answer_end(ex);
}

/* ---- the handler's ---- */

/* The request that evhttp has read says itself that it is the last, if it is. */
static void make_for_evhttp(struct http_exchange *ex, struct str body)
{
    bool draining = ex->req.server->draining;

    if (draining)
        evhttp_add_header(evhttp_request_get_output_headers(ex->native), "Connection",
                          "close");
    http_answer_make(ex, draining || !ex->head.keep_alive, body);
}

void http_reply(struct http_req *r, int status, const char *content_type,
                const struct http_reply_header *headers, size_t n_headers,
                struct str body)
{
    struct http_exchange *ex = http_exchange_of(r);
    bool no_content = status == 204 || status == 304;

    ex->status = status;
    http_put_lines(ex, no_content ? NULL : content_type, headers, n_headers);
    if (!ex->native) {
        http_reply_early(ex, body);
        return;
    }
    ex->state = EXCHANGE_REPLYING;
    if (ex->conn)
        make_for_evhttp(ex, body);
    http_exchange_schedule(ex);
}
