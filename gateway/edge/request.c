// SPDX-License-Identifier: Apache-2.0
/* The life of a request: who it is, its flow, its end. */
#include "gateway/edge/request.h"

#include "gateway/edge/internal.h"
#include "gateway/edge/respond.h"
#include "kit/obs/trace.h"

enum { REQUEST_ID_MAX = 128 };

/* ---- identity of the request ---- */

static bool is_id(struct str s)
{
    if (s.n == 0 || s.n > REQUEST_ID_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
              (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.'))
            return false;
    }
    return true;
}

static void identify(struct request *rq)
{
    struct flow *f = rq->flow;
    struct str sent = http_header(rq->http, "x-request-id");
    char trace_id[32];

    rq->http->client_ip =
        client_address(&rq->edge->client, rq->http, rq->http->client_ip);
    rq->id = is_id(sent) ? sent : uuid_str(&rq->http->arena, uuid_new());
    trace_continue(&f->trace, http_header(rq->http, "traceparent"));
    hex_encode(f->trace.trace_id, sizeof f->trace.trace_id, trace_id);
    f->log.request_id = rq->id;
    f->log.trace_id = arena_str(&f->arena, (struct str){trace_id, sizeof trace_id});
}

/* ---- life ---- */

static void ended(struct flow *f, const struct err *e)
{
    struct request *rq = request_of(f);

    rq->http->gone = NULL;
    respond(rq, e);
    access_note(rq->edge->access, rq, e);
    if (rq->streaming && e)
        http_stream_abort(rq->http);
    else if (rq->streaming)
        http_stream_end(rq->http);
}

static void client_gone(struct http_req *http)
{
    struct request *rq = http->user;

    flow_cancel(rq->flow, ERR_STATIC(CANCELLED));
}

static struct request *create(struct edge *edge, struct http_req *http)
{
    struct request *rq = ARENA_NEW(&http->arena, struct request);

    rq->edge = edge;
    rq->http = http;
    rq->flow = flow_create(edge->loop, edge->conf.request_timeout_ms, ended, rq);
    rq->flow->env = edge;
    http->user = rq;
    http->gone = client_gone;
    identify(rq);
    return rq;
}

void request_begin(struct edge *edge, struct http_req *http, flow_step first)
{
    flow_start(create(edge, http)->flow, first);
}

void request_head(void *arg, struct http_req *http)
{
    struct request *rq = create(arg, http);

    rq->body_comes = true;
    flow_start(rq->flow, pipeline_begin);
}

/* The body of a request that has begun with its head, or one without. */
void request_handle(void *arg, struct http_req *http)
{
    struct edge *edge = arg;
    struct request *rq = http->user;

    if (!rq) {
        request_begin(edge, http, pipeline_begin);
        return;
    }
    flow_set_deadline(rq->flow, edge->conf.request_timeout_ms);
    wait_end(&rq->body_wait, NULL);
}

static enum step refuse(struct flow *f)
{
    return flow_fail(f, f->state);
}

void request_refused(void *arg, struct http_req *http, const struct err *e)
{
    struct request *rq = http->user;

    if (rq) {
        flow_cancel(rq->flow, e);
        return;
    }
    rq = create(arg, http);
    rq->flow->state = (void *)(uintptr_t)e;
    flow_start(rq->flow, refuse);
}

/* ---- the body ---- */

/* kit/http knows by itself that nobody waits any more: it is answered. */
static void stop_waiting(struct wait *w)
{
    (void)w;
}

/* kit/http has a deadline for the body; that of the work begins when it is there. */
enum step request_body(struct flow *f, flow_step next)
{
    struct request *rq = request_of(f);
    const struct edge_conf *conf = &rq->edge->conf;
    const struct err *e;

    if (!rq->body_comes)
        return next(f);
    e = http_take_body(rq->http, route_body_max(rq->match.route, conf->body_bytes));
    if (e)
        return flow_fail(f, e);
    wait_begin(f, &rq->body_wait, stop_waiting, false);
    flow_set_deadline(f, conf->http.request_ms + conf->request_timeout_ms);
    return flow_await(f, next);
}
