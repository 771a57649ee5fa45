// SPDX-License-Identifier: Apache-2.0
/* The calling side's owner: upstreams by service, statistics by method. */
#include "kit/base/mem.h"
#include "kit/rpc/internal.h"

#include <stdlib.h>

struct rpc_client *rpc_client_create(struct loop *l, const struct rpc_client_conf *conf)
{
    struct rpc_client *c = MEM_NEW(struct rpc_client);

    c->loop = l;
    c->conf = *conf;
    c->breaker = BREAKER_DEFAULTS;
    if (conf->slow_ms)
        c->breaker.slow_ms = (uint32_t)conf->slow_ms;
    c->zone = mem_strdup(conf->zone ? conf->zone : "");
    buf_init(&c->scratch, RPC_FRAME_MAX);
    buf_init(&c->out, RPC_OUT_MAX);
    return c;
}

static void free_stats(struct rpc_client *c)
{
    for (int i = 0; i < RPC_METHOD_BUCKETS; i++) {
        struct rpc_method_stats *s;

        while ((s = c->methods[i])) {
            c->methods[i] = s->next;
            free(s);
        }
    }
}

void rpc_client_destroy(struct rpc_client *c)
{
    unsigned n;

    if (!c)
        return;
    c->closing = true;
    n = atomic_load(&c->upstreams_n);
    for (unsigned i = 0; i < n; i++)
        rpc_upstream_destroy(c->upstreams[i]);
    rpc_dial_wait_closed();
    free_stats(c);
    buf_fini(&c->scratch);
    buf_fini(&c->out);
    free(c->zone);
    free(c);
}

/* The count is stored last: other threads see whole upstreams only. */
const struct err *rpc_client_add(struct rpc_client *c, struct arena *a,
                                 const char *service, const char *urls)
{
    unsigned n = atomic_load(&c->upstreams_n);
    const struct err *err;

    if (n == RPC_UPSTREAMS_MAX)
        return err_new(a, &ERR_CODE_BAD_PARAMETERS, "upstream of %s: there are too many",
                       service);
    err = rpc_upstream_create(c, a, service, urls, &c->upstreams[n]);
    if (!err)
        atomic_store(&c->upstreams_n, n + 1);
    return err;
}

struct rpc_upstream *rpc_client_upstream(const struct rpc_client *c, const char *service)
{
    unsigned n = atomic_load_explicit(&c->upstreams_n, memory_order_acquire);

    for (unsigned i = 0; i < n; i++)
        if (strcmp(c->upstreams[i]->service, service) == 0)
            return c->upstreams[i];
    return NULL;
}

bool rpc_client_up(const struct rpc_client *c, const char *service)
{
    const struct rpc_upstream *u = rpc_client_upstream(c, service);

    return u && atomic_load_explicit(&u->usable, memory_order_relaxed) > 0;
}

struct rpc_stats *rpc_client_stats(struct rpc_client *c, const struct rpc_method *m)
{
    struct rpc_method_stats **bucket = &c->methods[m->id % RPC_METHOD_BUCKETS];
    struct rpc_method_stats *s = *bucket;

    while (s && s->method != m->id)
        s = s->next;
    if (s)
        return &s->stats;
    s = MEM_NEW(struct rpc_method_stats);
    s->method = m->id;
    rpc_stats_init(&s->stats, RPC_CALLING, m->name);
    s->next = *bucket;
    *bucket = s;
    return &s->stats;
}
