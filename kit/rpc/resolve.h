// SPDX-License-Identifier: Apache-2.0
/*
 * The addresses of a host name, asked for again every few seconds by one thread of the
 * process (names are shared between loops). While the name service fails, the last good
 * answer stands.
 */
#ifndef KIT_RPC_RESOLVE_H
#define KIT_RPC_RESOLVE_H

#include "kit/loop/loop.h"

enum { RPC_ADDRESSES_MAX = 256, RPC_RESOLVE_MS = 3000 };

/* URLs "tcp://1.2.3.4:7101" and "tcp://[::1]:7101", sorted, each once. */
struct rpc_addresses {
    unsigned n;
    char *urls[RPC_ADDRESSES_MAX];
};

struct rpc_addresses *rpc_addresses_copy(const struct rpc_addresses *from);
void rpc_addresses_free(struct rpc_addresses *a);
bool rpc_addresses_have(const struct rpc_addresses *a, const char *url);

struct rpc_resolve;

/* fn is called in the loop with the first good answer and whenever it has changed. */
struct rpc_resolve *rpc_resolve_create(struct loop *l, const char *host, const char *port,
                                       void (*fn)(void *arg,
                                                  const struct rpc_addresses *now),
                                       void *arg);
/* No call of fn afterwards. */
void rpc_resolve_destroy(struct rpc_resolve *r);

#endif
