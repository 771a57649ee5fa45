// SPDX-License-Identifier: Apache-2.0
/* GET /v1/jobs/{id}/result: chunk after chunk, each asked for when the one before has
 * left, in a flow of its own whose memory goes with it: a client who reads slowly holds
 * one of them. */
#include "gateway/edge/internal.h"
#include "gateway/edge/request.h"
#include "gateway/edge/respond.h"
#include "gateway/flows/flows.h"
#include "proto/jobs.h"

/* In the arena of the request, which outlives the flow: a client that goes may still be
 * called back for what was written. */
struct sending {
    struct request *rq;
    struct job_result_query next;
    struct wait part;    /* asked for, then on its way to the client */
    struct flow *asking; /* for it; NULL: it has come */
    bool more, forgotten;
};

static enum step ask(struct flow *part)
{
    struct sending *s = part->owner;

    return rpc_await(part, s->rq->edge->rpc, &JOBS_RESULT, &s->next, part->out,
                     flow_done);
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

static void left(void *sending)
{
    struct sending *s = sending;

    if (!s->forgotten)
        wait_end(&s->part, NULL);
}

static void send_part(struct sending *s, const struct job_result *part)
{
    struct arena *a = &s->rq->http->arena;

    if (!s->rq->streaming)
        respond_stream(s->rq, arena_str(a, part->content_type).p,
                       disposition(a, part->filename));
    s->more = part->more && s->rq->http->method != HTTP_HEAD;
    s->rq->sent += part->bytes.n;
    http_stream_write(s->rq->http, part->bytes, left, s);
}

static void asked(struct flow *part, const struct err *err)
{
    struct sending *s = part->owner;

    if (s->asking != part)
        return;
    s->asking = NULL;
    if (err)
        wait_end(&s->part, err_copy(&s->part.flow->arena, err));
    else
        send_part(s, part->out);
}

static void forget(struct wait *w)
{
    struct sending *s = CONTAINER_OF(w, struct sending, part);
    struct flow *asking = s->asking;

    s->forgotten = true;
    s->asking = NULL;
    if (asking)
        flow_cancel(asking, ERR_STATIC(CANCELLED));
}

static enum step part_left(struct flow *f);

static enum step send_next(struct flow *f)
{
    struct sending *s = f->state;
    struct flow *part = flow_child(f, asked, s);

    part->out = ARENA_NEW(&part->arena, struct job_result);
    wait_begin(f, &s->part, forget, true);
    s->asking = part;
    flow_start(part, ask);
    return flow_await(f, part_left);
}

static enum step part_left(struct flow *f)
{
    struct sending *s = f->state;

    if (!s->more)
        return flow_done(f);
    s->next.chunk++;
    return send_next(f);
}

enum step job_result(struct flow *f)
{
    struct request *rq = request_of(f);
    struct sending *s = f->state = ARENA_NEW(&rq->http->arena, struct sending);
    const struct by_id *job = f->in;

    s->rq = rq;
    WIRE_SET(&s->next, id, job->id);
    WIRE_SET(&s->next, chunk, 0);
    return send_next(f);
}
