// SPDX-License-Identifier: Apache-2.0
/*
 * The calling end of one connection without NNG: sp_wire.h as a REQ socket, on a socket
 * of the loop's own, for tcp://ADDRESS:PORT and ipc://PATH. The other side is listen_sp.c
 * or an NNG REP socket and sees no difference. No thread is involved, so a call costs no
 * switch between threads. Life, handlers and promises are those of dial.h, which uses it.
 */
#ifndef KIT_RPC_SP_H
#define KIT_RPC_SP_H

#include "kit/rpc/dial.h"

struct rpc_sp;

/* NULL when the URL is of another kind. */
struct rpc_sp *rpc_sp_create(struct loop *l, const char *url,
                             const struct rpc_dial_ops *ops, void *arg);
/* No handler runs afterwards; also from within one. */
void rpc_sp_close(struct rpc_sp *s);
enum rpc_sending rpc_sp_send(struct rpc_sp *s, struct str head, struct str frames);
void rpc_sp_unsend(struct rpc_sp *s);
void rpc_sp_break(struct rpc_sp *s);

#endif
