// SPDX-License-Identifier: Apache-2.0
/*
 * The SP wire format on a non-blocking stream socket, for both ends of the hop: sp.c
 * calls as a REQ socket of NNG does, listen_sp.c answers as a REP socket does. All of a
 * reader and a writer belongs to one loop.
 *
 * The format (nanomsg RFCs: SP over TCP, SP over IPC): both sides open with eight bytes,
 * 0 'S' 'P' 0 and their protocol (u16), 0 0; then messages, each with its length (u64)
 * before it, over IPC a byte 1 before that. All integers are big-endian. A request begins
 * with its id (u32, top bit set), and so does its reply.
 */
#ifndef KIT_RPC_SP_WIRE_H
#define KIT_RPC_SP_WIRE_H

#include "kit/base/buf.h"
#include "kit/rpc/message.h"

enum { SP_OPENING_LEN = 8, SP_HEAD_MAX = 13 };
enum sp_protocol { SP_REQ = 0x30, SP_REP = 0x31 };

/* ---- reading ---------------------------------------------------------------- */

/* Zeroed but for `ipc` and `peer` at the start of each connection. */
struct sp_reader {
    bool ipc;
    enum sp_protocol peer; /* what the other side must open with */
    bool opened;
    char head[SP_HEAD_MAX]; /* of the message that is coming in, or the opening */
    size_t head_n;
    struct rpc_inbound *in; /* once its head is complete */
    size_t in_n;            /* bytes of it */
};

enum sp_part {
    SP_MORE,    /* all was taken, and more is needed */
    SP_OPENED,  /* the other side's opening, once */
    SP_MESSAGE, /* *in: the message, without its id; the caller's */
    SP_BAD,     /* malformed: the connection must end */
};
/* The next part of the bytes `*got`, which it moves on. Pure but for memory; that is
 * taken for a message when its length is known to be allowed (RPC_MESSAGE_MAX). */
enum sp_part sp_reader_next(struct sp_reader *r, struct str *got,
                            struct rpc_inbound **in);
/* What was begun is dropped. */
void sp_reader_reset(struct sp_reader *r);

struct sp_reader_ops {
    void (*opened)(void *arg);
    void (*message)(void *arg, struct rpc_inbound *in); /* owns it */
};
enum sp_end { SP_GOES_ON, SP_OVER, SP_MALFORMED };
/* Reads what the socket has, at most so much that a turn stays short. A handler may close
 * the socket: then *fd is below 0, the reader reset, and nothing more is read. */
enum sp_end sp_reader_run(struct sp_reader *r, const int *fd,
                          const struct sp_reader_ops *ops, void *arg);

/* ---- writing ---------------------------------------------------------------- */

/* Opens: false when the socket is not good for eight bytes. */
bool sp_open(int fd, enum sp_protocol own);

/* Small messages leave at once; a peer that has gone is noticed without traffic. */
void sp_socket_options(int fd, bool ipc);

/* `left` is what the socket has not taken of the last message. */
struct sp_writer {
    bool ipc;
    struct buf left;
};
void sp_writer_init(struct sp_writer *w, bool ipc);
void sp_writer_fini(struct sp_writer *w);
/* Forgets what is left. */
void sp_writer_reset(struct sp_writer *w);

enum sp_wrote { SP_WROTE, SP_WROTE_PART, SP_WRITE_FAILED };
/* A message in two parts, written without a copy if the socket takes it; nothing may be
 * left. After SP_WROTE_PART: sp_writer_go_on when the socket is ready. */
enum sp_wrote sp_writer_send(struct sp_writer *w, int fd, uint32_t id, struct str head,
                             struct str body);
enum sp_wrote sp_writer_go_on(struct sp_writer *w, int fd);

#endif
