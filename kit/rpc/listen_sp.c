// SPDX-License-Identifier: Apache-2.0
/*
 * The listener that speaks SP itself. All lanes wait for the port; whichever accepts a
 * connection hands it to the lane with the fewest. That is seldom: connections stay.
 */
#include "kit/base/mem.h"
#include "kit/rpc/sp_address.h"
#include "kit/rpc/sp_conn.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

enum { ACCEPTS_A_TURN = 32, CALM_MS = 100 };

/* A connection on its way to its lane. */
struct handed {
    struct loop_post post;
    struct sp_lane *lane;
    int fd;
};

static struct sp_listen *sp_of(struct rpc_listen *base)
{
    return CONTAINER_OF(base, struct sp_listen, base);
}

static void listen_unref(struct sp_listen *l)
{
    if (atomic_fetch_sub(&l->refs, 1) > 1)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* ---- dealing out ------------------------------------------------------------ */

static void left_locked(struct sp_lane *lane)
{
    lane->load--;
    lane->listen->load--;
}

void sp_listen_left(struct sp_lane *lane)
{
    pthread_mutex_lock(&lane->listen->lock);
    left_locked(lane);
    pthread_mutex_unlock(&lane->listen->lock);
}

static void on_handed(struct loop_post *post)
{
    struct handed *h = CONTAINER_OF(post, struct handed, post);
    struct sp_lane *lane = h->lane;

    if (lane->loop && lane->port) {
        sp_conn_create(lane, h->fd);
    } else {
        close(h->fd);
        sp_listen_left(lane);
    }
    listen_unref(lane->listen);
    free(h);
}

/* Under the lock. */
static void hand_over(struct sp_lane *lane, int fd)
{
    struct handed *h = MEM_NEW(struct handed);

    h->post.fn = on_handed;
    h->lane = lane;
    h->fd = fd;
    atomic_fetch_add(&lane->listen->refs, 1);
    loop_post(lane->loop, &h->post);
}

/* Under the lock; NULL: there is no room. */
static struct sp_lane *choose(struct sp_listen *l)
{
    struct sp_lane *least = NULL;

    if (l->draining || l->load >= RPC_PEERS_MAX)
        return NULL;
    for (int i = 0; i < l->lanes_n; i++)
        if (l->lanes[i].loop && (!least || l->lanes[i].load < least->load))
            least = &l->lanes[i];
    return least;
}

static void deal(struct sp_lane *own, int fd)
{
    struct sp_listen *l = own->listen;
    struct sp_lane *to;

    pthread_mutex_lock(&l->lock);
    to = choose(l);
    if (to) {
        to->load++;
        l->load++;
    }
    if (to && to != own)
        hand_over(to, fd);
    pthread_mutex_unlock(&l->lock);
    if (!to)
        close(fd);
    else if (to == own)
        sp_conn_create(own, fd);
}

/* Not the peer's end before it was taken, but ours: waiting on would spin. */
static bool must_calm(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_port(void *arg, int ready)
{
    struct sp_lane *lane = arg;

    (void)ready;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        int fd = accept4(lane->listen->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            deal(lane, fd);
            continue;
        }
        if (must_calm(errno)) {
            loop_fd_want(lane->port, 0);
            loop_timer_set(&lane->calm, CALM_MS);
        }
        return;
    }
}

static void on_calm(struct loop_timer *t)
{
    loop_fd_want(CONTAINER_OF(t, struct sp_lane, calm)->port, LOOP_READ);
}

/* ---- lanes ------------------------------------------------------------------ */

static void stop_accepting(struct sp_lane *lane)
{
    loop_fd_destroy(lane->port);
    lane->port = NULL;
    loop_timer_clear(&lane->calm);
}

static void on_drain(struct loop_post *post)
{
    struct sp_lane *lane = CONTAINER_OF(post, struct sp_lane, drain);

    if (lane->loop) {
        stop_accepting(lane);
        sp_conns_drain(lane);
    }
    listen_unref(lane->listen);
}

static void join(struct rpc_listen *base, struct loop *loop, void *arg, int *index)
{
    struct sp_listen *l = sp_of(base);
    struct sp_lane *lane;

    pthread_mutex_lock(&l->lock);
    if (l->lanes_n == RPC_LANES_MAX)
        mem_die("rpc: more than %d loops", RPC_LANES_MAX);
    *index = l->lanes_n;
    lane = &l->lanes[l->lanes_n++];
    lane->listen = l;
    lane->arg = arg;
    lane->drain.fn = on_drain;
    list_init(&lane->conns);
    loop_timer_init(&lane->calm, loop, on_calm);
    lane->loop = loop;
    if (!l->draining) {
        lane->port = loop_fd_create(loop, l->fd, on_port, lane);
        loop_fd_want(lane->port, LOOP_READ);
    }
    pthread_mutex_unlock(&l->lock);
}

static void leave(struct rpc_listen *base, int index)
{
    struct sp_listen *l = sp_of(base);
    struct sp_lane *lane = &l->lanes[index];

    stop_accepting(lane);
    sp_conns_drop(lane);
    pthread_mutex_lock(&l->lock);
    lane->loop = NULL;
    pthread_mutex_unlock(&l->lock);
}

/* From now on callers are refused at once and go elsewhere. The descriptor stays: lanes
 * still have it among what they wait for. */
static void shut_port(struct sp_listen *l)
{
    if (l->ipc && !l->draining)
        unlink(l->path);
    shutdown(l->fd, SHUT_RD);
    l->draining = true;
}

static void drain(struct rpc_listen *base)
{
    struct sp_listen *l = sp_of(base);
    bool first;

    pthread_mutex_lock(&l->lock);
    first = !l->draining;
    shut_port(l);
    for (int i = 0; i < l->lanes_n && first; i++) {
        if (!l->lanes[i].loop)
            continue;
        atomic_fetch_add(&l->refs, 1);
        loop_post(l->lanes[i].loop, &l->lanes[i].drain);
    }
    pthread_mutex_unlock(&l->lock);
}

static unsigned greeted(struct rpc_listen *base)
{
    return atomic_load(&sp_of(base)->greeted);
}

static void close_peer(struct rpc_peer *p)
{
    if (p->conn)
        sp_conn_close(p->conn);
}

/* ---- the port --------------------------------------------------------------- */

/* NULL or why not. */
static const char *bind_to(struct sp_listen *l, const struct sockaddr *at, socklen_t len)
{
    const int on = 1;

    l->fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return strerrordesc_np(errno);
    if (!l->ipc)
        setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return bind(l->fd, at, len) < 0 ? strerrordesc_np(errno) : NULL;
}

/* A name that nobody answers at: left by a process that was killed. */
static bool is_stale(const struct sockaddr *at, socklen_t len)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool refused = fd >= 0 && connect(fd, at, len) < 0 && errno == ECONNREFUSED;

    if (fd >= 0)
        close(fd);
    return refused;
}

