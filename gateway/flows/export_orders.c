// SPDX-License-Identifier: Apache-2.0
/*
 * GET /v1/exports/orders: the chunks of a stream of the hop as a chunked body. The next
 * one is taken when the one before has left for the client, so that a slow client slows
 * all of it down to the database; at most RPC_STREAM_WINDOW chunks are here.
 */
#include "gateway/edge/internal.h"
#include "gateway/edge/request.h"
#include "gateway/edge/respond.h"
#include "gateway/flows/flows.h"
#include "kit/rpc/stream.h"
#include "proto/orders.h"

/* In the arena of the request, which outlives the flow: a client that goes may still be
 * called back for what was written. */
struct export
{
    struct rpc_stream *stream;
    struct wait leaving; /* the chunk that was written */
    bool forgotten;
};

static enum step chunk_came(struct flow *f);

static enum step next_chunk(struct flow *f)
{
    const struct export *e = f->state;

    return rpc_stream_next(f, e->stream, chunk_came);
}

static void forget(struct wait *w)
{
    CONTAINER_OF(w, struct export, leaving)->forgotten = true;
}

static void drained(void *arg)
{
    struct export *e = arg;

    if (!e->forgotten)
        wait_end(&e->leaving, NULL);
}

/* Not before it is known that there is an answer. */
static void start_body(struct request *rq)
{
    if (!rq->streaming)
        respond_stream(rq, rq->match.route->media,
                       STR("attachment; filename=\"orders.ndjson\""));
}

static enum step chunk_came(struct flow *f)
{
    struct export *e = f->state;
    struct request *rq = request_of(f);
    struct str chunk = rpc_stream_chunk(e->stream);

    start_body(rq);
    if (!chunk.p)
        return flow_done(f);
    rq->sent += chunk.n;
    wait_begin(f, &e->leaving, forget, true);
    http_stream_write(rq->http, chunk, drained, e);
    return flow_await(f, next_chunk);
}

enum step export_orders(struct flow *f)
{
    struct request *rq = request_of(f);
    struct export *e = f->state = ARENA_NEW(&rq->http->arena, struct export);

    if (rq->http->method == HTTP_HEAD) {
        start_body(rq);
        return flow_done(f);
    }
    e->stream = rpc_stream_open(f, rq->edge->rpc, &ORDERS_EXPORT, f->in);
    return next_chunk(f);
}
