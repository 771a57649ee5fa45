// SPDX-License-Identifier: Apache-2.0
/* A raw NNG REP socket: its life, its connections, and what NNG's threads call. */
#include "kit/rpc/listen_nng.h"

#include "kit/base/mem.h"

#include <nng/protocol/reqrep0/rep.h>
#include <nng/supplemental/tls/tls.h>
#include <stdlib.h>

enum { SEND_MESSAGES = 256 };

void nng_listen_unref(struct nng_listen *l)
{
    if (atomic_fetch_sub(&l->refs, 1) > 1)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* ---- peers ------------------------------------------------------------------ */

static struct list *bucket_of(struct nng_listen *l, uint32_t pipe)
{
    return &l->peers[pipe % NNG_PEER_BUCKETS];
}

static struct rpc_peer *peer_find(struct nng_listen *l, uint32_t pipe)
{
    LIST_EACH (it, bucket_of(l, pipe)) {
        struct rpc_peer *p = CONTAINER_OF(it, struct rpc_peer, link);

        if (p->pipe == pipe)
            return p;
    }
    return NULL;
}

/* ---- in NNG's threads; under the lock --------------------------------------- */

/* Returns whether to read on. Without a lane the message is lost, as its connection is.
 */
static bool deliver(struct nng_listen *l, nng_msg *msg)
{
    struct rpc_peer *peer = peer_find(l, (uint32_t)nng_pipe_id(nng_msg_get_pipe(msg)));
    int lane = peer ? nng_lanes_choose(l) : -1;
    struct rpc_inbound *in;

    if (lane < 0) {
        nng_msg_free(msg);
    } else {
        in = rpc_inbound_create(msg);
        atomic_fetch_add(&peer->received, 1);
        atomic_fetch_add(&l->lanes[lane].inbox, in->weight);
        nng_lanes_post(
            l, lane,
            (struct nng_event){.kind = NNG_EVENT_MESSAGE, .peer = peer, .in = in});
    }
    l->paused = !nng_lanes_have_room(l);
    return !l->paused;
}

static void on_receive(void *arg)
{
    struct nng_listen *l = arg;
    nng_msg *msg;
    bool more;

    if (nng_aio_result(l->receive) != 0)
        return; /* closed */
    msg = nng_aio_get_msg(l->receive);
    nng_aio_set_msg(l->receive, NULL);
    pthread_mutex_lock(&l->lock);
    more = deliver(l, msg);
    pthread_mutex_unlock(&l->lock);
    if (more)
        nng_recv_aio(l->socket, l->receive);
}

static void add_peer(struct nng_listen *l, nng_pipe pipe)
{
    struct rpc_peer *p;

    if (l->draining || l->peers_n == RPC_PEERS_MAX) {
        nng_pipe_close(pipe);
        return;
    }
    p = rpc_peer_create(&l->base, (uint32_t)nng_pipe_id(pipe));
    list_push(bucket_of(l, p->pipe), &p->link);
    l->peers_n++;
}

static void remove_peer(struct nng_listen *l, nng_pipe pipe)
{
    struct rpc_peer *p = peer_find(l, (uint32_t)nng_pipe_id(pipe));

    if (!p)
        return;
    list_remove(&p->link);
    l->peers_n--;
    nng_lanes_post_to_all_but(l, -1,
                              (struct nng_event){.kind = NNG_EVENT_GONE, .peer = p});
    rpc_peer_unref(p);
}

static void on_pipe(nng_pipe pipe, nng_pipe_ev what, void *arg)
{
    struct nng_listen *l = arg;

    pthread_mutex_lock(&l->lock);
    if (what == NNG_PIPE_EV_ADD_PRE)
        add_peer(l, pipe);
    else
        remove_peer(l, pipe);
    pthread_mutex_unlock(&l->lock);
}

/* ---- lanes ------------------------------------------------------------------ */

static void drain_bucket(struct nng_listen *l, int lane, struct list *bucket)
{
    LIST_EACH (it, bucket) {
        struct rpc_peer *p = CONTAINER_OF(it, struct rpc_peer, link);

        nng_lanes_post(l, lane, (struct nng_event){.kind = NNG_EVENT_DRAIN, .peer = p});
    }
}

/* One lane tells them all: it happens once. */
static void drain(struct rpc_listen *base)
{
    struct nng_listen *l = nng_of(base);
    int lane;

    pthread_mutex_lock(&l->lock);
    lane = l->draining ? -1 : nng_lanes_choose(l);
    l->draining = true;
    for (int i = 0; i < NNG_PEER_BUCKETS && lane >= 0; i++)
        drain_bucket(l, lane, &l->peers[i]);
    pthread_mutex_unlock(&l->lock);
}

static unsigned greeted(struct rpc_listen *base)
{
    struct nng_listen *l = nng_of(base);
    unsigned n = 0;

    pthread_mutex_lock(&l->lock);
    for (int i = 0; i < NNG_PEER_BUCKETS; i++)
        LIST_EACH (it, &l->peers[i])
            n += atomic_load(&CONTAINER_OF(it, struct rpc_peer, link)->greeted);
    pthread_mutex_unlock(&l->lock);
    return n;
}

static void close_peer(struct rpc_peer *p)
{
    nng_pipe_close((nng_pipe){p->pipe});
}

static bool may_send(struct rpc_peer *p)
{
    unsigned sent = atomic_load(&p->sent);

    do {
        if (sent - atomic_load(&p->confirmed) >= RPC_UNCONFIRMED_MAX)
            return false;
    } while (!atomic_compare_exchange_weak(&p->sent, &sent, sent + 1));
    return true;
}

/* The header's first word names the connection, the second one ends NNG's backtrace. */
static bool send_message(struct rpc_peer *p, struct str head, struct str frames)
{
    const struct nng_listen *l = nng_of(p->listen);
    nng_msg *msg = rpc_message_create(head, frames);

    if (nng_msg_header_append_u32(msg, p->pipe) != 0 ||
        nng_msg_header_append_u32(msg, 0x80000000u) != 0)
        mem_die("rpc: out of memory");
    if (nng_sendmsg(l->socket, msg, NNG_FLAG_NONBLOCK) == 0)
        return true;
    atomic_fetch_sub(&p->sent, 1);
    nng_msg_free(msg);
    return false;
}

/* ---- life ------------------------------------------------------------------- */

static int open_socket(struct nng_listen *l)
{
    int rv = nng_rep0_open_raw(&l->socket);

    if (rv != 0)
        return rv;
    rv = rpc_socket_limits(l->socket, SEND_MESSAGES);
    if (rv == 0)
        rv = nng_pipe_notify(l->socket, NNG_PIPE_EV_ADD_PRE, on_pipe, l);
    if (rv == 0)
        rv = nng_pipe_notify(l->socket, NNG_PIPE_EV_REM_POST, on_pipe, l);
    if (rv == 0)
        rv = nng_aio_alloc(&l->receive, on_receive, l);
    return rv;
}

static void name_url(struct nng_listen *l, const char *url)
{
    int port = 0;

    if (nng_listener_get_int(l->listener, NNG_OPT_TCP_BOUND_PORT, &port) != 0)
        port = 0;
    rpc_listen_name(&l->base, url, port);
}

static bool take_tls(struct rpc_tls_user *u, nng_tls_config *conf)
{
    struct nng_listen *l = CONTAINER_OF(u, struct nng_listen, tls);

    if (nng_listener_set_ptr(l->listener, NNG_OPT_TLS_CONFIG, conf) != 0)
        return false;
    if (l->listening)
        rpc_tls_pass_next(l->listener);
    return true;
}

/* NULL or why not. */
static const char *start(struct nng_listen *l, const char *url)
{
    int rv = open_socket(l);
    const char *why = NULL;

    if (rv == 0)
        rv = nng_listener_create(&l->listener, l->socket, url);
    if (rv == 0 && rpc_tls_is(url))
        why = rpc_tls_join(&l->tls, NULL);
    if (why)
        return why;
    if (rv == 0)
        rv = nng_listener_start(l->listener, 0);
    if (rv != 0)
        return nng_strerror(rv);
    l->listening = true;
    name_url(l, url);
    return NULL;
}

static void destroy(struct rpc_listen *base)
{
    struct nng_listen *l = nng_of(base);
    struct list *it;

    if (l->receive) {
        nng_aio_stop(l->receive);
        nng_aio_free(l->receive);
    }
    rpc_tls_leave(&l->tls);
    if (l->socket.id)
        nng_close(l->socket);
    for (int i = 0; i < NNG_PEER_BUCKETS; i++)
        while ((it = list_pop(&l->peers[i])))
            rpc_peer_unref(CONTAINER_OF(it, struct rpc_peer, link));
    nng_listen_unref(l);
}

static const struct rpc_listen_kind KIND = {
    .destroy = destroy,
    .join = nng_lanes_join,
    .leave = nng_lanes_leave,
    .drain = drain,
    .cancel = nng_lanes_cancel,
    .credit = nng_lanes_credit,
    .greeted = greeted,
    .close = close_peer,
    .may_send = may_send,
    .send = send_message,
};

struct rpc_listen *rpc_listen_nng(const char *url, const struct rpc_listen_ops *ops,
                                  const char **why)
{
    struct nng_listen *l = MEM_NEW(struct nng_listen);

    l->base.kind = &KIND;
    l->base.ops = ops;
    l->tls.take = take_tls;
    atomic_init(&l->refs, 1);
    for (int i = 0; i < NNG_PEER_BUCKETS; i++)
        list_init(&l->peers[i]);
    pthread_mutex_init(&l->lock, NULL);
    *why = start(l, url);
    if (!*why)
        return &l->base;
    destroy(&l->base);
    return NULL;
}
