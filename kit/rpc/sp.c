// SPDX-License-Identifier: Apache-2.0
/*
 * What is read goes through one buffer of the thread; whole messages are copied out of
 * it, once, into memory of their own. A message that has begun and is longer than what is
 * there is read straight into its memory.
 */
#include "kit/rpc/sp.h"

#include "kit/base/mem.h"
#include "kit/rpc/sp_address.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    AGAIN_MIN_MS = 100,
    AGAIN_MAX_MS = 2000,
    CONNECT_MS = 10000, /* also for the other side's opening */
    OPENING = 8,
    LENGTH = 8,
    ID = 4,
    READ_BYTES = 64 << 10,
    READS_A_TURN = 8,
    IPC_MESSAGE = 1,
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

    char head[1 + LENGTH + ID]; /* of the message that is coming in, or the opening */
    size_t head_n;
    nng_msg *in; /* once its head is complete */
    size_t in_n; /* bytes of it */

    nng_msg *out; /* what the socket has not taken yet; `out_head` goes before it */
    char out_head[1 + LENGTH + ID];
    size_t out_n; /* bytes of both that were taken */
};

static _Thread_local char scratch[READ_BYTES];

/* ---- ends ------------------------------------------------------------------- */

static void drop_messages(struct rpc_sp *s)
{
    nng_msg_free(s->in);
    s->in = NULL;
    s->head_n = s->in_n = 0;
}

static void drop_out(struct rpc_sp *s)
{
    nng_msg_free(s->out);
    s->out = NULL;
    s->out_n = 0;
}

static void close_socket(struct rpc_sp *s)
{
    loop_fd_destroy(s->watch);
    s->watch = NULL;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    s->state = WAITING;
    drop_messages(s);
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
    drop_out(s);
    s->ops->sent(s->arg, false);
}

/* ---- in --------------------------------------------------------------------- */

static size_t head_size(const struct rpc_sp *s)
{
    return s->up ? s->address.ipc + LENGTH + (size_t)ID : OPENING;
}

/* False: the other side does not speak as a REP socket does. */
static bool take_opening(struct rpc_sp *s)
{
    static const char rep[OPENING] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};

    if (memcmp(s->head, rep, OPENING) != 0)
        return false;
    loop_timer_clear(&s->timer);
    s->head_n = 0;
    s->again_ms = AGAIN_MIN_MS;
    s->up = true;
    s->ops->up(s->arg);
    return true;
}

