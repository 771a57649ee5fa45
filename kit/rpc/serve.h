// SPDX-License-Identifier: Apache-2.0
/*
 * The answering side within one loop: a lane. It turns CALL frames into flows and the
 * ends of flows into REPLY frames, which leave at the end of the turn in one message per
 * connection. All of a lane belongs to its loop.
 *
 *   server.c   the server: methods, lanes, draining
 *   lane.c     a lane: frames, connections, flushing
 *   serve.c    calls
 *   outbox.c   what a lane has for one connection
 */
#ifndef KIT_RPC_SERVE_H
#define KIT_RPC_SERVE_H

#include "kit/base/list.h"
#include "kit/rpc/listen.h"
#include "kit/rpc/server.h"
#include "kit/rpc/stats.h"

#include <pthread.h>

enum {
    /* What may wait for a caller that reads slowly: from FULL on its calls are refused,
     * at MAX it loses its connection. */
    RPC_OUTBOX_FULL = 16 << 20,
    RPC_OUTBOX_MAX = 64 << 20,
    RPC_OUTBOX_EAGER = 1 << 20, /* sent before the turn ends, to keep memory small */
    RPC_STALE_MAX = 8, /* messages for an earlier connection, which NNG still held */
    RPC_CALL_BUCKETS = 1024,
};

struct rpc_lane;

/* ---- outbox ---------------------------------------------------------------------------
 */

struct rpc_outbox {
    struct rpc_peer *peer;
    struct rpc_lane *lane;
    struct list link;  /* in lane->outboxes */
    struct list dirty; /* in lane->dirty while it has frames */
    struct list calls; /* under way for this connection */
    struct buf frames;
    unsigned streams; /* among the calls */
};

struct rpc_outbox *rpc_outbox_of(struct rpc_lane *lane, struct rpc_peer *peer);
void rpc_outbox_destroy(struct rpc_outbox *o);
/* Frames were put: they leave at the end of the turn. */
void rpc_outbox_touch(struct rpc_outbox *o);
/* Sends what can be sent; false when something had to stay. */
bool rpc_outbox_flush(struct rpc_outbox *o);

/* ---- lane -----------------------------------------------------------------------------
 */

struct rpc_lane {
    struct rpc_server *server;
    struct loop *loop;
    const void *env;
    int index;
    struct list link; /* in server->lanes */
    struct list outboxes, dirty;
    struct loop_task flush;
    struct loop_timer retry; /* something had to stay */
    unsigned in_flight;
    int64_t warned_us;
    struct list calls[RPC_CALL_BUCKETS];
    struct rpc_stats *stats; /* by row of the server's methods */
};

extern const struct rpc_listen_ops rpc_lane_ops;

struct rpc_lane *rpc_lane_create(struct rpc_server *s, struct loop *l, const void *env);
void rpc_lane_destroy(struct rpc_lane *lane);

/* At most once a second: a peer must not be able to fill the log. */
bool rpc_lane_may_warn(struct rpc_lane *lane);

/* ---- calls ------------------------------------------------------------------ */

/* A CALL frame; false: it is malformed. */
bool rpc_serve_begin(struct rpc_outbox *o, struct rpc_inbound *in,
                     const struct rpc_frame *f);
/* The caller gave it up; false: no such call in this lane. */
bool rpc_serve_cancel(struct rpc_lane *lane, struct rpc_peer *peer, uint32_t call);
/* The caller takes more chunks; likewise. */
bool rpc_serve_credit(struct rpc_lane *lane, struct rpc_peer *peer, uint32_t call,
                      uint32_t more);
void rpc_serve_cancel_all(struct rpc_outbox *o);

/* ---- streams (stream_out.c) ---------------------------------------------------------
 */

/* What a call has of a stream. */
struct rpc_sending {
    struct rpc_outbox *outbox;
    uint32_t call;
    uint32_t credit; /* chunks that the caller has room for */
    uint32_t chunks; /* written */
    bool counted;    /* in outbox->streams */
    bool waiting;
    struct wait wait;
};

/* Of a flow that was made for a call. */
struct rpc_sending *rpc_serve_sending(struct flow *f);
MUST_CHECK bool rpc_sending_credit(struct rpc_sending *s, uint32_t more);
void rpc_sending_end(struct rpc_sending *s);

/* ---- server ---------------------------------------------------------------------------
 */

struct rpc_server {
    char *service, *zone;
    unsigned max_in_flight;
    struct rpc_handler *methods; /* sorted by id */
    unsigned methods_n;
    struct rpc_listen *listen;
    atomic_uint in_flight;
    atomic_bool draining;
    struct metric *in_flight_metric;
    pthread_mutex_t lock;
    struct list lanes; /* under the lock */
};

/* The row of a method in `methods`; -1 when there is none. */
int rpc_server_row(const struct rpc_server *s, uint16_t method);

#endif
