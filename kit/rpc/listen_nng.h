// SPDX-License-Identifier: Apache-2.0
/*
 * The NNG listener from within: listen_nng.c has the socket, its connections and what
 * NNG's threads call; nng_lanes.c takes what they have to the loops. Each call of theirs
 * becomes an event posted under the lock, so that a lane which has left under the lock is
 * never posted to.
 */
#ifndef KIT_RPC_LISTEN_NNG_H
#define KIT_RPC_LISTEN_NNG_H

#include "kit/rpc/listen.h"
#include "kit/rpc/tls.h"

#include <nng/nng.h>
#include <pthread.h>
#include <stdatomic.h>

enum { NNG_PEER_BUCKETS = 256 };

struct nng_lane {
    struct loop *loop; /* NULL: left */
    void *arg;
    atomic_uint inbox; /* weight of the messages on their way to it */
};

struct nng_listen {
    struct rpc_listen base;
    nng_socket socket;
    nng_listener listener;
    struct rpc_tls_user tls;
    nng_aio *receive;

    atomic_uint refs; /* the owner's, and one per event under way */

    pthread_mutex_t lock;
    struct list peers[NNG_PEER_BUCKETS]; /* by pipe */
    unsigned peers_n;
    struct nng_lane lanes[RPC_LANES_MAX];
    int lanes_n, next_lane;
    bool draining, paused; /* paused: nothing is being received */
    atomic_bool listening;
};

enum nng_event_kind {
    NNG_EVENT_MESSAGE,
    NNG_EVENT_GONE,
    NNG_EVENT_DRAIN,
    NNG_EVENT_CANCEL,
    NNG_EVENT_CREDIT
};

struct nng_event {
    struct loop_post post;
    struct nng_listen *listen;
    int lane;
    enum nng_event_kind kind;
    struct rpc_peer *peer;
    struct rpc_inbound *in;
    uint32_t call, more;
};

static inline struct nng_listen *nng_of(struct rpc_listen *base)
{
    return CONTAINER_OF(base, struct nng_listen, base);
}

/* ---- nng_lanes.c ---- */

/* Under the lock. */
void nng_lanes_post(struct nng_listen *l, int lane, struct nng_event from);
void nng_lanes_post_to_all_but(struct nng_listen *l, int but, struct nng_event e);
/* The next lane that has room, or the next at all; -1 when none is open. */
int nng_lanes_choose(struct nng_listen *l);
/* False: no lane has room for another message. */
bool nng_lanes_have_room(const struct nng_listen *l);

/* Those of rpc_listen_kind; they take the lock. */
void nng_lanes_join(struct rpc_listen *base, struct loop *loop, void *arg, int *lane);
void nng_lanes_leave(struct rpc_listen *base, int lane);
void nng_lanes_cancel(struct rpc_listen *base, int from, struct rpc_peer *p,
                      uint32_t call);
void nng_lanes_credit(struct rpc_listen *base, int from, struct rpc_peer *p,
                      uint32_t call, uint32_t more);

/* The owner's share of it, or an event's. */
void nng_listen_unref(struct nng_listen *l);

#endif
