// SPDX-License-Identifier: Apache-2.0
/*
 * A raw NNG REP socket. NNG calls back on its threads: each call becomes an event posted
 * to a lane's loop, under the lock, so that a lane which has left under the lock is never
 * posted to.
 */
#include "kit/rpc/listen.h"

#include "kit/base/mem.h"
#include "kit/rpc/tls.h"

#include <nng/protocol/reqrep0/rep.h>
#include <nng/supplemental/tls/tls.h>
#include <pthread.h>
#include <stdlib.h>

enum { SEND_MESSAGES = 256, PEER_BUCKETS = 256 };

struct lane {
    struct loop *loop; /* NULL: left */
    void *arg;
    atomic_uint inbox; /* weight of the messages on their way to it */
};

struct nng_listen {
    struct rpc_listen base;
    nng_socket socket;
    nng_listener listener;
    struct rpc_tls_user tls;
    nng_aio *receive;

    atomic_uint refs; /* the owner's, and one per event under way */

    pthread_mutex_t lock;
    struct list peers[PEER_BUCKETS]; /* by pipe */
    unsigned peers_n;
    struct lane lanes[RPC_LANES_MAX];
    int lanes_n, next_lane;
    bool draining, paused; /* paused: nothing is being received */
    atomic_bool listening;
};

enum event_kind { EVENT_MESSAGE, EVENT_GONE, EVENT_DRAIN, EVENT_CANCEL, EVENT_CREDIT };

struct event {
    struct loop_post post;
    struct nng_listen *listen;
    int lane;
    enum event_kind kind;
    struct rpc_peer *peer;
    struct rpc_inbound *in;
    uint32_t call, more;
};

static struct nng_listen *nng_of(struct rpc_listen *base)
{
    return CONTAINER_OF(base, struct nng_listen, base);
}

