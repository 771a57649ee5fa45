// SPDX-License-Identifier: Apache-2.0
/* One connection as all lanes see it: its life, and how much is on its way to it. */
#include "kit/rpc/listen.h"

#include "kit/base/id.h"
#include "kit/base/mem.h"

#include <stdlib.h>

static uint32_t new_session(void)
{
    uint32_t session = 0;

    while (session == 0)
        random_bytes(&session, sizeof session);
    return session;
}

struct rpc_peer *rpc_peer_create(struct rpc_listen *l, uint32_t pipe)
{
    struct rpc_peer *p = MEM_NEW(struct rpc_peer);

    p->listen = l;
    p->pipe = pipe;
    p->session = new_session();
    atomic_init(&p->refs, 1);
    list_init(&p->link);
    return p;
}

void rpc_peer_ref(struct rpc_peer *p)
{
    atomic_fetch_add(&p->refs, 1);
}

void rpc_peer_unref(struct rpc_peer *p)
{
    if (atomic_fetch_sub(&p->refs, 1) == 1)
        free(p);
}

bool rpc_peer_greet(struct rpc_peer *p)
{
    if (atomic_exchange(&p->greeted, true))
        return false;
    if (p->listen->kind->greet)
        p->listen->kind->greet(p);
    return true;
}

void rpc_peer_close(struct rpc_peer *p)
{
    p->listen->kind->close(p);
}

bool rpc_peer_may_send(struct rpc_peer *p)
{
    return p->listen->kind->may_send(p);
}

bool rpc_peer_send(struct rpc_peer *p, struct str head, struct str frames)
{
    return p->listen->kind->send(p, head, frames);
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
