// SPDX-License-Identifier: Apache-2.0
/* One request and its response: what the handler holds, and how it survives its
 * connection. */
#include "kit/base/mem.h"
#include "kit/http/internal.h"

#include <stdlib.h>

static void work(struct loop_task *t);

/* With a head that is ready for its first byte. */
static struct http_exchange *take(struct http_server *s)
{
    struct list *spare = list_pop(&s->spare);
    struct http_exchange *ex;

    if (spare) {
        s->n_spare--;
        ex = CONTAINER_OF(spare, struct http_exchange, link);
        head_restart(&ex->head);
        return ex;
    }
    ex = mem_realloc(NULL, sizeof *ex);
    head_init(&ex->head, &s->limits);
    return ex;
}

/* An object and a buffer of two kilobytes each are more than malloc gives quickly. */
static void give(struct http_exchange *ex)
{
    struct http_server *s = ex->req.server;

    if (s->n_spare != HTTP_SPARE_MAX && head_is_small(&ex->head)) {
        s->n_spare++;
        list_push(&s->spare, &ex->link);
        return;
    }
    head_fini(&ex->head);
    free(ex);
}

void http_exchange_free_spares(struct http_server *s)
{
    struct list *it;

    while ((it = list_pop(&s->spare))) {
        struct http_exchange *ex = CONTAINER_OF(it, struct http_exchange, link);

        head_fini(&ex->head);
        free(ex);
    }
}

struct http_exchange *http_exchange_create(struct http_conn *c)
{
    struct http_exchange *ex = take(c->server);

    memset(ex, 0, offsetof(struct http_exchange, head));
    ex->conn = c;
    ex->req.server = c->server;
    ex->req.tls = c->tls != NULL;
    arena_init(&ex->req.arena);
    list_init(&ex->link);
    loop_task_init(&ex->task, work);
    return ex;
}

void http_exchange_destroy(struct http_exchange *ex)
{
    if (!list_empty(&ex->link)) {
        list_remove(&ex->link);
        ex->req.server->n_in_flight--;
        metric_add(ex->req.server->in_flight_metric, -1);
    }
    loop_task_cancel(&ex->task);
    http_exchange_uncharge(ex);
    if (ex->out)
        evbuffer_free(ex->out);
    arena_fini(&ex->req.arena);
    give(ex);
}

/* An IPv4 client of an IPv6 listener is the same client. */
static struct str peer_ip(struct http_exchange *ex)
{
    const struct str mapped = STR("::ffff:");
    char *address;
    uint16_t port;
    struct str ip;

    evhttp_connection_get_peer(ex->conn->evcon, &address, &port);
    ip = str_of(ex->conn->source[0] ? ex->conn->source : address);
    if (str_starts(ip, mapped) && memchr(ip.p, '.', ip.n))
        ip = (struct str){ip.p + mapped.n, ip.n - mapped.n};
    return arena_str(&ex->req.arena, ip);
}

static struct str take_body(struct evhttp_request *native)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(native);
    size_t n = evbuffer_get_length(in);

    return n > 0 ? (struct str){(const char *)evbuffer_pullup(in, -1), n} : STR("");
}

static void complete(struct evhttp_request *native, void *arg)
{
    struct http_exchange *ex = arg;

    (void)native;
    http_conn_resume(ex->conn);
    http_exchange_destroy(ex);
}

void http_exchange_enter(struct http_exchange *ex)
{
    struct http_server *s = ex->req.server;

    ex->req.client_ip = peer_ip(ex);
    list_push(&s->in_flight, &ex->link);
    s->n_in_flight++;
    metric_add(s->in_flight_metric, 1);
    if (!loop_timer_is_set(&s->sweep))
        loop_timer_set(&s->sweep, HTTP_SWEEP_MS);
}

void http_exchange_begin(struct http_exchange *ex)
{
    struct http_server *s = ex->req.server;

    if (ex->state == EXCHANGE_COMING)
        http_exchange_enter(ex);
    ex->state = EXCHANGE_HANDLING;
    ex->req.body = ex->native ? take_body(ex->native) : STR("");
    s->handler(s->arg, &ex->req);
}

void http_exchange_read(struct http_exchange *ex, struct evhttp_request *native)
{
    ex->native = native;
    evhttp_request_set_on_complete_cb(native, complete, ex);
    http_conn_keep_reading(ex->conn);
    if (ex->state != EXCHANGE_STREAMING)
        http_exchange_begin(ex);
}

/* Never within evhttp's call. */
void http_exchange_schedule(struct http_exchange *ex)
{
    loop_at_turn_end(ex->req.server->loop, &ex->task);
}

void http_exchange_tell_gone(struct http_exchange *ex)
{
    bool handlers = ex->state == EXCHANGE_ASKED || ex->state == EXCHANGE_HANDLING ||
                    (ex->state == EXCHANGE_STREAMING && !ex->ending);

    if (ex->told_gone || !handlers)
        return;
    ex->told_gone = true;
    if (ex->req.gone)
        ex->req.gone(&ex->req);
}

void http_exchange_orphan(struct http_exchange *ex)
{
    if (ex->state == EXCHANGE_COMING || ex->state == EXCHANGE_SENT) {
        http_exchange_destroy(ex);
        return;
    }
    ex->conn = NULL;
    if (ex->state == EXCHANGE_STREAMING)
        loop_soon(ex->req.server->loop, &ex->task);
    http_exchange_tell_gone(ex);
}

/* ---- replying ---- */

static void work(struct loop_task *t)
{
    struct http_exchange *ex = CONTAINER_OF(t, struct http_exchange, task);

    if (ex->state == EXCHANGE_OVER) {
        http_early_leave(ex);
        http_exchange_destroy(ex);
    } else if (ex->state == EXCHANGE_REPLYING) {
        http_answer_send(ex);
    } else if (ex->state == EXCHANGE_STREAMING) {
        http_stream_pump(ex);
    }
}
