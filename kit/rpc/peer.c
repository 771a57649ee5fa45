// SPDX-License-Identifier: Apache-2.0
/* One connection as all lanes see it: its life, and how much is on its way to it. */
#include "kit/rpc/listen.h"

#include <stdlib.h>

void rpc_peer_ref(struct rpc_peer *p)
{
    atomic_fetch_add(&p->refs, 1);
}

void rpc_peer_unref(struct rpc_peer *p)
{
    if (atomic_fetch_sub(&p->refs, 1) == 1)
        free(p);
}

void rpc_peer_close(struct rpc_peer *p)
{
    nng_pipe_close((nng_pipe){p->pipe});
}

bool rpc_peer_may_send(struct rpc_peer *p)
{
    unsigned sent = atomic_load(&p->sent);

    do {
        if (sent - atomic_load(&p->confirmed) >= RPC_UNCONFIRMED_MAX)
            return false;
    } while (!atomic_compare_exchange_weak(&p->sent, &sent, sent + 1));
    return true;
}

/* Lanes see heads out of order: only a later count is news. */
void rpc_peer_confirm(struct rpc_peer *p, uint32_t received)
{
    unsigned old = atomic_load(&p->confirmed);

    while ((int32_t)(received - old) > 0 &&
           (int32_t)(atomic_load(&p->sent) - received) >= 0)
        if (atomic_compare_exchange_weak(&p->confirmed, &old, received))
            return;
}
