// SPDX-License-Identifier: Apache-2.0
/*
 * The answering end: a REP socket's port, its connections (peers) and the loops (lanes)
 * that serve them; the handlers of a lane run in its loop. There are two kinds:
 *
 *   listen_sp.c   tcp:// and ipc://: the loops speak the wire format themselves. A
 *                 connection is served by one lane, the one with the fewest of them.
 *   listen_nng.c  all else (tls+tcp://, inproc://, and tcp4:// to compare): a raw NNG REP
 *                 socket. Its messages go to the lanes in turn, whichever connection they
 *                 are from; NNG's threads only post to the loops.
 *
 * Life: rpc_listen_create -> lanes join -> (messages, gone)... -> lanes leave -> destroy.
 */
#ifndef KIT_RPC_LISTEN_H
#define KIT_RPC_LISTEN_H

#include "kit/loop/loop.h"
#include "kit/rpc/message.h"

#include <stdatomic.h>

enum { RPC_LANES_MAX = 256, RPC_PEERS_MAX = 4096 };

struct rpc_listen;
struct rpc_outbox;
struct sp_conn;

/* One connection, shared by all lanes; counted. */
struct rpc_peer {
    struct rpc_listen *listen;
    struct sp_conn *conn; /* of listen_sp.c: NULL when it is over */
    struct list link;     /* of listen_nng.c: under its lock */
    uint32_t pipe, session;
    atomic_uint refs;
    atomic_bool greeted;  /* said HELLO */
    atomic_uint received; /* messages from it */
    atomic_uint stale;    /* of these, meant for an earlier connection */
    /* Messages to it, and how many of them it has confirmed: NNG queues 64 for a
     * connection and drops what is above (xrep.c), so no lane sends beyond
     * RPC_UNCONFIRMED_MAX. */
    atomic_uint sent, confirmed;
    struct rpc_outbox *outboxes[RPC_LANES_MAX]; /* each its lane's */
};

struct rpc_listen_ops {
    /* The handler owns the message, and has the peer for the time of the call only. */
    void (*message)(void *arg, struct rpc_peer *peer, struct rpc_inbound *in);
    /* The peer's connection is over. */
    void (*gone)(void *arg, struct rpc_peer *peer);
    /* rpc_listen_drain: once per peer, in one of the lanes. */
    void (*drain)(void *arg, struct rpc_peer *peer);
    /* rpc_listen_cancel of another lane. */
    void (*cancel)(void *arg, struct rpc_peer *peer, uint32_t call);
    /* rpc_listen_credit likewise. */
    void (*credit)(void *arg, struct rpc_peer *peer, uint32_t call, uint32_t more);
    /* rpc_peer_may_send said no, and may say yes now. */
    void (*room)(void *arg, struct rpc_peer *peer);
};

/* Listens at once and reads when the first lane has joined. NULL: *why is a sentence. */
struct rpc_listen *rpc_listen_create(const char *url, const struct rpc_listen_ops *ops,
                                     const char **why);
/* When all lanes have left. */
void rpc_listen_destroy(struct rpc_listen *l);
/* The URL with the bound port. */
const char *rpc_listen_url(const struct rpc_listen *l);

/* In the loop's thread; at most RPC_LANES_MAX times. *lane: its index, for outboxes[]. */
void rpc_listen_join(struct rpc_listen *l, struct loop *loop, void *arg, int *lane);
void rpc_listen_leave(struct rpc_listen *l, int lane);

/* Any thread: refuses new connections and hands those there are to ops->drain. */
void rpc_listen_drain(struct rpc_listen *l);
/* Tells the other lanes that a peer gave up a call: it is with one of them, or over. */
void rpc_listen_cancel(struct rpc_listen *l, int from, struct rpc_peer *p, uint32_t call);
/* Or takes more of its reply. */
void rpc_listen_credit(struct rpc_listen *l, int from, struct rpc_peer *p, uint32_t call,
                       uint32_t more);
/* Any thread: connections that have said HELLO. */
unsigned rpc_listen_greeted(struct rpc_listen *l);

void rpc_peer_ref(struct rpc_peer *p);
void rpc_peer_unref(struct rpc_peer *p);
/* It said HELLO; false: not for the first time. */
bool rpc_peer_greet(struct rpc_peer *p);
/* In a lane that serves it: closes the connection; ops->gone follows in every lane. */
void rpc_peer_close(struct rpc_peer *p);
/* Likewise: may one more message be sent now? If so, and only then, it is sent. */
bool rpc_peer_may_send(struct rpc_peer *p);
void rpc_peer_confirm(struct rpc_peer *p, uint32_t received);
/* After rpc_peer_may_send: a message in two parts. False: there was no room after all, it
 * is not sent, and the same may be tried again in a moment. */
bool rpc_peer_send(struct rpc_peer *p, struct str head, struct str frames);

/* ---- the kinds -------------------------------------------------------------- */

struct rpc_listen_kind {
    void (*destroy)(struct rpc_listen *l);
    void (*join)(struct rpc_listen *l, struct loop *loop, void *arg, int *lane);
    void (*leave)(struct rpc_listen *l, int lane);
    void (*drain)(struct rpc_listen *l);
    void (*cancel)(struct rpc_listen *l, int from, struct rpc_peer *p, uint32_t call);
    void (*credit)(struct rpc_listen *l, int from, struct rpc_peer *p, uint32_t call,
                   uint32_t more);
    unsigned (*greeted)(struct rpc_listen *l);
    void (*greet)(struct rpc_peer *p); /* NULL: it need not know */
    void (*close)(struct rpc_peer *p);
    bool (*may_send)(struct rpc_peer *p);
    bool (*send)(struct rpc_peer *p, struct str head, struct str frames);
};

enum { RPC_URL_MAX = 300 };

/* The first member of each kind's own. */
struct rpc_listen {
    const struct rpc_listen_kind *kind;
    const struct rpc_listen_ops *ops;
    char url[RPC_URL_MAX];
};

struct rpc_listen *rpc_listen_nng(const char *url, const struct rpc_listen_ops *ops,
                                  const char **why);
/* NULL and *why NULL: the URL is not for this kind. */
struct rpc_listen *rpc_listen_sp(const char *url, const struct rpc_listen_ops *ops,
                                 const char **why);
/* With the port that was bound, when the URL asked for any. */
void rpc_listen_name(struct rpc_listen *l, const char *url, int port);
/* Its one reference is the caller's. */
struct rpc_peer *rpc_peer_create(struct rpc_listen *l, uint32_t pipe);

#endif
