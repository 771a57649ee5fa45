// SPDX-License-Identifier: Apache-2.0
/* A listener with its evhttp: connections, who is in flight, the date, stopping. */
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/http/internal.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SWEEP_AT_ONCE = 256 };

/* ---- date ---- */

void http_server_refresh_date(struct http_server *s)
{
    char date[HTTP_DATE_LEN + 1];
    int64_t now_us = clock_mono_us();
    struct tm tm;
    time_t now;

    if (s->date_us != 0 && now_us - s->date_us < 1000000)
        return;
    now = time(NULL);
    gmtime_r(&now, &tm);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    memcpy(s->lines.p, date, HTTP_DATE_LEN);
    s->date_us = now_us;
}

/* ---- connections and requests ---- */

void http_server_conn_opened(struct http_server *s, struct http_conn *c)
{
    list_push(&s->conns, &c->link);
    metric_add(s->open, 1);
    if (++s->n_conns == s->conf.max_connections && s->bound)
        evconnlistener_disable(s->listener);
}

void http_server_conn_closed(struct http_server *s, struct http_conn *c)
{
    list_remove(&c->link);
    metric_add(s->open, -1);
    if (s->n_conns-- == s->conf.max_connections && s->bound)
        evconnlistener_enable(s->listener);
    if (s->delivering == c) {
        s->delivering = NULL;
        event_del(s->interest);
    }
}

/* evhttp reads a request in the same call in which it was delivered. */
static void request_read(struct evhttp_request *native, void *arg)
{
    struct http_server *s = arg;
    struct http_conn *c = s->delivering;
    struct evhttp_connection *evcon = evhttp_request_get_connection(native);

    s->delivering = NULL;
    if (!c || c->evcon != evcon)
        mem_die("http: evhttp read a request that was not delivered");
    http_exchange_read(c->exchange, native);
}

/* ---- clients that went away ---- */

struct sweep {
    struct pollfd fds[SWEEP_AT_ONCE];
    struct http_exchange *of[SWEEP_AT_ONCE];
    nfds_t n;
    int64_t until_us; /* monotonic */
};

static bool is_gone(const struct pollfd *p)
{
    return p->revents & (POLLRDHUP | POLLHUP | POLLERR);
}

/* False when the time is over; those that were not come to are looked at the next time.
 */
static bool look(struct sweep *sw)
{
    bool some = sw->n > 0 && poll(sw->fds, sw->n, 0) > 0;
    nfds_t n = sw->n;

    sw->n = 0;
    for (nfds_t i = 0; i < n; i++) {
        sw->of[i]->looked_at = sw->of[i]->req.server->sweeps;
        if (some && is_gone(&sw->fds[i])) {
            http_exchange_tell_gone(sw->of[i]);
            if (clock_mono_us() >= sw->until_us)
                return false;
        }
    }
    return clock_mono_us() < sw->until_us;
}

/* False when it was not through in its time. */
static bool look_at_all(struct http_server *s)
{
    struct sweep sw = {.n = 0, .until_us = clock_mono_us() + LOOP_PACE_US};

    LIST_EACH (it, &s->in_flight) {
        struct http_exchange *ex = CONTAINER_OF(it, struct http_exchange, link);

        if (ex->told_gone || !ex->conn || ex->looked_at == s->sweeps)
            continue;
        sw.of[sw.n] = ex;
        sw.fds[sw.n++] =
            (struct pollfd){.fd = bufferevent_getfd(ex->conn->bev), .events = POLLRDHUP};
        if (sw.n == SWEEP_AT_ONCE && !look(&sw))
            return false;
    }
    return look(&sw);
}

static void sweep(struct loop_timer *t)
{
    struct http_server *s = CONTAINER_OF(t, struct http_server, sweep);

    if (!look_at_all(s)) {
        loop_timer_set(t, 0);
        return;
    }
    s->sweeps++;
    if (s->n_in_flight > 0)
        loop_timer_set(t, HTTP_SWEEP_MS);
}

/* ---- life ---- */