static const char *bind_ipc(struct sp_listen *l)
{
    struct sp_address at;
    const struct sockaddr *to = (const struct sockaddr *)&at.to;
    const char *why;

    if (!sp_address_parse(l->base.url, &at))
        return "the path is too long or missing";
    why = bind_to(l, to, at.len);
    if (!why || errno != EADDRINUSE || !is_stale(to, at.len))
        return why;
    close(l->fd);
    unlink(l->path);
    return bind_to(l, to, at.len);
}

/* HOST:PORT as NNG reads it: nothing and * are all addresses, of a name it is the first.
 */
static const char *bind_tcp(struct sp_listen *l, const char *at)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    const char *colon = strrchr(at, ':');
    char host[NI_MAXHOST] = "";
    struct addrinfo *found;
    size_t n = colon ? (size_t)(colon - at) : 0;
    const char *why;
    int rv;

    if (!colon || n >= sizeof host)
        return "it is not HOST:PORT";
    if (n > 1 && at[0] == '[' && at[n - 1] == ']')
        memcpy(host, at + 1, n - 2);
    else if (n != 1 || at[0] != '*')
        memcpy(host, at, n);
    rv = getaddrinfo(*host ? host : NULL, colon + 1, &hints, &found);
    if (rv != 0)
        return gai_strerror(rv);
    why = bind_to(l, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return why;
}

static int bound_port(const struct sp_listen *l)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    char port[NI_MAXSERV];

    if (l->ipc || getsockname(l->fd, (struct sockaddr *)&at, &len) < 0 ||
        getnameinfo((struct sockaddr *)&at, len, NULL, 0, port, sizeof port,
                    NI_NUMERICSERV) != 0)
        return 0;
    return (int)strtol(port, NULL, 10);
}

static const char *start(struct sp_listen *l, const char *url)
{
    const size_t scheme = strlen("tcp://"); /* or ipc:// */
    const char *why;

    rpc_listen_name(&l->base, url, 0);
    l->path = l->base.url + scheme;
    why = l->ipc ? bind_ipc(l) : bind_tcp(l, url + scheme);
    if (why)
        return why;
    if (l->fd < 0 || listen(l->fd, SOMAXCONN) < 0)
        return strerrordesc_np(errno);
    rpc_listen_name(&l->base, url, bound_port(l));
    return NULL;
}

/* ---- life ------------------------------------------------------------------- */

static void destroy(struct rpc_listen *base)
{
    struct sp_listen *l = sp_of(base);

    shut_port(l);
    if (l->fd >= 0)
        close(l->fd);
    listen_unref(l);
}

static const struct rpc_listen_kind KIND = {
    .destroy = destroy,
    .join = join,
    .leave = leave,
    .drain = drain,
    .greeted = greeted,
    .greet = sp_conn_greet,
    .close = close_peer,
    .may_send = sp_conn_may_send,
    .send = sp_conn_send,
};

struct rpc_listen *rpc_listen_sp(const char *url, const struct rpc_listen_ops *ops,
                                 const char **why)
{
    bool ipc = str_starts(str_of(url), STR("ipc://"));
    struct sp_listen *l;

    if (!ipc && !str_starts(str_of(url), STR("tcp://")))
        return NULL;
    l = MEM_NEW(struct sp_listen);
    l->base.kind = &KIND;
    l->base.ops = ops;
    l->ipc = ipc;
    l->fd = -1;
    atomic_init(&l->refs, 1);
    pthread_mutex_init(&l->lock, NULL);
    *why = start(l, url);
    if (!*why)
        return &l->base;
    l->draining = true; /* the path is not ours */
    destroy(&l->base);
    return NULL;
}
