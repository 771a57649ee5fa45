// SPDX-License-Identifier: Apache-2.0
/* What the gateway itself publishes. */
#include "gateway/edge/internal.h"
#include "gateway/edge/request.h"
#include "gateway/flows/flows.h"

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
