// SPDX-License-Identifier: Apache-2.0
/* Which kind answers at a URL, and what the kinds have in common. */
#include "kit/rpc/listen.h"

#include <stdio.h>

struct rpc_listen *rpc_listen_create(const char *url, const struct rpc_listen_ops *ops,
                                     const char **why)
{
    struct rpc_listen *l;

    *why = NULL;
    l = rpc_listen_sp(url, ops, why);
    return l || *why ? l : rpc_listen_nng(url, ops, why);
}

void rpc_listen_destroy(struct rpc_listen *l)
{
    if (l)
        l->kind->destroy(l);
}

const char *rpc_listen_url(const struct rpc_listen *l)
{
    return l->url;
}

void rpc_listen_name(struct rpc_listen *l, const char *url, int port)
{
    const char *colon = strrchr(url, ':');

    if (port > 0 && colon)
        snprintf(l->url, sizeof l->url, "%.*s:%d", (int)(colon - url), url, port);
    else
        snprintf(l->url, sizeof l->url, "%s", url);
}

void rpc_listen_join(struct rpc_listen *l, struct loop *loop, void *arg, int *lane)
{
    l->kind->join(l, loop, arg, lane);
}

void rpc_listen_leave(struct rpc_listen *l, int lane)
{
    l->kind->leave(l, lane);
}

void rpc_listen_drain(struct rpc_listen *l)
{
    l->kind->drain(l);
}

void rpc_listen_cancel(struct rpc_listen *l, int from, struct rpc_peer *p, uint32_t call)
{
    if (l->kind->cancel)
        l->kind->cancel(l, from, p, call);
}

void rpc_listen_credit(struct rpc_listen *l, int from, struct rpc_peer *p, uint32_t call,
                       uint32_t more)
{
    if (l->kind->credit)
        l->kind->credit(l, from, p, call, more);
}

unsigned rpc_listen_greeted(struct rpc_listen *l)
{
    return l->kind->greeted(l);
}
