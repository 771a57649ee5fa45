// SPDX-License-Identifier: Apache-2.0
/*
 * A connection, between the socket and evhttp. An evbuffer callback empties evhttp's
 * input as it is filled; evhttp sees a request only when it has a body, all of it is
 * there and was found good, and never two. So evhttp idles whenever a request is refused
 * or times out, or ends with its head.
 */
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/http/internal.h"
#include "kit/http/target.h"

#include <stdlib.h>

static void input_changed(struct evbuffer *input, const struct evbuffer_cb_info *info,
                          void *arg);

static void enter(struct http_conn *c, enum conn_state to)
{
    const struct http_conf *conf = &c->server->conf;
    int64_t limit_ms[] = {
        [CONN_PREFACE] = conf->handshake_ms,
        [CONN_HANDSHAKE] = conf->handshake_ms,
        [CONN_IDLE] = conf->idle_ms,
        [CONN_HEAD] = conf->request_ms,
        [CONN_BODY] = -1, /* the deadline of the head goes on */
        [CONN_BUSY] = 0,
    };

    c->state = to;
    if (c->server->draining && to <= CONN_HEAD && limit_ms[to] > conf->drain_idle_ms)
        limit_ms[to] = conf->drain_idle_ms;
    if (limit_ms[to] > 0)
        loop_timer_set(&c->timer, limit_ms[to]);
    else if (limit_ms[to] == 0)
        loop_timer_clear(&c->timer);
}

static void timed_out(struct loop_timer *t)
{
    struct http_conn *c = CONTAINER_OF(t, struct http_conn, timer);

    if (c->state == CONN_HEAD || c->state == CONN_ASKED || c->state == CONN_BODY)
        http_conn_refuse(c, HEAD_REJECT_TIMEOUT);
    else if (c->state == CONN_IDLE && http_conn_has_bytes(c))
        loop_timer_set(t, HTTP_LATE_MS); /* a request that the loop has not read yet */
    else
        http_conn_close(c);
}

void http_conn_sending(struct http_conn *c, bool on)
{
    if (on)
        loop_timer_set(&c->timer, c->server->conf.response_ms);
    else
        loop_timer_clear(&c->timer);
}

void http_conn_close(struct http_conn *c)
{
    evhttp_connection_free(c->evcon);
}

void http_conn_begin(struct http_conn *c)
{
    enter(c, c->tls ? CONN_HANDSHAKE : CONN_IDLE);
}

void http_conn_drain(struct http_conn *c)
{
    if (c->evcon && c->state <= CONN_HEAD)
        enter(c, c->state);
}

void http_conn_secured(struct http_conn *c)
{
    if (c->state == CONN_HANDSHAKE)
        enter(c, CONN_IDLE);
}

static void free_buffer(struct evbuffer **b)
{
    if (*b)
        evbuffer_free(*b);
    *b = NULL;
}

void http_conn_forget(struct http_conn *c)
{
    struct http_exchange *ex = c->exchange;

    /* OpenSSL's bufferevent tells of an end before it adds what came with it */
    evbuffer_remove_cb(bufferevent_get_input(c->bev), input_changed, c);
    http_preface_end(c);
    http_secure_forget(c);
    c->exchange = NULL;
    loop_timer_clear(&c->timer);
    list_remove(&c->arrival);
    loop_task_cancel(&c->task);
    http_server_conn_closed(c->server, c);
    http_conn_leave(c);
    free_buffer(&c->body);
    free_buffer(&c->held);
    loop_free_later(c->server->loop, free, c);
    if (ex)
        http_exchange_orphan(ex);
}

void http_conn_drop_body(struct http_conn *c)
{
    free_buffer(&c->body);
    if (c->exchange)
        http_exchange_uncharge(c->exchange);
}

/* evhttp frees the connection, for whatever reason. */
static void closed(struct evhttp_connection *evcon, void *arg)
{
    struct http_conn *c = arg;
    struct loop *l = c->server->loop;

    (void)evcon;
    http_conn_forget(c);
    loop_pace(l);
}

/* ---- bytes in ---- */

static void begin_body(struct http_conn *c)
{
    const struct head *h = &c->exchange->head;

    if (h->chunked || h->length > 0)
        c->body = evbuffer_new();
    c->body_left = h->length;
    chunk_init(&c->chunk, &c->limits);
    enter(c, CONN_BODY);
}

/* Past evhttp. */
static void send_continue(struct http_conn *c)
{
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";

    bufferevent_write(c->bev, interim, sizeof interim - 1);
    bufferevent_enable(c->bev, EV_WRITE);
}

