// SPDX-License-Identifier: Apache-2.0
/*
 * Plain TCP and IPC are spoken by sp.c in the loop itself; the rest is NNG's (TLS,
 * inproc). NNG calls back on its threads: each call becomes an event posted to the loop.
 * The dial is freed with its last event, so an event always finds it.
 */
#include "kit/rpc/dial.h"

#include "kit/base/mem.h"
#include "kit/rpc/sp.h"
#include "kit/rpc/tls.h"

#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    SEND_MESSAGES = 4, /* NNG holds so many more while it writes one */
    RECONNECT_MIN_MS = 100,
    RECONNECT_MAX_MS = 2000,
};

struct rpc_dial {
    struct rpc_sp *sp; /* if so, nothing of what follows is used */
    struct loop *loop;
    const struct rpc_dial_ops *ops;
    void *arg;
    nng_socket socket;
    nng_dialer dialer;
    struct rpc_tls_user tls;
    nng_aio *receive, *send;
    atomic_uint refs;  /* the owner's, and one per event under way */
    atomic_uint inbox; /* weight of the messages among the events */
    atomic_bool paused;

    /* the loop's */
    uint32_t pipe;      /* the connection that is up; 0: none */
    uint32_t last_down; /* NNG may tell the end of a connection before its begin */
    uint32_t requests;
    bool closed;
};

enum event_kind { EVENT_UP, EVENT_DOWN, EVENT_MESSAGE, EVENT_SENT };

struct event {
    struct loop_post post;
    struct rpc_dial *dial;
    enum event_kind kind;
    uint32_t pipe;
    struct rpc_inbound *in;
    bool ok;
};

static void dial_unref(struct rpc_dial *d)
{
    if (atomic_fetch_sub(&d->refs, 1) == 1)
        free(d);
}

/* ---- in the loop ---------------------------------------------------------------------
 */

static void on_up(struct rpc_dial *d, struct event *e)
{
    if (e->pipe == d->last_down)
        return;
    d->pipe = e->pipe;
    d->ops->up(d->arg);
}

static void on_down(struct rpc_dial *d, struct event *e)
{
    d->last_down = e->pipe;
    if (d->pipe != e->pipe)
        return;
    d->pipe = 0;
    d->ops->down(d->arg);
}

static void on_message(struct rpc_dial *d, struct event *e)
{
    struct rpc_inbound *in = e->in;

    e->in = NULL;
    if (d->pipe == e->pipe)
        d->ops->message(d->arg, in);
    else
        rpc_inbound_drop(in);
}

static void on_sent(struct rpc_dial *d, struct event *e)
{
    d->ops->sent(d->arg, e->ok);
}

static void (*const HANDLERS[])(struct rpc_dial *, struct event *) = {
    [EVENT_UP] = on_up,
    [EVENT_DOWN] = on_down,
    [EVENT_MESSAGE] = on_message,
    [EVENT_SENT] = on_sent,
};

/* Whoever takes the mark reads on: the loop when it has caught up, or NNG's thread when
 * the loop did so just before the mark was set. */
static void read_on(struct rpc_dial *d)
{
    if (atomic_load(&d->inbox) <= RPC_INBOX_MAX / 2 && atomic_exchange(&d->paused, false))
        nng_recv_aio(d->socket, d->receive);
}

static void on_event(struct loop_post *p)
{
    struct event *e = CONTAINER_OF(p, struct event, post);
    struct rpc_dial *d = e->dial;

    if (e->in)
        atomic_fetch_sub(&d->inbox, e->in->weight);
    if (!d->closed) {
        HANDLERS[e->kind](d, e);
        if (!d->closed)
            read_on(d);
    }
    if (e->in)
        rpc_inbound_drop(e->in);
    free(e);
    dial_unref(d);
}

/* ---- in NNG's threads ------------------------------------------------------- */

static void post(struct rpc_dial *d, struct event from)
{
    struct event *e = MEM_NEW(struct event);

    *e = from;
    e->dial = d;
    e->post.fn = on_event;
    atomic_fetch_add(&d->refs, 1);
    loop_post(d->loop, &e->post);
}

static void on_pipe(nng_pipe pipe, nng_pipe_ev what, void *arg)
{
    enum event_kind kind = what == NNG_PIPE_EV_ADD_POST ? EVENT_UP : EVENT_DOWN;

    post(arg, (struct event){.kind = kind, .pipe = (uint32_t)nng_pipe_id(pipe)});
}

/* Reads on at once while the loop keeps up. */
static void on_receive(void *arg)
{
    struct rpc_dial *d = arg;
    struct rpc_inbound *in;
    nng_msg *msg;
    uint32_t pipe;
    bool full;

    if (nng_aio_result(d->receive) != 0)
        return; /* closed */
    msg = nng_aio_get_msg(d->receive);
    nng_aio_set_msg(d->receive, NULL);
    pipe = (uint32_t)nng_pipe_id(nng_msg_get_pipe(msg));
    in = rpc_inbound_create(msg);
    full = atomic_fetch_add(&d->inbox, in->weight) + in->weight >= RPC_INBOX_MAX;
    post(d, (struct event){.kind = EVENT_MESSAGE, .pipe = pipe, .in = in});
    if (!full) {
        nng_recv_aio(d->socket, d->receive);
        return;
    }
    atomic_store(&d->paused, true);
    read_on(d);
}

static void on_send(void *arg)
{
    struct rpc_dial *d = arg;
    bool ok = nng_aio_result(d->send) == 0;

    if (!ok) {
        nng_msg_free(nng_aio_get_msg(d->send));
        nng_aio_set_msg(d->send, NULL);
    }
    post(d, (struct event){.kind = EVENT_SENT, .ok = ok});
}

/* ---- sending -------------------------------------------------------------------------
 */

