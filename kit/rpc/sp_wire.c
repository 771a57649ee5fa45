// SPDX-License-Identifier: Apache-2.0
/*
 * What is read goes through one buffer of the thread; whole messages are copied out of
 * it, once, into memory of their own. A message that has begun and is longer than what is
 * there is read straight into its memory.
 */
#include "kit/rpc/sp_wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
    LENGTH = 8,
    ID = 4,
    READ_BYTES = 64 << 10,
    READS_A_TURN = 8,
    IPC_MESSAGE = 1,
    KEEP_BYTES = 256 << 10,
};

static _Thread_local char scratch[READ_BYTES];

/* ---- reading ---------------------------------------------------------------- */

static size_t head_size(const struct sp_reader *r)
{
    return r->opened ? r->ipc + LENGTH + (size_t)ID : SP_OPENING_LEN;
}

static bool is_opening(const struct sp_reader *r)
{
    const char wanted[SP_OPENING_LEN] = {0, 'S', 'P', 0, 0, (char)r->peer, 0, 0};

    return memcmp(r->head, wanted, SP_OPENING_LEN) == 0;
}

static uint64_t read_u64(const char *p)
{
    uint64_t v = 0;

    for (size_t i = 0; i < sizeof v; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

/* As soon as it is there: a length that is not allowed is not waited for any longer. */
static bool is_head_good(const struct sp_reader *r)
{
    size_t have = r->head_n;
    uint64_t n;

    if (!r->opened || have < r->ipc + (size_t)LENGTH)
        return true;
    n = read_u64(r->head + r->ipc);
    if ((r->ipc && r->head[0] != IPC_MESSAGE) || n < ID || n > RPC_MESSAGE_MAX)
        return false;
    return have < head_size(r) || r->head[r->ipc + LENGTH] & 0x80;
}

/* Bytes of *got, at most `want`, to `to`. */
static size_t take(struct str *got, char *to, size_t want)
{
    size_t n = got->n < want ? got->n : want;

    memcpy(to, got->p, n);
    got->p += n;
    got->n -= n;
    return n;
}

/* SP_MESSAGE: the head is complete, the message may not be. */
static enum sp_part take_head(struct sp_reader *r, struct str *got)
{
    r->head_n += take(got, r->head + r->head_n, head_size(r) - r->head_n);
    if (!is_head_good(r))
        return SP_BAD;
    if (r->head_n < head_size(r))
        return SP_MORE;
    r->head_n = 0;
    if (r->opened) {
        r->in = rpc_inbound_room((size_t)read_u64(r->head + r->ipc) - ID);
        r->in_n = 0;
        return SP_MESSAGE;
    }
    r->opened = true;
    return is_opening(r) ? SP_OPENED : SP_BAD;
}

enum sp_part sp_reader_next(struct sp_reader *r, struct str *got, struct rpc_inbound **in)
{
    if (!r->in) {
        enum sp_part part = take_head(r, got);

        if (part != SP_MESSAGE)
            return part;
    }
    r->in_n += take(got, r->in->own + r->in_n, r->in->bytes.n - r->in_n);
    if (r->in_n < r->in->bytes.n)
        return SP_MORE;
    *in = r->in;
    r->in = NULL;
    return SP_MESSAGE;
}

void sp_reader_reset(struct sp_reader *r)
{
    if (r->in)
        rpc_inbound_drop(r->in);
    *r = (struct sp_reader){.ipc = r->ipc, .peer = r->peer};
}

/* What is missing of a message, and behind it whatever else there is. */
static ssize_t read_more(struct sp_reader *r, int fd, struct str *got)
{
    struct iovec v[2];
    int parts = 0;
    size_t direct = r->in ? r->in->bytes.n - r->in_n : 0;
    ssize_t n;

    if (direct)
        v[parts++] = (struct iovec){r->in->own + r->in_n, direct};
    v[parts++] = (struct iovec){scratch, sizeof scratch};
    n = readv(fd, v, parts);
    if (n > 0 && (size_t)n < direct)
        direct = (size_t)n;
    r->in_n += n > 0 ? direct : 0;
    *got = (struct str){scratch, n > 0 ? (size_t)n - direct : 0};
    return n;
}

static enum sp_end take_parts(struct sp_reader *r, const int *fd,
                              const struct sp_reader_ops *ops, void *arg, struct str got)
{
    struct rpc_inbound *in;
    enum sp_part part;

    while (*fd >= 0 && (part = sp_reader_next(r, &got, &in)) != SP_MORE) {
        if (part == SP_BAD)
            return SP_MALFORMED;
        if (part == SP_OPENED)
            ops->opened(arg);
        else
            ops->message(arg, in);
    }
    return SP_GOES_ON;
}

enum sp_end sp_reader_run(struct sp_reader *r, const int *fd,
                          const struct sp_reader_ops *ops, void *arg)
{
    enum sp_end end = SP_GOES_ON;

    for (int i = 0; i < READS_A_TURN && *fd >= 0 && end == SP_GOES_ON; i++) {
        struct str got;
        ssize_t n = read_more(r, *fd, &got);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return SP_GOES_ON;
        if (n <= 0)
            return SP_OVER;
        end = take_parts(r, fd, ops, arg, got);
        if (got.n < sizeof scratch)
            return end;
    }
    return end;
}

/* ---- writing ---------------------------------------------------------------- */

bool sp_open(int fd, enum sp_protocol own)
{
    const char opening[SP_OPENING_LEN] = {0, 'S', 'P', 0, 0, (char)own, 0, 0};

    return send(fd, opening, SP_OPENING_LEN, MSG_NOSIGNAL) == SP_OPENING_LEN;
}

void sp_socket_options(int fd, bool ipc)
{
    const int on = 1;

    if (ipc)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

void sp_writer_init(struct sp_writer *w, bool ipc)
{
    w->ipc = ipc;
    buf_init(&w->left, RPC_MESSAGE_MAX + SP_HEAD_MAX);
}

void sp_writer_fini(struct sp_writer *w)
{
    buf_fini(&w->left);
}

void sp_writer_reset(struct sp_writer *w)
{
    buf_reset(&w->left);
    if (w->left.room > KEEP_BYTES)
        buf_fini(&w->left);
}

static size_t make_head(const struct sp_writer *w, char *head, size_t n, uint32_t id)
{
    char *p = head;

    if (w->ipc)
        *p++ = IPC_MESSAGE;
    n += ID;
    for (size_t i = LENGTH; i-- > 0; n >>= 8)
        p[i] = (char)(n & 0xff);
    for (size_t i = ID; i-- > 0; id >>= 8)
        p[LENGTH + i] = (char)(id & 0xff);
    return (size_t)(p - head) + LENGTH + ID;
}

static ssize_t send_parts(int fd, const struct iovec *v, size_t parts)
{
    const struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v,
                             .msg_iovlen = parts};
    ssize_t n;

    do
        n = sendmsg(fd, &m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n;
}

/* The first n bytes of the parts were taken; the rest is kept. */
static enum sp_wrote keep_rest(struct sp_writer *w, const struct iovec *v, size_t parts,
                               size_t n)
{
    for (size_t i = 0; i < parts; i++) {
        size_t of_part = n < v[i].iov_len ? n : v[i].iov_len;

        buf_put(&w->left, (const char *)v[i].iov_base + of_part, v[i].iov_len - of_part);
        n -= of_part;
    }
    return w->left.failed ? SP_WRITE_FAILED : w->left.n ? SP_WROTE_PART : SP_WROTE;
}

enum sp_wrote sp_writer_send(struct sp_writer *w, int fd, uint32_t id, struct str head,
                             struct str body)
{
    char sp_head[SP_HEAD_MAX];
    const struct iovec v[] = {
        {sp_head, make_head(w, sp_head, head.n + body.n, id)},
        {(void *)(uintptr_t)head.p, head.n},
        {(void *)(uintptr_t)body.p, body.n},
    };
    ssize_t n = send_parts(fd, v, 3);

    if (n < 0 && errno != EAGAIN)
        return SP_WRITE_FAILED;
    return keep_rest(w, v, 3, n < 0 ? 0 : (size_t)n);
}

enum sp_wrote sp_writer_go_on(struct sp_writer *w, int fd)
{
    const struct iovec v = {w->left.p, w->left.n};
    ssize_t n = send_parts(fd, &v, 1);

    if (n < 0)
        return errno == EAGAIN ? SP_WROTE_PART : SP_WRITE_FAILED;
    buf_consume(&w->left, (size_t)n);
    if (w->left.n)
        return SP_WROTE_PART;
    sp_writer_reset(w);
    return SP_WROTE;
}
