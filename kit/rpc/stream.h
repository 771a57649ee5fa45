// SPDX-License-Identifier: Apache-2.0
/*
 * A reply in many pieces: the service writes chunks, the caller reads them at its own
 * pace, and neither holds more than RPC_STREAM_WINDOW chunks of one stream (256 KiB),
 * however long it is. A call is good for that many chunks; the caller grants more as it
 * takes them.
 *
 * A stream is a call: deadline, trace, caller, cancellation and errors are the same. It
 * may be sent again elsewhere until its first chunk has come, never afterwards. When the
 * connection is lost, the service fails or the deadline passes, it ends with that error
 * after the chunks that came. When the reader's flow ends, the service's flow is
 * cancelled.
 *
 * Caller:                                    Service, in a handler's flow:
 *     s = rpc_stream_open(f, c, m, &in);         return rpc_stream_ready(f, next);
 *     return rpc_stream_next(f, s, next);    next:
 * next:                                          rpc_stream_write(f, bytes);
 *     bytes = rpc_stream_chunk(s);               return rpc_stream_ready(f, next);
 *     if (!bytes.p) ... the end              and at last
 *     return rpc_stream_next(f, s, next);        return flow_done(f);
 *
 * A loop serves at most RPC_STREAMS_MAX streams to one connection; further ones are
 * answered `overloaded`.
 */
#ifndef KIT_RPC_STREAM_H
#define KIT_RPC_STREAM_H

#include "kit/rpc/client.h"
#include "kit/rpc/frame.h"

enum { RPC_STREAMS_MAX = 64 };

/* ---- the caller's side ------------------------------------------------------ */

struct rpc_stream;

/* Begins the call; its own deadline is the flow's, or the method's if nearer. It ends
 * with the flow's arena at the latest. */
struct rpc_stream *rpc_stream_open(struct flow *f, struct rpc_client *c,
                                   const struct rpc_method *m, const void *in);
/* Continues with `next` when a chunk is there or the stream has ended well; fails the
 * flow with the stream's error. The chunk before is gone, and the service may send one
 * more for it. */
MUST_CHECK enum step rpc_stream_next(struct flow *f, struct rpc_stream *s,
                                     flow_step next);
/* Valid until rpc_stream_next; absent when the stream has ended. */
struct str rpc_stream_chunk(const struct rpc_stream *s);

/* ---- the service's side ----------------------------------------------------- */

/* Continues with `next` when the caller has room for one chunk. */
MUST_CHECK enum step rpc_stream_ready(struct flow *f, flow_step next);
/* One chunk of 1 to RPC_CHUNK_MAX bytes, copied; once per rpc_stream_ready. */
void rpc_stream_write(struct flow *f, struct str bytes);

#endif