static void make_evhttp(struct http_server *s)
{
    s->evhttp = evhttp_new(loop_event_base(s->loop));
    if (!s->evhttp)
        mem_die("http: no memory for evhttp");
    evhttp_set_default_content_type(s->evhttp, NULL);
    evhttp_set_allowed_methods(
        s->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
                       EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS);
    evhttp_set_bevcb(s->evhttp, http_conn_accept, s);
    evhttp_set_gencb(s->evhttp, request_read, s);
    s->arrived = event_new(loop_event_base(s->loop), -1, 0, http_conn_arrived, s);
    s->interest = event_new(loop_event_base(s->loop), -1, 0, http_conn_arrived, s);
    if (!s->arrived || !s->interest)
        mem_die("http: no memory for an event");
}

static void fill_in(struct http_server *s)
{
    struct http_conf *c = &s->conf;

    http_tls_ref(c->tls);
    c->handshake_ms = c->handshake_ms ? c->handshake_ms : c->request_ms;
    c->response_ms = c->response_ms ? c->response_ms : c->request_ms;
    c->drain_idle_ms = c->drain_idle_ms ? c->drain_idle_ms : c->idle_ms;
}

void http_server_set_tls(struct http_server *s, struct http_tls *tls)
{
    http_tls_ref(tls);
    http_tls_unref(s->conf.tls);
    s->conf.tls = tls;
}

const struct err *http_server_create(struct arena *a, struct loop *l,
                                     const struct http_conf *conf,
                                     void (*handler)(void *arg, struct http_req *r),
                                     void *arg, struct http_server **out)
{
    struct http_server *s = MEM_NEW(struct http_server);
    const struct err *e;

    s->loop = l;
    s->spare_fd = -1;
    s->sweeps = 1;
    s->conf = *conf;
    s->conf.listen = mem_strdup(conf->listen);
    fill_in(s);
    s->limits = (struct head_limits){conf->max_head_bytes, conf->max_body_bytes};
    s->handler = handler;
    s->arg = arg;
    http_fix_lines(s);
    list_init(&s->conns);
    list_init(&s->arrivals);
    list_init(&s->in_flight);
    list_init(&s->spare);
    loop_timer_init(&s->sweep, l, sweep);
    s->open = metrics_gauge("viaduct_http_connections", "Open connections", "listener",
                            conf->listen, NULL);
    s->in_flight_metric = metrics_gauge("viaduct_http_in_flight", "Requests under way",
                                        "listener", conf->listen, NULL);
    make_evhttp(s);
    e = http_server_listen(s, a);
    if (e) {
        http_server_destroy(s);
        return e;
    }
    *out = s;
    return NULL;
}

int http_server_port(const struct http_server *s)
{
    return s->port;
}

unsigned http_server_in_flight(const struct http_server *s)
{
    return s->n_in_flight;
}

/* evhttp frees what is left of its requests, if it still knows them; ours go with them.
 */
static void drop_in_flight(struct http_server *s)
{
    while (!list_empty(&s->in_flight)) {
        struct http_exchange *ex =
            CONTAINER_OF(s->in_flight.next, struct http_exchange, link);
        struct http_conn *c = ex->conn;

        ex->conn = NULL;
        http_exchange_tell_gone(ex);
        if (c)
            c->exchange = NULL;
        else if (ex->native)
            evhttp_request_free(ex->native);
        http_exchange_destroy(ex);
    }
}

/* Those that evhttp would free without a word. */
static void drop_unattached(struct http_server *s)
{
    struct list *next;

    for (struct list *it = s->conns.next; it != &s->conns; it = next) {
        struct http_conn *c = CONTAINER_OF(it, struct http_conn, link);

        next = it->next;
        if (!c->evcon)
            http_conn_forget(c);
    }
}

void http_server_destroy(struct http_server *s)
{
    if (!s)
        return;
    http_server_unlisten(s);
    drop_in_flight(s);
    drop_unattached(s);
    s->bound = NULL; /* evhttp_free frees the listener */
    evhttp_free(s->evhttp);
    event_free(s->arrived);
    event_free(s->interest);
    loop_timer_clear(&s->sweep);
    if (s->draining)
        loop_timer_clear(&s->unlisten);
    http_exchange_free_spares(s);
    http_tls_unref(s->conf.tls);
    buf_fini(&s->lines);
    free((char *)(uintptr_t)s->conf.listen);
    free(s);
}
