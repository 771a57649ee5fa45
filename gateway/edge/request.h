// SPDX-License-Identifier: Apache-2.0
/*
 * One request on its way. It lives in the arena of its http_req; its flow carries it
 * (f->owner). A step leaves the answer here, and the flow's end sends it.
 */
#ifndef GATEWAY_EDGE_REQUEST_H
#define GATEWAY_EDGE_REQUEST_H

#include "gateway/edge/api_keys.h"
#include "gateway/edge/limit.h"
#include "gateway/edge/router.h"
#include "kit/http/http.h"
#include "kit/rpc/client.h"

struct edge;

enum { REQUEST_PAIRS_MAX = 32 };

struct request {
    struct edge *edge;
    struct http_req *http;
    struct flow *flow;
    struct str id;
    struct router_match match;
    struct str token;            /* of Authorization: Bearer */
    bool by_proof;               /* it came as DPoP */
    struct proving *proving;     /* gateway/edge/prove.c */
    struct str jkt;              /* whose proof was good; absent: none was asked for */
    struct api_key_use *api_key; /* when the token is one; else NULL */
    uint32_t scopes;             /* of the key that was found good */
    const struct err *refusal;   /* of the credential; the address is counted first */
    struct str key;              /* Idempotency-Key, where the route takes one */
    bool body_comes; /* the way has begun with the head, and http_take_body() is due */
    struct wait body_wait;
    struct str counted_ip; /* the client's address as limits count it */
    struct limit_take limit;
    struct http_pair *pairs; /* of the query */
    int n_pairs;
    struct rpc_call call; /* of a plain route */

    /* The answer: msgpack of the route's reply, or a body as it is; without both, f->out.
     */
    struct str reply;
    struct str body;      /* absent: none */
    struct str packed;    /* `body` by gzip, when it is there already */
    struct str etag;      /* of `body`, when it is known already */
    const char *media;    /* of `body`; NULL: the route's */
    bool streaming;       /* http_stream_start() was called */
    struct str elsewhere; /* 308 to this URL */

    int status; /* what was sent, and how many bytes of body */
    size_t sent;
};

static inline struct request *request_of(const struct flow *f)
{
    return f->owner;
}

/* What kit/http calls; arg is the edge. A request with a body comes twice: its head, and
 * when the pipeline has let it pass, the whole. */
void request_head(void *arg, struct http_req *http);
void request_handle(void *arg, struct http_req *http);
void request_refused(void *arg, struct http_req *http, const struct err *e);

/* Of a plain address that only sends to https: 308 and the same target. */
void redirect_handle(void *arg, struct http_req *http);

/* Its flow starts with `first`. */
void request_begin(struct edge *edge, struct http_req *http, flow_step first);

/* The first step of every request. */
enum step pipeline_begin(struct flow *f);
/* A step: lets the body come, then `next`. Nothing of it is read before. */
MUST_CHECK enum step request_body(struct flow *f, flow_step next);
/* A step: f->caller is known (gateway/edge/authenticate.h), or err says why nobody is. */
MUST_CHECK enum step pipeline_identified(struct flow *f, const struct err *err);

#endif
