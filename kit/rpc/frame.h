// SPDX-License-Identifier: Apache-2.0
/*
 * The hop's frames in bytes. A message is what NNG carries; it holds a head and then
 * frames back to back, all that were ready in one turn of the sender's loop. Pure
 * functions; any thread. All integers are little-endian; there is no padding; frames are
 * not aligned.
 *
 *   message   0  u32  session   0 in the caller's HELLO, later what HELLO answered
 *             4  u32  received  messages taken off this connection so far, modulo 2^32. A
 *                               REP socket of NNG drops what exceeds its queue, so a
 * service keeps to RPC_UNCONFIRMED_MAX and a caller confirms in time 8  frames
 *
 *   frame     0  u32  length    of the whole frame, these 12 bytes included
 *             4  u8   type      enum rpc_frame_type
 *             5  u8   flags     enum rpc_frame_flag
 *             6  u16  method    CALL only, else 0
 *             8  u32  call      who this is about; 0 in frames about the connection
 *            12  the rest, by type:
 *
 *   CALL      0  u32  left_ms   until the deadline; always above 0
 *             4  16   trace id, 20: 8 span id
 *            28  16   user, 44: 16 session, 60: u32 roles
 *            64  u8   n, 65: u8 k, 66: u16 0
 *            68  n bytes of request id, k bytes of idempotency key, then the body
 *   REPLY     the body; with RPC_FLAG_ERROR an envelope (envelope.h)
 *   CHUNK     the body: one piece of the reply, 1 to RPC_CHUNK_MAX bytes
 *   END       the body: as REPLY, after CHUNKs
 *   CREDIT    0  u32  how many more CHUNKs the caller is ready to take; a CALL is good
 *             for RPC_STREAM_WINDOW, and more than RPC_CREDIT_MAX is malformed
 *   CANCEL    nothing: the caller has gone
 *   HELLO     0  u16  version, 2: u16 bytes of the zone, 4: u32 session,
 *             8: the name of the sender, then its zone
 *   PING      0  u64  anything; PONG gives it back
 *   GOAWAY    nothing: begin no more calls here
 *
 * Bodies are msgpack maps. A frame is at most RPC_FRAME_MAX bytes, a message at most
 * RPC_MESSAGE_MAX and RPC_MESSAGE_FRAMES_MAX frames. Anything else is malformed and ends
 * the connection. Flags and zero fields that a reader does not know are ignored.
 */
#ifndef KIT_RPC_FRAME_H
#define KIT_RPC_FRAME_H

#include "kit/base/buf.h"
#include "kit/flow/flow.h"

enum {
    RPC_VERSION = 1,
    RPC_FRAME_MAX = 1 << 20,
    RPC_MESSAGE_MAX = 2 << 20, /* with NNG's own head */
    RPC_MESSAGE_FRAMES_MAX = 1024,
    RPC_BATCH_FRAMES = 64,       /* a sender puts so many into one message, */
    RPC_BATCH_BYTES = 256 << 10, /* or so much unless one frame alone is longer */
    RPC_UNCONFIRMED_MAX = 48,    /* messages to a caller that it has not confirmed */
    RPC_CONFIRM_EVERY = 16,      /* messages after which a caller confirms unasked */
    RPC_CHUNK_MAX = 64 << 10,
    RPC_STREAM_WINDOW = 4,
    RPC_CREDIT_MAX = 1024,
    RPC_REQUEST_ID_MAX = 64,
    RPC_KEY_MAX = 255,
    RPC_NAME_MAX = 64,
    RPC_HEAD_LEN = 8,
    RPC_FRAME_HEAD_LEN = 12,
};

enum rpc_frame_type {
    RPC_CALL = 1,
    RPC_REPLY,
    RPC_CHUNK,
    RPC_END,
    RPC_CREDIT,
    RPC_CANCEL,
    RPC_HELLO,
    RPC_PING,
    RPC_PONG,
    RPC_GOAWAY,
    RPC_FRAME_TYPES
};

enum rpc_frame_flag {
    RPC_FLAG_SAMPLED = 1,     /* CALL: the trace is recorded */
    RPC_FLAG_ERROR = 2,       /* REPLY, END: the body is an envelope */
    RPC_FLAG_NOT_STARTED = 4, /* REPLY: refused before any work; safe to send elsewhere */
    RPC_FLAG_REPEATED = 8,    /* CALL: may have been begun elsewhere already */
};

struct rpc_head {
    uint32_t session, received;
};

/* Only what the type has is read and written. */
struct rpc_frame {
    uint8_t type, flags;
    uint16_t method;
    uint32_t call;
    struct str body;
    union {
        struct rpc_frame_call {
            uint32_t left_ms;
            struct trace trace;
            struct caller caller;
            struct str request_id, key;
        } of_call;
        struct rpc_frame_hello {
            uint16_t version;
            uint32_t session;
            struct str name;
            struct str zone; /* where it runs; empty: nobody said */
        } of_hello;
        uint32_t credit;
        uint64_t ping;
    };
};

/* ---- writing ---------------------------------------------------------------- */

void rpc_head_write(char *out, struct rpc_head head);

/* Bytes of the frame; over RPC_FRAME_MAX it must not be written. The caller keeps to
 * RPC_REQUEST_ID_MAX and RPC_KEY_MAX. */
size_t rpc_frame_size(const struct rpc_frame *f);
/* Writes rpc_frame_size() bytes; returns what follows them. */
char *rpc_frame_write(char *out, const struct rpc_frame *f);
void rpc_frame_put(struct buf *b, const struct rpc_frame *f);

/* A frame whose body is written in place: begin (body left out), write the body into `b`,
 * end. False, and nothing of it left in b, when it became too long. */
size_t rpc_frame_begin(struct buf *b, const struct rpc_frame *f);
MUST_CHECK bool rpc_frame_end(struct buf *b, size_t begun);

/* Of frames back to back: how many bytes go into the next message, and their count. */
size_t rpc_batch_cut(struct str frames, unsigned *count);

/* ---- reading ---------------------------------------------------------------- */

struct rpc_reader {
    const char *p, *end;
    unsigned frames;
};

enum rpc_read { RPC_READ_FRAME, RPC_READ_DONE, RPC_READ_BAD };

MUST_CHECK bool rpc_reader_init(struct rpc_reader *r, struct str message,
                                struct rpc_head *head);
/* Strings of the frame point into the message. */
MUST_CHECK enum rpc_read rpc_frame_read(struct rpc_reader *r, struct rpc_frame *f);

#endif
