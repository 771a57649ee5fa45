// SPDX-License-Identifier: Apache-2.0
/* One connection of the listener that speaks SP itself. */
#include "kit/rpc/sp_conn.h"

#include "kit/base/mem.h"
#include "kit/rpc/stats.h"

#include <stdlib.h>
#include <unistd.h>

enum { HELLO_MS = 10000 };

/* NNG ends a request's backtrace with this word and does not look at the rest. */
static const uint32_t REPLY_ID = 0x80000000U;

struct sp_conn {
    struct sp_lane *lane;
    struct list link;      /* in lane->conns */
    struct rpc_peer *peer; /* NULL until it has opened */
    int fd;                /* -1: over */
    struct loop_fd *watch;
    struct loop_timer hello; /* it has not said HELLO */
    struct loop_task tell;
    struct sp_reader reader;
    struct sp_writer writer;
};

static struct sp_listen *listen_of(const struct sp_conn *c)
{
    return c->lane->listen;
}

/* ---- ends ------------------------------------------------------------------- */

static void close_socket(struct sp_conn *c)
{
    loop_fd_destroy(c->watch);
    c->watch = NULL;
    close(c->fd);
    c->fd = -1;
    loop_timer_clear(&c->hello);
    sp_reader_reset(&c->reader);
    sp_writer_fini(&c->writer);
    sp_listen_left(c->lane);
}

static void free_conn(struct sp_conn *c)
{
    if (c->peer) {
        c->peer->conn = NULL;
        if (atomic_load(&c->peer->greeted))
            atomic_fetch_sub(&listen_of(c)->greeted, 1);
        rpc_peer_unref(c->peer);
    }
    loop_task_cancel(&c->tell);
    list_remove(&c->link);
    loop_free_later(c->lane->loop, free, c);
}

static void tell(struct loop_task *t)
{
    struct sp_conn *c = CONTAINER_OF(t, struct sp_conn, tell);

    if (c->peer)
        listen_of(c)->base.ops->gone(c->lane->arg, c->peer);
    free_conn(c);
}

void sp_conn_close(struct sp_conn *c)
{
    if (c->fd < 0)
        return;
    close_socket(c);
    loop_soon(c->lane->loop, &c->tell);
}

void sp_conns_drop(struct sp_lane *lane)
{
    while (!list_empty(&lane->conns)) {
        struct sp_conn *c = CONTAINER_OF(lane->conns.next, struct sp_conn, link);

        if (c->fd >= 0)
            close_socket(c);
        free_conn(c);
    }
}

void sp_conns_drain(struct sp_lane *lane)
{
    LIST_EACH (it, &lane->conns) {
        struct sp_conn *c = CONTAINER_OF(it, struct sp_conn, link);

        if (!c->peer)
            sp_conn_close(c);
        else if (c->fd >= 0)
            lane->listen->base.ops->drain(lane->arg, c->peer);
    }
}

/* ---- in --------------------------------------------------------------------- */

static void opened(void *arg)
{
    struct sp_conn *c = arg;

    c->peer = rpc_peer_create(&listen_of(c)->base, ++c->lane->named);
    c->peer->conn = c;
}

static void message(void *arg, struct rpc_inbound *in)
{
    struct sp_conn *c = arg;

    atomic_fetch_add(&c->peer->received, 1);
    listen_of(c)->base.ops->message(c->lane->arg, c->peer, in);
}

static void read_ready(struct sp_conn *c)
{
    static const struct sp_reader_ops ops = {.opened = opened, .message = message};
    enum sp_end end = sp_reader_run(&c->reader, &c->fd, &ops, c);

    if (end == SP_MALFORMED)
        rpc_stats_bad_frame();
    if (end != SP_GOES_ON)
        sp_conn_close(c);
}

/* ---- out -------------------------------------------------------------------- */

static void write_ready(struct sp_conn *c)
{
    switch (sp_writer_go_on(&c->writer, c->fd)) {
    case SP_WROTE:
        loop_fd_want(c->watch, LOOP_READ);
        listen_of(c)->base.ops->room(c->lane->arg, c->peer);
        break;
    case SP_WROTE_PART: break;
    case SP_WRITE_FAILED: sp_conn_close(c); break;
    }
}

static void on_ready(void *arg, int ready)
{
    struct sp_conn *c = arg;

    if (ready & LOOP_WRITE)
        write_ready(c);
    if (c->fd >= 0 && (ready & LOOP_READ))
        read_ready(c);
}

bool sp_conn_may_send(struct rpc_peer *p)
{
    return p->conn && p->conn->fd >= 0 && p->conn->writer.left.n == 0;
}

/* What the socket does not take waits in the writer: the message is on its way. */
bool sp_conn_send(struct rpc_peer *p, struct str head, struct str frames)
{
    struct sp_conn *c = p->conn;
    enum sp_wrote wrote = sp_writer_send(&c->writer, c->fd, REPLY_ID, head, frames);

    if (wrote == SP_WROTE_PART)
        loop_fd_want(c->watch, LOOP_READ | LOOP_WRITE);
    else if (wrote == SP_WRITE_FAILED)
        sp_conn_close(c);
    return true;
}

/* ---- life ------------------------------------------------------------------- */

static void on_silence(struct loop_timer *t)
{
    sp_conn_close(CONTAINER_OF(t, struct sp_conn, hello));
}

void sp_conn_greet(struct rpc_peer *p)
{
    loop_timer_clear(&p->conn->hello);
    atomic_fetch_add(&listen_of(p->conn)->greeted, 1);
}

void sp_conn_create(struct sp_lane *lane, int fd)
{
    struct sp_conn *c = MEM_NEW(struct sp_conn);
    bool ipc = lane->listen->ipc;

    c->lane = lane;
    c->fd = fd;
    c->reader = (struct sp_reader){.ipc = ipc, .peer = SP_REQ};
    sp_writer_init(&c->writer, ipc);
    list_init(&c->link);
    list_push(&lane->conns, &c->link);
    loop_task_init(&c->tell, tell);
    loop_timer_init(&c->hello, lane->loop, on_silence);
    loop_timer_set(&c->hello, HELLO_MS);
    c->watch = loop_fd_create(lane->loop, fd, on_ready, c);
    loop_fd_want(c->watch, LOOP_READ);
    sp_socket_options(fd, ipc);
    if (!sp_open(fd, SP_REP))
        sp_conn_close(c);
}
