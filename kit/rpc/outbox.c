// SPDX-License-Identifier: Apache-2.0
/* Frames for one connection, cut into messages when the turn ends. */
#include "kit/base/mem.h"
#include "kit/rpc/serve.h"

#include <stdlib.h>

enum { KEEP_BYTES = 256 << 10 };

struct rpc_outbox *rpc_outbox_of(struct rpc_lane *lane, struct rpc_peer *peer)
{
    struct rpc_outbox *o = peer->outboxes[lane->index];

    if (o)
        return o;
    o = MEM_NEW(struct rpc_outbox);
    o->peer = peer;
    o->lane = lane;
    list_init(&o->link);
    list_init(&o->dirty);
    list_init(&o->calls);
    buf_init(&o->frames, RPC_OUTBOX_MAX);
    list_push(&lane->outboxes, &o->link);
    rpc_peer_ref(peer);
    peer->outboxes[lane->index] = o;
    return o;
}

void rpc_outbox_destroy(struct rpc_outbox *o)
{
    o->peer->outboxes[o->lane->index] = NULL;
    rpc_peer_unref(o->peer);
    list_remove(&o->link);
    list_remove(&o->dirty);
    buf_fini(&o->frames);
    free(o);
}

void rpc_outbox_touch(struct rpc_outbox *o)
{
    if (list_empty(&o->dirty))
        list_push(&o->lane->dirty, &o->dirty);
    loop_at_turn_end(o->lane->loop, &o->lane->flush);
    if (o->frames.n >= RPC_OUTBOX_EAGER)
        rpc_outbox_flush(o);
}

static bool send_frames(struct rpc_outbox *o, struct str frames)
{
    char head[RPC_HEAD_LEN];

    rpc_head_write(head,
                   (struct rpc_head){o->peer->session, atomic_load(&o->peer->received)});
    return rpc_peer_send(o->peer, (struct str){head, sizeof head}, frames);
}

/* Bytes that could be sent. */
static size_t send_some(struct rpc_outbox *o)
{
    struct str left = buf_view(&o->frames);

    while (left.n > 0 && rpc_peer_may_send(o->peer)) {
        unsigned count;
        size_t n = rpc_batch_cut(left, &count);

        if (!send_frames(o, (struct str){left.p, n}))
            break;
        left.p += n;
        left.n -= n;
    }
    return o->frames.n - left.n;
}

bool rpc_outbox_flush(struct rpc_outbox *o)
{
    size_t sent = send_some(o);

    if (sent)
        buf_consume(&o->frames, sent);
    if (o->frames.n == 0 && o->frames.room > KEEP_BYTES)
        buf_fini(&o->frames);
    return o->frames.n == 0;
}