/* The first try makes no callback: in the common case NNG has room and that is all. */
enum rpc_sending rpc_dial_send(struct rpc_dial *d, struct str head, struct str frames)
{
    nng_msg *msg;

    if (d->sp)
        return rpc_sp_send(d->sp, head, frames);
    msg = rpc_message_create(head, frames);
    if (nng_msg_header_append_u32(msg, 0x80000000u | ++d->requests) != 0)
        mem_die("rpc: out of memory");
    if (nng_sendmsg(d->socket, msg, NNG_FLAG_NONBLOCK) == 0)
        return RPC_SEND_DONE;
    nng_aio_set_msg(d->send, msg);
    nng_send_aio(d->socket, d->send);
    return RPC_SEND_LATER;
}

void rpc_dial_unsend(struct rpc_dial *d)
{
    if (d->sp)
        rpc_sp_unsend(d->sp);
    else
        nng_aio_cancel(d->send);
}

void rpc_dial_break(struct rpc_dial *d)
{
    if (d->sp)
        rpc_sp_break(d->sp);
    else if (d->pipe)
        nng_pipe_close((nng_pipe){d->pipe});
}

/* ---- life ----------------------------------------------------------------------------
 */

static int open_socket(struct rpc_dial *d)
{
    int rv = nng_req0_open_raw(&d->socket);

    if (rv != 0)
        return rv;
    rv = rpc_socket_limits(d->socket, SEND_MESSAGES);
    if (rv == 0)
        rv = nng_socket_set_ms(d->socket, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
    if (rv == 0)
        rv = nng_socket_set_ms(d->socket, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
    if (rv == 0)
        rv = nng_pipe_notify(d->socket, NNG_PIPE_EV_ADD_POST, on_pipe, d);
    if (rv == 0)
        rv = nng_pipe_notify(d->socket, NNG_PIPE_EV_REM_POST, on_pipe, d);
    return rv;
}

static bool take_tls(struct rpc_tls_user *u, nng_tls_config *conf)
{
    struct rpc_dial *d = CONTAINER_OF(u, struct rpc_dial, tls);

    return nng_dialer_set_ptr(d->dialer, NNG_OPT_TLS_CONFIG, conf) == 0;
}

static int make(struct rpc_dial *d, const char *url)
{
    int rv = open_socket(d);

    if (rv == 0)
        rv = nng_aio_alloc(&d->receive, on_receive, d);
    if (rv == 0)
        rv = nng_aio_alloc(&d->send, on_send, d);
    if (rv == 0)
        rv = nng_dialer_create(&d->dialer, d->socket, url);
    return rv;
}

/* NULL or why not. */
static const char *start(struct rpc_dial *d, const char *url, const char *server_name)
{
    int rv = make(d, url);
    const char *why = NULL;

    if (rv == 0 && rpc_tls_is(url))
        why = rpc_tls_join(&d->tls, server_name);
    if (why)
        return why;
    if (rv == 0)
        rv = nng_dialer_start(d->dialer, NNG_FLAG_NONBLOCK);
    if (rv != 0)
        return nng_strerror(rv);
    nng_recv_aio(d->socket, d->receive);
    return NULL;
}

struct rpc_dial *rpc_dial_create(struct loop *l, const char *url, const char *server_name,
                                 const struct rpc_dial_ops *ops, void *arg,
                                 const char **why)
{
    struct rpc_dial *d = MEM_NEW(struct rpc_dial);

    d->sp = rpc_sp_create(l, url, ops, arg);
    if (d->sp)
        return d;
    d->loop = l;
    d->ops = ops;
    d->arg = arg;
    d->tls.take = take_tls;
    atomic_init(&d->refs, 1);
    *why = start(d, url, server_name);
    if (!*why)
        return d;
    rpc_dial_close(d);
    return NULL;
}

static void free_aio(nng_aio *aio)
{
    if (aio) {
        nng_aio_stop(aio);
        nng_aio_free(aio);
    }
}

/* Stopping the aios first: the closing socket waits for what they do. */
static void close_socket(struct rpc_dial *d)
{
    free_aio(d->receive);
    free_aio(d->send);
    rpc_tls_leave(&d->tls);
    if (d->socket.id)
        nng_close(d->socket);
    dial_unref(d);
}

static void close_sp(struct rpc_dial *d)
{
    rpc_sp_close(d->sp);
    free(d);
}

void rpc_dial_close(struct rpc_dial *d)
{
    if (!d)
        return;
    if (d->sp) {
        close_sp(d);
        return;
    }
    d->closed = true;
    close_socket(d);
}

/* ---- closing later ---------------------------------------------------------- */

static pthread_mutex_t closing_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t one_closed = PTHREAD_COND_INITIALIZER;
static unsigned closing;

static void *close_in_thread(void *arg)
{
    close_socket(arg);
    pthread_mutex_lock(&closing_lock);
    closing--;
    pthread_cond_broadcast(&one_closed);
    pthread_mutex_unlock(&closing_lock);
    return NULL;
}

/* A thread each: addresses vanish seldom. Without one it is done here. */
void rpc_dial_close_later(struct rpc_dial *d)
{
    pthread_t thread;

    if (!d || d->sp) {
        rpc_dial_close(d);
        return;
    }
    d->closed = true;
    pthread_mutex_lock(&closing_lock);
    closing++;
    pthread_mutex_unlock(&closing_lock);
    if (pthread_create(&thread, NULL, close_in_thread, d) == 0)
        pthread_detach(thread);
    else
        close_in_thread(d);
}

void rpc_dial_wait_closed(void)
{
    pthread_mutex_lock(&closing_lock);
    while (closing > 0)
        pthread_cond_wait(&one_closed, &closing_lock);
    pthread_mutex_unlock(&closing_lock);
}
