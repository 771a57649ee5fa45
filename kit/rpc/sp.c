// SPDX-License-Identifier: Apache-2.0
/* One connection after the other: what dial.h promises, on a socket of the loop. */
#include "kit/rpc/sp.h"

#include "kit/base/mem.h"
#include "kit/rpc/sp_address.h"
#include "kit/rpc/sp_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    AGAIN_MIN_MS = 100,
    AGAIN_MAX_MS = 2000,
    CONNECT_MS = 10000, /* also for the other side's opening */
};

enum state { WAITING, CONNECTING, OPEN };

struct rpc_sp {
    struct loop *loop;
    const struct rpc_dial_ops *ops;
    void *arg;
    struct sp_address address;
    enum state state;
    bool up; /* ops->up was called, ops->down was not */
    bool closed, unsent;
    int fd; /* -1: none */
    struct loop_fd *watch;
    struct loop_timer timer; /* dial again, or give up connecting */
    struct loop_task tell;
    int64_t again_ms;
    uint32_t requests;
    struct sp_reader reader;
    struct sp_writer writer;
};

/* ---- ends ------------------------------------------------------------------- */

static void close_socket(struct rpc_sp *s)
{
    loop_fd_destroy(s->watch);
    s->watch = NULL;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    s->state = WAITING;
    sp_reader_reset(&s->reader);
    sp_writer_reset(&s->writer);
}

/* The handlers hear of it in the next turn. */
static void lose(struct rpc_sp *s)
{
    close_socket(s);
    loop_timer_set(&s->timer, s->again_ms);
    s->again_ms = 2 * s->again_ms < AGAIN_MAX_MS ? 2 * s->again_ms : AGAIN_MAX_MS;
    loop_soon(s->loop, &s->tell);
}

/* A message that was not written whole cannot be executed. */
static void tell(struct loop_task *t)
{
    struct rpc_sp *s = CONTAINER_OF(t, struct rpc_sp, tell);

    if (s->up && s->fd < 0) {
        s->up = false;
        s->ops->down(s->arg);
    }
    if (s->closed || !s->unsent)
        return;
    s->unsent = false;
    sp_writer_reset(&s->writer);
    s->ops->sent(s->arg, false);
}

/* ---- in --------------------------------------------------------------------- */

static void opened(void *arg)
{
    struct rpc_sp *s = arg;

    loop_timer_clear(&s->timer);
    s->again_ms = AGAIN_MIN_MS;
    s->up = true;
    s->ops->up(s->arg);
}

static void message(void *arg, struct rpc_inbound *in)
{
    struct rpc_sp *s = arg;

    s->ops->message(s->arg, in);
}

static void read_ready(struct rpc_sp *s)
{
    static const struct sp_reader_ops ops = {.opened = opened, .message = message};

    if (sp_reader_run(&s->reader, &s->fd, &ops, s) != SP_GOES_ON && s->fd >= 0)
        lose(s);
}

/* ---- out -------------------------------------------------------------------- */

static void write_ready(struct rpc_sp *s)
{
    switch (sp_writer_go_on(&s->writer, s->fd)) {
    case SP_WROTE:
        loop_fd_want(s->watch, LOOP_READ);
        s->ops->sent(s->arg, true);
        break;
    case SP_WROTE_PART: break;
    case SP_WRITE_FAILED: lose(s); break;
    }
}

/* Without a socket its end is about to be told. */
enum rpc_sending rpc_sp_send(struct rpc_sp *s, struct str head, struct str frames)
{
    enum sp_wrote wrote = SP_WRITE_FAILED;

    if (s->fd < 0)
        return RPC_SEND_LATER;
    wrote = sp_writer_send(&s->writer, s->fd, 0x80000000U | ++s->requests, head, frames);
    if (wrote == SP_WROTE)
        return RPC_SEND_DONE;
    if (wrote == SP_WROTE_PART)
        loop_fd_want(s->watch, LOOP_READ | LOOP_WRITE);
    else
        lose(s);
    return RPC_SEND_LATER;
}

void rpc_sp_unsend(struct rpc_sp *s)
{
    s->unsent = true;
    loop_soon(s->loop, &s->tell);
}

/* ---- connecting ------------------------------------------------------------- */

static void connected(struct rpc_sp *s)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error ||
        !sp_open(s->fd, SP_REQ)) {
        lose(s);
        return;
    }
    sp_socket_options(s->fd, s->address.ipc);
    s->state = OPEN;
    loop_fd_want(s->watch, LOOP_READ);
}

static void on_ready(void *arg, int ready)
{
    struct rpc_sp *s = arg;

    if (s->state == CONNECTING) {
        connected(s);
        return;
    }
    if (s->writer.left.n && (ready & LOOP_WRITE))
        write_ready(s);
    if (s->fd >= 0 && (ready & LOOP_READ))
        read_ready(s);
}

static void dial(struct rpc_sp *s)
{
    const struct sockaddr *to = (const struct sockaddr *)&s->address.to;

    s->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || (connect(s->fd, to, s->address.len) < 0 && errno != EINPROGRESS)) {
        lose(s);
        return;
    }
    s->state = CONNECTING;
    s->watch = loop_fd_create(s->loop, s->fd, on_ready, s);
    loop_fd_want(s->watch, LOOP_WRITE);
    loop_timer_set(&s->timer, CONNECT_MS);
}

static void on_timer(struct loop_timer *t)
{
    struct rpc_sp *s = CONTAINER_OF(t, struct rpc_sp, timer);

    if (s->state == WAITING)
        dial(s);
    else
        lose(s);
}

/* ---- life ------------------------------------------------------------------- */

struct rpc_sp *rpc_sp_create(struct loop *l, const char *url,
                             const struct rpc_dial_ops *ops, void *arg)
{
    struct sp_address address;
    struct rpc_sp *s;

    if (!sp_address_parse(url, &address))
        return NULL;
    s = MEM_NEW(struct rpc_sp);
    s->loop = l;
    s->ops = ops;
    s->arg = arg;
    s->address = address;
    s->fd = -1;
    s->again_ms = AGAIN_MIN_MS;
    s->reader = (struct sp_reader){.ipc = address.ipc, .peer = SP_REP};
    sp_writer_init(&s->writer, address.ipc);
    loop_task_init(&s->tell, tell);
    loop_timer_init(&s->timer, l, on_timer);
    dial(s);
    return s;
}

void rpc_sp_break(struct rpc_sp *s)
{
    if (s->fd >= 0 && s->up)
        lose(s);
}

void rpc_sp_close(struct rpc_sp *s)
{
    s->closed = true;
    close_socket(s);
    sp_writer_fini(&s->writer);
    loop_timer_clear(&s->timer);
    loop_task_cancel(&s->tell);
    loop_free_later(s->loop, free, s);
}
