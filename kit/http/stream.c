// SPDX-License-Identifier: Apache-2.0
/*
 * Responses of unknown length. One write is under way at a time; what is next leaves from
 * its callback, the end too (facts: an end from elsewhere loses the last chunk over TLS).
 */
#include "kit/http/internal.h"

void http_stream_start(struct http_req *r, int status, const char *content_type,
                       const struct http_reply_header *headers, size_t n_headers)
{
    struct http_exchange *ex = http_exchange_of(r);

    ex->state = EXCHANGE_STREAMING;
    ex->status = status;
    ex->no_body = r->method == HTTP_HEAD || status == 204 || status == 304;
    ex->out = evbuffer_new();
    http_put_lines(ex, content_type, headers, n_headers);
    ex->lines = arena_str(&r->arena, buf_view(&r->server->lines));
    loop_soon(r->server->loop, &ex->task);
}

/* `pumping`: our caller goes on with what is new. */
static void pump_soon(struct http_exchange *ex)
{
    if (!ex->pumping)
        loop_soon(ex->req.server->loop, &ex->task);
}

void http_stream_write(struct http_req *r, struct str bytes, void (*drained)(void *arg),
                       void *arg)
{
    struct http_exchange *ex = http_exchange_of(r);

    evbuffer_add(ex->out, bytes.p, bytes.n);
    ex->writing = true;
    ex->drained = drained;
    ex->drained_arg = arg;
    pump_soon(ex);
}

void http_stream_end(struct http_req *r)
{
    struct http_exchange *ex = http_exchange_of(r);

    ex->ending = true;
    pump_soon(ex);
}

void http_stream_abort(struct http_req *r)
{
    struct http_exchange *ex = http_exchange_of(r);

    ex->aborting = true;
    ex->ending = true;
    loop_soon(r->server->loop, &ex->task);
}

static void written(struct http_exchange *ex)
{
    ex->writing = false;
    if (ex->aborting)
        return;
    ex->pumping = true;
    ex->drained(ex->drained_arg);
    ex->pumping = false;
}

static void chunk_left(struct evhttp_connection *evcon, void *arg)
{
    struct http_exchange *ex = arg;

    (void)evcon;
    if (ex->conn)
        http_conn_sending(ex->conn, false);
    if (ex->writing)
        written(ex);
    if (!ex->aborting) /* its task is queued; evhttp does not want to die in here */
        http_stream_pump(ex);
}

/* The only end of a stream over HTTP/1.0 is that of the connection. evhttp would say
 * something else to a request that wants to keep it. */
static void end_with_connection(struct evhttp_request *native)
{
    evhttp_remove_header(evhttp_request_get_input_headers(native), "Connection");
    evhttp_add_header(evhttp_request_get_output_headers(native), "Connection", "close");
}

/* evhttp streams, so it gets a request that it has not yet. */
static void begin(struct http_exchange *ex)
{
    ex->started = true;
    if (!ex->native)
        http_conn_deliver(ex->conn);
    if (ex->head.http10 || ex->req.server->draining)
        end_with_connection(ex->native);
    http_lend_fields(ex);
    evhttp_send_reply_start(ex->native, ex->status, http_reason(ex->status));
    http_take_fields_back(ex);
    http_conn_limit_held(ex->conn);
}

/* The connection takes evhttp's request and ours with it. */
static void cut(struct http_exchange *ex)
{
    if (!ex->conn) {
        http_answer_end(ex);
        return;
    }
    ex->state = EXCHANGE_SENT;
    ex->conn->torn = true;
    http_conn_close(ex->conn);
}

/* Nobody reads it: evhttp would never call back. True when the stream waits for its
 * writer. */
static bool discard(struct http_exchange *ex)
{
    evbuffer_drain(ex->out, evbuffer_get_length(ex->out));
    if (ex->writing)
        written(ex);
    return !ex->writing && !ex->ending;
}

void http_stream_pump(struct http_exchange *ex)
{
    if (ex->aborting) {
        cut(ex);
        return;
    }
    if (!ex->started && ex->conn)
        begin(ex);
    if ((!ex->conn || ex->no_body || evbuffer_get_length(ex->out) == 0) &&
        (discard(ex) || ex->aborting))
        return;
    if (evbuffer_get_length(ex->out) > 0 && ex->conn && !ex->no_body) {
        http_conn_sending(ex->conn, true);
        evhttp_send_reply_chunk_with_cb(ex->native, ex->out, chunk_left, ex);
        http_conn_limit_held(ex->conn);
    } else if (ex->writing)
        loop_soon(ex->req.server->loop, &ex->task);
    else if (ex->ending)
        http_answer_end(ex);
}