/* The head is complete and well-formed; false when the request must not go on. */
static bool accept_head(struct http_conn *c)
{
    struct http_exchange *ex = c->exchange;
    struct str raw = head_str(&ex->head, ex->head.target);
    struct target target;

    ex->req.start_us = clock_mono_us();
    if (!target_parse(&ex->req.arena, raw, &target)) {
        http_conn_refuse(c, HEAD_REJECT_TARGET);
        return false;
    }
    ex->req.method = ex->head.method;
    ex->req.path = target.path;
    ex->req.query = target.query;
    ex->req.target = raw;
    return true;
}

enum { REWRITTEN_MAX = 128 };

/* What evhttp gets to read in place of what came. */
static void rewrite(struct http_conn *c, struct evbuffer *input)
{
    const struct head *h = &c->exchange->head;
    size_t n = c->body ? evbuffer_get_length(c->body) : 0;
    const char *line = h->http10 && h->keep_alive
                           ? " / HTTP/1.0\r\nConnection: keep-alive\r\n"
                       : h->http10     ? " / HTTP/1.0\r\nConnection: close\r\n"
                       : h->keep_alive ? " / HTTP/1.1\r\n"
                                       : " / HTTP/1.1\r\nConnection: close\r\n";

    char text[REWRITTEN_MAX];
    char *at = stpcpy(stpcpy(text, http_method_name(h->method)), line);

    if (n > 0) {
        at = stpcpy(at, "Content-Length: ");
        at += str_from_i64((int64_t)n, at);
        at = stpcpy(at, "\r\n");
    }
    at = stpcpy(at, "\r\n");
    c->taking = true;
    evbuffer_unfreeze(input, 0);
    evbuffer_add(input, text, (size_t)(at - text));
    if (n > 0)
        evbuffer_add_buffer(input, c->body);
    if (!c->tls) /* OpenSSL's bufferevent does not unfreeze it to read */
        evbuffer_freeze(input, 0);
    c->taking = false;
    free_buffer(&c->body);
}

static bool holds_enough(const struct http_conn *c)
{
    return c->held && evbuffer_get_length(c->held) >= HTTP_HELD_MAX;
}

void http_conn_limit_held(struct http_conn *c)
{
    if (holds_enough(c))
        bufferevent_disable(c->bev, EV_READ);
}

/* Small pieces are copied: moved, each keeps the whole buffer that it was read into. */
static void move(struct evbuffer *from, struct evbuffer *to, size_t n)
{
    if (n > HTTP_PIECE_MAX) {
        evbuffer_remove_buffer(from, to, n);
        return;
    }
    evbuffer_add(to, evbuffer_pullup(from, (ev_ssize_t)n), n);
    evbuffer_drain(from, n);
}

static void hold(struct http_conn *c, struct evbuffer *from)
{
    size_t n = evbuffer_get_length(from);

    if (n == 0 || from == c->held)
        return;
    if (!c->held)
        c->held = evbuffer_new();
    move(from, c->held, n);
    http_conn_limit_held(c);
}

/* A request that ends with its head. */
static bool is_whole(const struct head *h)
{
    return h->state == HEAD_DONE && !h->chunked && h->length == 0;
}

static size_t take_head(struct http_conn *c, struct str in)
{
    struct head *h;
    size_t n;

    if (!c->exchange) {
        c->exchange = http_exchange_create(c);
        c->limits = c->server->limits;
    }
    h = &c->exchange->head;
    n = head_feed(h, in);
    if (h->state == HEAD_REJECTED)
        http_conn_refuse(c, h->reject);
    else if (c->state == CONN_IDLE && !head_is_fresh(h) && !is_whole(h))
        enter(c, CONN_HEAD);
    if (h->state == HEAD_DONE && accept_head(c) && http_conn_ask(c))
        begin_body(c);
    return n;
}

static size_t take_chunked(struct http_conn *c, struct str in)
{
    size_t used = 0, got = 0;

    while (used < in.n && c->chunk.state < CHUNK_DONE) {
        struct str data;

        used += chunk_feed(&c->chunk, (struct str){in.p + used, in.n - used}, &data);
        evbuffer_add(c->body, data.p, data.n);
        got += data.n;
    }
    if (c->chunk.state == CHUNK_REJECTED)
        http_conn_refuse(c, c->chunk.reject);
    else if (!http_exchange_charge(c->exchange, got))
        http_conn_refuse(c, HEAD_REJECT_BODY_BUDGET);
    return used;
}

/* The length is known. */
static void take_counted(struct http_conn *c, struct evbuffer *from)
{
    size_t n = evbuffer_get_length(from);

    n = n < c->body_left ? n : (size_t)c->body_left;
    move(from, c->body, n);
    c->body_left -= n;
    if (!http_exchange_charge(c->exchange, n))
        http_conn_refuse(c, HEAD_REJECT_BODY_BUDGET);
}

