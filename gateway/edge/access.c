// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/access.h. Metric handles are looked up once per route and status. */
#include "gateway/edge/access.h"

#include "gateway/edge/request.h"
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/obs/metrics.h"

#include <stdio.h>
#include <stdlib.h>

enum { STATUS_FIRST = 200, STATUS_COUNT = 400 };

struct access {
    const struct route *routes;
    unsigned n;
    /* by route (the last row: none matched) and status */
    struct metric *(*latency)[STATUS_COUNT];
};

struct access *access_create(const struct route *routes)
{
    struct access *a = MEM_NEW(struct access);

    a->routes = routes;
    while (routes[a->n].path)
        a->n++;
    a->latency = mem_alloc((a->n + 1) * sizeof *a->latency);
    return a;
}

void access_destroy(struct access *a)
{
    if (!a)
        return;
    free(a->latency);
    free(a);
}

static struct metric *latency(struct access *a, const struct request *rq)
{
    const struct route *route = rq->match.route;
    size_t row = route ? (size_t)(route - a->routes) : a->n;
    struct metric **m = &a->latency[row][rq->status - STATUS_FIRST];
    char status[12];

    if (*m)
        return *m;
    (void)snprintf(status, sizeof status, "%d", rq->status);
    *m = metrics_histogram("viaduct_http_request_duration_seconds",
                           "From the whole head to the whole answer", "route",
                           route ? route->path : "none", "method",
                           route ? http_method_name(route->method) : "any", "status",
                           status, NULL);
    return *m;
}

void access_note(struct access *a, const struct request *rq, const struct err *e)
{
    int64_t us = clock_mono_us() - rq->http->start_us;

    metric_observe_us(latency(a, rq), us);
    LOG_INFO(&rq->flow->log, "http.request",
             KV("method", http_method_name(rq->http->method)), KV("status", rq->status),
             KV("us", us), KV("bytes_in", (int64_t)rq->http->body.n),
             KV("bytes_out", (int64_t)rq->sent), KV("code", e ? e->code->name : "ok"));
}