static void listen_unref(struct nng_listen *l)
{
    if (atomic_fetch_sub(&l->refs, 1) > 1)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* ---- peers ------------------------------------------------------------------ */

static struct list *bucket_of(struct nng_listen *l, uint32_t pipe)
{
    return &l->peers[pipe % PEER_BUCKETS];
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

/* ---- in the loops ----------------------------------------------------------- */

static void read_on(struct nng_listen *l, struct lane *lane)
{
    bool resume;

    if (atomic_load(&lane->inbox) > RPC_INBOX_MAX / 2)
        return;
    pthread_mutex_lock(&l->lock);
    resume = l->paused;
    l->paused = false;
    pthread_mutex_unlock(&l->lock);
    if (resume)
        nng_recv_aio(l->socket, l->receive);
}

static void on_message(struct nng_listen *l, struct lane *lane, struct event *e)
{
    unsigned weight = e->in->weight;

    l->base.ops->message(lane->arg, e->peer, e->in);
    e->in = NULL;
    if (atomic_fetch_sub(&lane->inbox, weight) >= RPC_INBOX_MAX / 2)
        read_on(l, lane);
}

static void on_gone(struct nng_listen *l, struct lane *lane, struct event *e)
{
    l->base.ops->gone(lane->arg, e->peer);
}

static void on_drain(struct nng_listen *l, struct lane *lane, struct event *e)
{
    l->base.ops->drain(lane->arg, e->peer);
}

static void on_cancel(struct nng_listen *l, struct lane *lane, struct event *e)
{
    l->base.ops->cancel(lane->arg, e->peer, e->call);
}

static void on_credit(struct nng_listen *l, struct lane *lane, struct event *e)
{
    l->base.ops->credit(lane->arg, e->peer, e->call, e->more);
}

static void (*const HANDLERS[])(struct nng_listen *, struct lane *, struct event *) = {
    [EVENT_MESSAGE] = on_message, [EVENT_GONE] = on_gone,     [EVENT_DRAIN] = on_drain,
    [EVENT_CANCEL] = on_cancel,   [EVENT_CREDIT] = on_credit,
};

static void on_event(struct loop_post *post)
{
    struct event *e = CONTAINER_OF(post, struct event, post);
    struct nng_listen *l = e->listen;
    struct lane *lane = &l->lanes[e->lane];

    if (lane->loop)
        HANDLERS[e->kind](l, lane, e);
    if (e->in)
        rpc_inbound_drop(e->in);
    rpc_peer_unref(e->peer);
    listen_unref(l);
    free(e);
}

/* ---- in NNG's threads; under the lock --------------------------------------- */

static void post(struct nng_listen *l, int lane, struct event from)
{
    struct event *e = MEM_NEW(struct event);

    *e = from;
    e->post.fn = on_event;
    e->listen = l;
    e->lane = lane;
    rpc_peer_ref(e->peer);
    atomic_fetch_add(&l->refs, 1);
    loop_post(l->lanes[lane].loop, &e->post);
}

/* The next lane that has room, or the next at all; -1 when none is open. */
static int choose_lane(struct nng_listen *l)
{
    int any = -1;

    for (int i = 0; i < l->lanes_n; i++) {
        int lane = (l->next_lane + i) % l->lanes_n;

        if (!l->lanes[lane].loop)
            continue;
        if (any < 0)
            any = lane;
        if (atomic_load(&l->lanes[lane].inbox) < RPC_INBOX_MAX) {
            any = lane;
            break;
        }
    }
    l->next_lane = any + 1;
    return any;
}

/* False: no lane has room for another message. */
static bool has_room(const struct nng_listen *l)
{
    for (int i = 0; i < l->lanes_n; i++)
        if (l->lanes[i].loop && atomic_load(&l->lanes[i].inbox) < RPC_INBOX_MAX)
            return true;
    return false;
}

/* Returns whether to read on. Without a lane the message is lost, as its connection is.
 */
static bool deliver(struct nng_listen *l, nng_msg *msg)
{
    struct rpc_peer *peer = peer_find(l, (uint32_t)nng_pipe_id(nng_msg_get_pipe(msg)));
    int lane = peer ? choose_lane(l) : -1;
    struct rpc_inbound *in;

    if (lane < 0) {
        nng_msg_free(msg);
    } else {
        in = rpc_inbound_create(msg);
        atomic_fetch_add(&peer->received, 1);
        atomic_fetch_add(&l->lanes[lane].inbox, in->weight);
        post(l, lane, (struct event){.kind = EVENT_MESSAGE, .peer = peer, .in = in});
    }
    l->paused = !has_room(l);
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

static void post_to_all_but(struct nng_listen *l, int but, struct event e)
{
    for (int i = 0; i < l->lanes_n; i++)
        if (i != but && l->lanes[i].loop)
            post(l, i, e);
}

static void remove_peer(struct nng_listen *l, nng_pipe pipe)
{
    struct rpc_peer *p = peer_find(l, (uint32_t)nng_pipe_id(pipe));

    if (!p)
        return;
    list_remove(&p->link);
    l->peers_n--;
    post_to_all_but(l, -1, (struct event){.kind = EVENT_GONE, .peer = p});
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

/* The index is there before anything can be posted to the lane. */
static void join(struct rpc_listen *base, struct loop *loop, void *arg, int *lane)
{
    struct nng_listen *l = nng_of(base);
    bool first;

    pthread_mutex_lock(&l->lock);
    if (l->lanes_n == RPC_LANES_MAX)
        mem_die("rpc: more than %d loops", RPC_LANES_MAX);
    first = l->lanes_n == 0;
    *lane = l->lanes_n++;
    l->lanes[*lane].arg = arg;
    l->lanes[*lane].loop = loop;
    pthread_mutex_unlock(&l->lock);
    if (first)
        nng_recv_aio(l->socket, l->receive);
}

static void leave(struct rpc_listen *base, int lane)
{
    struct nng_listen *l = nng_of(base);

    pthread_mutex_lock(&l->lock);
    l->lanes[lane].loop = NULL;
    pthread_mutex_unlock(&l->lock);
}

static void tell_others(struct nng_listen *l, int from, struct event e)
{
    pthread_mutex_lock(&l->lock);
    post_to_all_but(l, from, e);
    pthread_mutex_unlock(&l->lock);
}

static void cancel(struct rpc_listen *base, int from, struct rpc_peer *p, uint32_t call)
{
    tell_others(nng_of(base), from,
                (struct event){.kind = EVENT_CANCEL, .peer = p, .call = call});
}

static void credit(struct rpc_listen *base, int from, struct rpc_peer *p, uint32_t call,
                   uint32_t more)
{
    struct event e = {.kind = EVENT_CREDIT, .peer = p, .call = call, .more = more};

    tell_others(nng_of(base), from, e);
}

static void drain_bucket(struct nng_listen *l, int lane, struct list *bucket)
{
    LIST_EACH (it, bucket) {
        struct rpc_peer *p = CONTAINER_OF(it, struct rpc_peer, link);

        post(l, lane, (struct event){.kind = EVENT_DRAIN, .peer = p});
    }
}

/* One lane tells them all: it happens once. */
static void drain(struct rpc_listen *base)
{
    struct nng_listen *l = nng_of(base);
    int lane;

    pthread_mutex_lock(&l->lock);
    lane = l->draining ? -1 : choose_lane(l);
    l->draining = true;
    for (int i = 0; i < PEER_BUCKETS && lane >= 0; i++)
        drain_bucket(l, lane, &l->peers[i]);
    pthread_mutex_unlock(&l->lock);
}

static unsigned greeted(struct rpc_listen *base)
{
    struct nng_listen *l = nng_of(base);
    unsigned n = 0;

    pthread_mutex_lock(&l->lock);
    for (int i = 0; i < PEER_BUCKETS; i++)
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
    for (int i = 0; i < PEER_BUCKETS; i++)
        while ((it = list_pop(&l->peers[i])))
            rpc_peer_unref(CONTAINER_OF(it, struct rpc_peer, link));
    listen_unref(l);
}

static const struct rpc_listen_kind KIND = {
    .destroy = destroy,
    .join = join,
    .leave = leave,
    .drain = drain,
    .cancel = cancel,
    .credit = credit,
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
    for (int i = 0; i < PEER_BUCKETS; i++)
        list_init(&l->peers[i]);
    pthread_mutex_init(&l->lock, NULL);
    *why = start(l, url);
    if (!*why)
        return &l->base;
    destroy(&l->base);
    return NULL;
}