static bool body_complete(const struct http_conn *c)
{
    return c->exchange->head.chunked ? c->chunk.state == CHUNK_DONE : c->body_left == 0;
}

static void skip_some(struct http_conn *c, struct evbuffer *from)
{
    size_t n = evbuffer_get_length(from);

    n = n < c->body_left ? n : (size_t)c->body_left;
    evbuffer_drain(from, n);
    c->body_left -= n;
}

/* Takes one run of bytes out of `from`. */
static void take_some(struct http_conn *c, struct evbuffer *from)
{
    struct evbuffer_iovec v;
    struct str in;
    size_t n;

    if (c->state == CONN_SKIP) {
        skip_some(c, from);
        return;
    }
    if (c->state == CONN_BODY && !c->exchange->head.chunked) {
        take_counted(c, from);
        return;
    }
    evbuffer_peek(from, -1, NULL, &v, 1);
    in = (struct str){v.iov_base, v.iov_len};
    n = c->state == CONN_BODY ? take_chunked(c, in) : take_head(c, in);
    evbuffer_drain(from, n);
}

static bool wants_bytes(const struct http_conn *c)
{
    return c->state == CONN_IDLE || c->state == CONN_HEAD || c->state == CONN_BODY ||
           (c->state == CONN_SKIP && c->body_left > 0);
}

/* While another event waits for the same socket, evhttp's stopping and our going on
 * (http_conn_keep_reading) are nothing that the kernel has to be told. */
static void show_interest(struct http_conn *c)
{
    struct event *interest = c->server->interest;

    event_del(interest);
    event_assign(interest, loop_event_base(c->server->loop), bufferevent_getfd(c->bev),
                 EV_READ, http_conn_arrived, c->server);
    if (event_add(interest, NULL) != 0)
        mem_die("http: no memory for an event");
}

static void put_before_evhttp(struct http_conn *c)
{
    rewrite(c, bufferevent_get_input(c->bev));
    c->server->delivering = c;
    show_interest(c);
}

void http_conn_deliver(struct http_conn *c)
{
    put_before_evhttp(c);
    bufferevent_trigger(c->bev, EV_READ, 0);
}

/* True when it now waits in evhttp's input. */
static bool pass_on(struct http_conn *c, struct evbuffer *from)
{
    bool whole = !c->body;

    enter(c, CONN_BUSY);
    hold(c, from);
    if (whole)
        http_exchange_begin(c->exchange);
    else
        put_before_evhttp(c);
    return !whole;
}

/* Runs the machines; true when a whole request now waits in evhttp's input. */
static bool take_request(struct http_conn *c, struct evbuffer *from)
{
    for (;;) {
        if (c->state == CONN_BODY && body_complete(c))
            return pass_on(c, from);
        if (!wants_bytes(c) || evbuffer_get_length(from) == 0)
            break;
        take_some(c, from);
    }
    if (c->state == CONN_ASKED || c->state == CONN_SKIP)
        hold(c, from);
    if (c->state == CONN_SKIP && http_conn_skipped(c))
        loop_soon(c->server->loop, &c->task);
    if (c->state == CONN_BODY && c->exchange->head.expect_continue) {
        c->exchange->head.expect_continue = false;
        send_continue(c);
    }
    return false;
}

/* The client hears the refusal only if its bytes are read; not for ever, though. */
static void throw_away(struct http_conn *c, struct evbuffer *input)
{
    c->thrown += evbuffer_get_length(input);
    evbuffer_drain(input, evbuffer_get_length(input));
    if (c->thrown > HTTP_LINGER_MAX)
        bufferevent_disable(c->bev, EV_READ);
}

/* Behind a request that is being handled, or behind what waits already. */
static bool must_wait(const struct http_conn *c)
{
    bool behind = c->held && evbuffer_get_length(c->held) > 0;

    return c->state == CONN_BUSY || c->state == CONN_ASKED ||
           (behind && c->state != CONN_REFUSED);
}

/* OpenSSL's bufferevent goes on reading while it has bytes, before evhttp is told: in
 * front of them there may be the request that evhttp is to read. */
static void hold_added(struct http_conn *c, struct evbuffer *input, size_t before)
{
    struct evbuffer *evhttps = before > 0 ? evbuffer_new() : NULL;

    if (evhttps)
        evbuffer_remove_buffer(input, evhttps, before);
    hold(c, input);
    if (evhttps) {
        evbuffer_add_buffer(input, evhttps);
        evbuffer_free(evhttps);
    }
}

