// SPDX-License-Identifier: Apache-2.0
/*
 * The calling end of one connection: a raw REQ socket that dials one address, for ever,
 * and is bound to a loop; every handler runs in it. For tcp and ipc the loop speaks the
 * wire format itself (sp.h); with TLS it is NNG, whose threads only post to the loop.
 *
 * Life: rpc_dial_create -> (up -> messages -> down) again and again -> rpc_dial_close. A
 * message that NNG still holds when the connection breaks goes out on the next one; the
 * session in its head lets the other side tell and drop it.
 */
#ifndef KIT_RPC_DIAL_H
#define KIT_RPC_DIAL_H

#include "kit/loop/loop.h"
#include "kit/rpc/message.h"

struct rpc_dial;

struct rpc_dial_ops {
    void (*up)(void *arg);
    void (*down)(void *arg);
    /* On the connection that is up. The handler owns the message. */
    void (*message)(void *arg, struct rpc_inbound *in);
    /* After RPC_SEND_LATER: whether NNG took the message. */
    void (*sent)(void *arg, bool ok);
};

/* `url`: tcp://ADDRESS:PORT, tls+tcp://ADDRESS:PORT, ipc://PATH, inproc://NAME. With TLS
 * `server_name` is what the certificate of the other side must be for. NULL when NNG
 * refuses it: *why is a sentence for people. */
struct rpc_dial *rpc_dial_create(struct loop *l, const char *url, const char *server_name,
                                 const struct rpc_dial_ops *ops, void *arg,
                                 const char **why);
/* No handler runs afterwards. Closing an NNG socket waits for NNG's threads, for tens of
 * milliseconds at times: `later` leaves that to a helper thread, for use in a running
 * loop. */
void rpc_dial_close(struct rpc_dial *d);
void rpc_dial_close_later(struct rpc_dial *d);
/* Before the loop is destroyed: what was to be closed later is closed. */
void rpc_dial_wait_closed(void);

enum rpc_sending { RPC_SEND_DONE, RPC_SEND_LATER };
/* A message in two parts, whose bytes are the caller's again. After RPC_SEND_LATER no
 * other until ops->sent. */
enum rpc_sending rpc_dial_send(struct rpc_dial *d, struct str head, struct str frames);
/* Gives up what RPC_SEND_LATER announced; ops->sent follows and tells. */
void rpc_dial_unsend(struct rpc_dial *d);
/* Breaks the connection that is up; ops->down follows, then NNG dials anew. */
void rpc_dial_break(struct rpc_dial *d);

#endif
