// SPDX-License-Identifier: Apache-2.0
/* The server: its methods, and which loops serve it. */
#include "kit/rpc/server.h"

#include "kit/base/mem.h"
#include "kit/rpc/serve.h"

#include <stdlib.h>

static int compare_ids(const void *a, const void *b)
{
    const struct rpc_handler *x = a, *y = b;

    return (int)x->method->id - (int)y->method->id;
}

int rpc_server_row(const struct rpc_server *s, uint16_t method)
{
    unsigned low = 0, high = s->methods_n;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (s->methods[middle].method->id < method)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->methods_n && s->methods[low].method->id == method ? (int)low : -1;
}

static void take_methods(struct rpc_server *s, const struct rpc_handler *handlers)
{
    unsigned n = 0;

    while (handlers[n].method)
        n++;
    s->methods = mem_alloc(n * sizeof *handlers + 1);
    memcpy(s->methods, handlers, n * sizeof *handlers);
    s->methods_n = n;
    qsort(s->methods, n, sizeof *s->methods, compare_ids);
}

const struct err *rpc_server_create(struct arena *a, const struct rpc_server_conf *conf,
                                    struct rpc_server **out)
{
    struct rpc_server *s = MEM_NEW(struct rpc_server);
    const char *why = NULL;

    s->service = mem_strdup(conf->service);
    s->zone = mem_strdup(conf->zone ? conf->zone : "");
    s->max_in_flight = conf->max_in_flight;
    take_methods(s, conf->handlers);
    list_init(&s->lanes);
    pthread_mutex_init(&s->lock, NULL);
    s->in_flight_metric = metrics_gauge("viaduct_hop_in_flight",
                                        "Calls of other processes under way", NULL);
    s->listen = rpc_listen_create(conf->url, &rpc_lane_ops, &why);
    *out = s;
    if (s->listen)
        return NULL;
    rpc_server_destroy(s);
    *out = NULL;
    return err_new(a, &ERR_CODE_UNAVAILABLE, "cannot listen at %s: %s", conf->url, why);
}

void rpc_server_join(struct rpc_server *s, struct loop *l, const void *env)
{
    struct rpc_lane *lane = rpc_lane_create(s, l, env);

    pthread_mutex_lock(&s->lock);
    list_push(&s->lanes, &lane->link);
    pthread_mutex_unlock(&s->lock);
    rpc_listen_join(s->listen, l, lane, &lane->index);
}

static struct rpc_lane *take_lane(struct rpc_server *s, const struct loop *l)
{
    struct rpc_lane *found = NULL;

    pthread_mutex_lock(&s->lock);
    LIST_EACH (it, &s->lanes) {
        struct rpc_lane *lane = CONTAINER_OF(it, struct rpc_lane, link);

        if (lane->loop == l)
            found = lane;
    }
    if (found)
        list_remove(&found->link);
    pthread_mutex_unlock(&s->lock);
    return found;
}

static void end_lane(struct rpc_server *s, struct rpc_lane *lane)
{
    rpc_listen_leave(s->listen, lane->index);
    rpc_lane_destroy(lane);
}

void rpc_server_leave(struct rpc_server *s, struct loop *l)
{
    struct rpc_lane *lane = take_lane(s, l);

    if (lane)
        end_lane(s, lane);
}

void rpc_server_drain(struct rpc_server *s)
{
    atomic_store(&s->draining, true);
    rpc_listen_drain(s->listen);
}

unsigned rpc_server_in_flight(const struct rpc_server *s)
{
    unsigned n = atomic_load(&s->in_flight);

    return atomic_load(&s->draining) ? n + rpc_listen_greeted(s->listen) : n;
}

void rpc_server_destroy(struct rpc_server *s)
{
    struct list *it;

    if (!s)
        return;
    while ((it = list_pop(&s->lanes)))
        end_lane(s, CONTAINER_OF(it, struct rpc_lane, link));
    rpc_listen_destroy(s->listen);
    pthread_mutex_destroy(&s->lock);
    free(s->methods);
    free(s->service);
    free(s->zone);
    free(s);
}

const char *rpc_server_url(const struct rpc_server *s)
{
    return rpc_listen_url(s->listen);
}