static void input_changed(struct evbuffer *input, const struct evbuffer_cb_info *info,
                          void *arg)
{
    struct http_conn *c = arg;

    if (info->n_added == 0 || c->taking)
        return;
    c->taking = true;
    if (must_wait(c))
        hold_added(c, input, info->orig_size);
    else
        take_request(c, input);
    if (c->state == CONN_REFUSED)
        throw_away(c, input);
    c->taking = false;
    loop_pace(c->server->loop);
}

/* ---- life ---- */

/* OpenSSL's bufferevent may still say that something is written that evhttp would take
 * for the end of its last response. */
static void begin_idle(struct http_conn *c)
{
    const struct http_server *s = c->server;

    bufferevent_setcb(c->bev, s->evhttp_read, NULL, s->evhttp_event, c->evcon);
    enter(c, CONN_IDLE);
}

static void read_on(struct http_conn *c)
{
    if (!holds_enough(c))
        bufferevent_enable(c->bev, EV_READ);
    http_conn_limit_held(c);
}

static void resume(struct loop_task *t)
{
    struct http_conn *c = CONTAINER_OF(t, struct http_conn, task);

    if (c->state == CONN_ASKED)
        begin_body(c);
    else if (c->state == CONN_BUSY || (c->state == CONN_SKIP && http_conn_skipped(c)))
        begin_idle(c);
    if (take_request(c, c->held ? c->held : bufferevent_get_input(c->bev)))
        bufferevent_trigger(c->bev, EV_READ, 0);
    else if (c->state != CONN_REFUSED)
        read_on(c);
}

/* A pipeline is served one request a turn. */
void http_conn_resume(struct http_conn *c)
{
    c->exchange = NULL;
    loop_soon(c->server->loop, &c->task);
}

/* ---- fewer system calls than evhttp makes ---- */

/* evhttp stops reading before it hands a request over and starts again with the answer.
 * Without its read callback (which ends the process in that state) reading may go on:
 * input_changed() holds what comes, and a client that goes away is noticed at once. */
void http_conn_keep_reading(struct http_conn *c)
{
    bufferevent_event_cb on_event;
    bufferevent_data_cb on_write;
    void *arg;

    if (!holds_enough(c)) {
        bufferevent_getcb(c->bev, NULL, &on_write, &on_event, &arg);
        bufferevent_setcb(c->bev, NULL, on_write, on_event, arg);
        bufferevent_enable(c->bev, EV_READ);
    }
    event_del(c->server->interest);
}

/* evhttp's object is not known before its first request, but as what the bufferevent's
 * callbacks get once evhttp has accepted the connection. */
static void attach(struct http_conn *c)
{
    void *evcon;

    struct http_server *s = c->server;

    bufferevent_getcb(c->bev, &s->evhttp_read, &s->evhttp_write, &s->evhttp_event,
                      &evcon);
    c->evcon = evcon;
    evhttp_connection_set_closecb(c->evcon, closed, c);
    if (!http_conn_admit(c)) {
        http_conn_close(c);
    } else if (c->server->conf.proxy_header && http_conn_of_proxy(c)) {
        enter(c, CONN_PREFACE);
        http_preface_begin(c);
    } else {
        http_conn_begin(c);
    }
}

void http_conn_arrived(evutil_socket_t fd, short what, void *server)
{
    struct http_server *s = server;
    struct list *it;

    (void)fd;
    (void)what;
    while ((it = list_pop(&s->arrivals)))
        attach(CONTAINER_OF(it, struct http_conn, arrival));
}

/* An active event is handled before libevent looks at its sockets again, so nothing of
 * the connection comes before; a task of the loop could be too late, as libevent may look
 * several times in a turn. */
struct bufferevent *http_conn_accept(struct event_base *base, void *server)
{
    struct http_server *s = server;
    struct http_conn *c = MEM_NEW(struct http_conn);

    c->server = s;
    c->tls = http_tls_ref(s->conf.tls);
    c->bev = c->tls ? http_secure_new(base, c)
                    : bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (!c->bev)
        mem_die("http: no memory for a connection");
    bufferevent_setwatermark(c->bev, EV_READ, 1, 0);
    evbuffer_add_cb(bufferevent_get_input(c->bev), input_changed, c);
    loop_timer_init(&c->timer, s->loop, timed_out);
    loop_task_init(&c->task, resume);
    list_push(&s->arrivals, &c->arrival);
    event_active(s->arrived, EV_TIMEOUT, 0);
    http_server_conn_opened(s, c);
    if (loop_pace(s->loop))
        http_server_pause_accepting(s);
    return c->bev;
}
