// SPDX-License-Identifier: Apache-2.0
/*
 * Messages as the rest of kit/rpc sees them, NNG's or the loop's own. Received ones are
 * not copied: frames point into them, and they live as long as any flow that uses them.
 */
#ifndef KIT_RPC_MESSAGE_H
#define KIT_RPC_MESSAGE_H

#include "kit/base/arena.h"
#include "kit/base/err.h"
#include "kit/rpc/frame.h"

#include <nng/nng.h>

/* What may be on its way to one loop before reading stops, in weights: small messages
 * count by number, large ones by size. */
enum { RPC_INBOX_MAX = 128, RPC_WEIGHT_BYTES = 32 << 10 };

/* One that came in. Counted by the one loop that has it; not across threads. */
struct rpc_inbound {
    nng_msg *msg; /* NULL: the bytes are its own */
    struct str bytes;
    unsigned refs, weight;
    char own[];
};

/* Takes the message; one reference is the caller's. */
struct rpc_inbound *rpc_inbound_create(nng_msg *msg);
/* Of n bytes, to be written at `own`; likewise. */
struct rpc_inbound *rpc_inbound_room(size_t n);
void rpc_inbound_drop(struct rpc_inbound *in);
/* The message lives at least as long as the arena. */
void rpc_inbound_keep(struct rpc_inbound *in, struct arena *a);

/* A copy of both parts. */
nng_msg *rpc_message_create(struct str head, struct str frames);

/* The limits that a socket must have before it dials or listens. */
MUST_CHECK int rpc_socket_limits(nng_socket s, int send_messages);

#endif