static uint64_t read_u64(const char *p)
{
    uint64_t v = 0;

    for (size_t i = 0; i < sizeof v; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

/* The message's memory is taken when its length is known to be allowed. */
static bool take_length(struct rpc_sp *s)
{
    const char *p = s->head + s->address.ipc;
    uint64_t n = read_u64(p);

    if ((s->address.ipc && s->head[0] != IPC_MESSAGE) || n < ID || n > RPC_MESSAGE_MAX ||
        !(p[LENGTH] & 0x80))
        return false;
    s->in = rpc_message_create((size_t)n - ID);
    s->in_n = 0;
    return true;
}

static void deliver(struct rpc_sp *s)
{
    struct rpc_inbound *in = rpc_inbound_create(s->in);

    s->in = NULL;
    s->head_n = 0;
    s->ops->message(s->arg, in);
}

static size_t take_some(size_t have, size_t want)
{
    return have < want ? have : want;
}

/* The next part of what was read: of a head, or of a message; false: it is malformed. */
static bool take_part(struct rpc_sp *s, const char **p, size_t *left)
{
    size_t n;

    if (!s->in) {
        n = take_some(*left, head_size(s) - s->head_n);
        memcpy(s->head + s->head_n, *p, n);
        s->head_n += n;
        *p += n;
        *left -= n;
        if (s->head_n < head_size(s))
            return true;
        if (!s->up)
            return take_opening(s);
        if (!take_length(s))
            return false;
    }
    n = take_some(*left, nng_msg_len(s->in) - s->in_n);
    memcpy((char *)nng_msg_body(s->in) + s->in_n, *p, n);
    s->in_n += n;
    *p += n;
    *left -= n;
    if (s->in_n == nng_msg_len(s->in))
        deliver(s);
    return true;
}

/* A handler may close the dial or break the connection. */
static bool take_bytes(struct rpc_sp *s, const char *p, size_t n)
{
    while (n > 0 && s->fd >= 0)
        if (!take_part(s, &p, &n))
            return false;
    return true;
}

/* What is missing of a message, and behind it whatever else there is. */
static ssize_t read_more(struct rpc_sp *s, size_t *direct)
{
    struct iovec v[2];
    int n = 0;

    *direct = s->in ? nng_msg_len(s->in) - s->in_n : 0;
    if (*direct)
        v[n++] = (struct iovec){(char *)nng_msg_body(s->in) + s->in_n, *direct};
    v[n++] = (struct iovec){scratch, sizeof scratch};
    return readv(s->fd, v, n);
}

static bool take_read(struct rpc_sp *s, size_t n, size_t direct)
{
    size_t own = take_some(n, direct);

    s->in_n += own;
    if (s->in && s->in_n == nng_msg_len(s->in))
        deliver(s);
    return take_bytes(s, scratch, n - own);
}

static void read_ready(struct rpc_sp *s)
{
    for (int i = 0; i < READS_A_TURN && s->fd >= 0; i++) {
        size_t direct;
        ssize_t n = read_more(s, &direct);
        bool full = n >= (ssize_t)(direct + sizeof scratch);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0 || !take_read(s, (size_t)n, direct)) {
            if (s->fd >= 0)
                lose(s);
            return;
        }
        if (!full)
            return;
    }
}

/* ---- out -------------------------------------------------------------------- */

static void write_u64(char *p, uint64_t v)
{
    for (size_t i = sizeof v; i-- > 0; v >>= 8)
        p[i] = (char)(v & 0xff);
}

static void make_head(struct rpc_sp *s, size_t n)
{
    char *p = s->out_head;
    uint32_t id = 0x80000000U | ++s->requests;

    if (s->address.ipc)
        *p++ = IPC_MESSAGE;
    write_u64(p, n + ID);
    for (size_t i = ID; i-- > 0; id >>= 8)
        p[LENGTH + i] = (char)(id & 0xff);
}

/* True when all of it was taken. */
static bool write_some(struct rpc_sp *s)
{
    size_t head = s->address.ipc + LENGTH + (size_t)ID;
    size_t body = nng_msg_len(s->out);

    while (s->out_n < head + body) {
        size_t of_head = take_some(s->out_n, head), of_body = s->out_n - of_head;
        const struct iovec v[2] = {
            {s->out_head + of_head, head - of_head},
            {(char *)nng_msg_body(s->out) + of_body, body - of_body},
        };
        const struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v,
                                 .msg_iovlen = 2};
        ssize_t n = sendmsg(s->fd, &m, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        s->out_n += (size_t)n;
    }
    drop_out(s);
    return true;
}

static void write_ready(struct rpc_sp *s)
{
    if (write_some(s)) {
        loop_fd_want(s->watch, LOOP_READ);
        s->ops->sent(s->arg, true);
    } else if (errno != EAGAIN) {
        lose(s);
    }
}

enum rpc_sending rpc_sp_send(struct rpc_sp *s, nng_msg *msg)
{
    s->out = msg;
    s->out_n = 0;
    make_head(s, nng_msg_len(msg));
    if (s->fd < 0) /* its end is about to be told */
        return RPC_SEND_LATER;
    if (write_some(s))
        return RPC_SEND_DONE;
    if (errno == EAGAIN)
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
    static const char req[OPENING] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
    const int on = 1;
    int error = 0;
    socklen_t len = sizeof error;

    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error ||
        send(s->fd, req, OPENING, MSG_NOSIGNAL) != OPENING) {
        lose(s);
        return;
    }
    if (!s->address.ipc) {
        setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
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
    if (s->out && (ready & LOOP_WRITE))
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
    drop_out(s);
    loop_timer_clear(&s->timer);
    loop_task_cancel(&s->tell);
    loop_free_later(s->loop, free, s);
}
