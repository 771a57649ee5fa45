// SPDX-License-Identifier: Apache-2.0
/* What the gateway itself publishes. */
#include "gateway/edge/internal.h"
#include "gateway/edge/request.h"
#include "gateway/flows/flows.h"
#include "proto/errors.h"

WIRE_DEFINE(docs_file, DOCS_FILE)

enum step serve_openapi(struct flow *f)
{
    struct request *rq = request_of(f);

    rq->body = rq->edge->conf.openapi;
    rq->etag = rq->edge->conf.openapi_etag;
    return flow_done(f);
}

enum step serve_jwks(struct flow *f)
{
    struct request *rq = request_of(f);

    rq->body = keys_jwks(rq->edge->keys);
    if (rq->body.p == NULL)
        return flow_fail_code(f, &ERR_CODE_UNAVAILABLE,
                              "The keys have not been fetched yet");
    return flow_done(f);
}

/* ---- pages ---- */

static enum step serve_page(struct flow *f, struct str name)
{
    struct request *rq = request_of(f);
    const struct page *page = pages_find(rq->edge->conf.pages, name);

    if (!page)
        return flow_fail_code(f, &ERR_CODE_ROUTE_NOT_FOUND, "There is no such page");
    rq->body = page->body;
    rq->packed = page->packed;
    rq->etag = page->etag;
    rq->media = page->media;
    return flow_done(f);
}

enum step serve_docs(struct flow *f)
{
    return serve_page(f, STR("index.html"));
}

enum step serve_docs_file(struct flow *f)
{
    const struct docs_file *in = f->in;

    return serve_page(f, in->name);
}
