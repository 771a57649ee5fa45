// SPDX-License-Identifier: Apache-2.0
/* GET /v1/jobs/{id}/result: chunk after chunk, each asked for when the one before has
 * left. */
#include "gateway/edge/internal.h"
#include "gateway/edge/request.h"
#include "gateway/edge/respond.h"
#include "gateway/flows/flows.h"
#include "proto/jobs.h"

/* Outlives the flow: a client that goes may still be called back for what was written. */
struct leaving {
    struct wait wait;
    bool forgotten;
};

struct sending {
    struct job_result_query in;
    struct job_result chunk;
};

static enum step chunk_came(struct flow *f);

static enum step ask(struct flow *f)
{
    struct sending *s = f->state;

    s->chunk = (struct job_result){0};
    return rpc_await(f, request_of(f)->edge->rpc, &JOBS_RESULT, &s->in, &s->chunk,
                     chunk_came);
}

static enum step chunk_left(struct flow *f)
{
    struct sending *s = f->state;

    if (!s->chunk.more)
        return flow_done(f);
    s->in.chunk++;
    return ask(f);
}

static void forget(struct wait *w)
{
    CONTAINER_OF(w, struct leaving, wait)->forgotten = true;
}

static void drained(void *arg)
{
    struct leaving *l = arg;

    if (!l->forgotten)
        wait_end(&l->wait, NULL);
}

/* A name that needs no quoting, whatever the service says. */
static struct str disposition(struct arena *a, struct str filename)
{
    char *name = arena_alloc(a, filename.n + 1);

    for (size_t i = 0; i < filename.n; i++) {
        char c = filename.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                     (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';

        name[i] = plain ? c : '_';
    }
    return arena_printf(a, "attachment; filename=\"%s\"", name);
}

static enum step chunk_came(struct flow *f)
{
    struct sending *s = f->state;
    struct request *rq = request_of(f);
    struct arena *a = &rq->http->arena;
    struct leaving *l = ARENA_NEW(a, struct leaving);

    if (!rq->streaming)
        respond_stream(rq, arena_str(a, s->chunk.content_type).p,
                       disposition(a, s->chunk.filename));
    rq->sent += s->chunk.bytes.n;
    wait_begin(f, &l->wait, forget, true);
    http_stream_write(rq->http, s->chunk.bytes, drained, l);
    return flow_await(f, chunk_left);
}

enum step job_result(struct flow *f)
{
    struct sending *s = ARENA_NEW(&f->arena, struct sending);
    const struct by_id *job = f->in;

    f->state = s;
    WIRE_SET(&s->in, id, job->id);
    WIRE_SET(&s->in, chunk, 0);
    return ask(f);
}
