// SPDX-License-Identifier: Apache-2.0
/*
 * What the two files of the listener that speaks SP itself share: listen_sp.c has the
 * port and deals its connections out to the lanes, sp_conn.c is one connection. A
 * connection belongs to its lane's loop; it becomes a peer when the other side has opened
 * as a REQ socket does, and ends when that has not said HELLO within ten seconds.
 */
#ifndef KIT_RPC_SP_CONN_H
#define KIT_RPC_SP_CONN_H

#include "kit/rpc/listen.h"
#include "kit/rpc/sp_wire.h"

#include <pthread.h>

struct sp_listen;

struct sp_lane {
    struct sp_listen *listen;
    struct loop *loop; /* NULL: left; changed under the lock */
    void *arg;
    unsigned load;          /* connections, those on their way included; under the lock */
    struct list conns;      /* the loop's, as all that follows */
    struct loop_fd *port;   /* accepts; NULL: drained */
    struct loop_timer calm; /* the process has no descriptors left: accept later */
    struct loop_post drain;
    uint32_t named; /* connections so far */
};

struct sp_listen {
    struct rpc_listen base;
    bool ipc;
    const char *path; /* of ipc: in base.url */
    int fd;
    atomic_uint refs; /* the owner's, and one per post under way */
    atomic_uint greeted;
    pthread_mutex_t lock;
    struct sp_lane lanes[RPC_LANES_MAX];
    int lanes_n;
    unsigned load;
    bool draining;
};

/* In the lane's loop; takes the descriptor. */
void sp_conn_create(struct sp_lane *lane, int fd);
/* In the lane's loop: ends it; ops->gone follows in the next turn if it was a peer. */
void sp_conn_close(struct sp_conn *c);
/* Ends all at once, without a word to the lane. */
void sp_conns_drop(struct sp_lane *lane);
/* All that are not yet peers end, the others are handed to ops->drain. */
void sp_conns_drain(struct sp_lane *lane);

void sp_conn_greet(struct rpc_peer *p);
bool sp_conn_may_send(struct rpc_peer *p);
bool sp_conn_send(struct rpc_peer *p, struct str head, struct str frames);

/* One connection less. */
void sp_listen_left(struct sp_lane *lane);

#endif
