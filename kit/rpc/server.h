// SPDX-License-Identifier: Apache-2.0
/*
 * The answering side of the hop: one port per process, its connections dealt out to the
 * process's loops (listen.h). Per CALL frame: decode and validate by the method's table,
 * make a flow with the caller's deadline, trace and identity, run the handler's first
 * step; the flow's end is the REPLY. A frame that cannot be decoded ends its connection
 * and counts in viaduct_hop_bad_frames_total; the process stays.
 */
#ifndef KIT_RPC_SERVER_H
#define KIT_RPC_SERVER_H

#include "kit/flow/flow.h"
#include "kit/wire/method.h"

struct rpc_server;

/* f->in is the decoded request, f->out a zeroed reply, f->env the loop's env. */
struct rpc_handler {
    const struct rpc_method *method;
    flow_step first;
};

struct rpc_server_conf {
    const char *service;                /* "orders" */
    const char *zone;                   /* where it runs, said to callers; may be NULL */
    const char *url;                    /* "tcp://0.0.0.0:7102" */
    const struct rpc_handler *handlers; /* ends with {NULL, NULL} */
    unsigned max_in_flight; /* per loop; above it calls are answered `overloaded` */
};

/* Listens at once; calls are served by loops as they join. */
MUST_CHECK const struct err *rpc_server_create(struct arena *a,
                                               const struct rpc_server_conf *conf,
                                               struct rpc_server **out);
/* In the loop's own thread. */
void rpc_server_join(struct rpc_server *s, struct loop *l, const void *env);
/* In the loop's own thread, before the loop is destroyed: it gets no more calls, and
 * those under way in it end with request.cancelled. */
void rpc_server_leave(struct rpc_server *s, struct loop *l);
/* Any thread: GOAWAY to every caller, no new pipes; calls under way go on. */
void rpc_server_drain(struct rpc_server *s);
/* Any thread: calls under way in all loops; while draining also the callers that have not
 * yet gone, so that at 0 every answer has arrived. */
unsigned rpc_server_in_flight(const struct rpc_server *s);
/* When no loop that joined runs any more, and before they are destroyed; those that have
 * not left do so now. */
void rpc_server_destroy(struct rpc_server *s);

/* What came with a call beside what its flow holds; valid as long as the flow. */
struct rpc_request {
    const struct rpc_method *method;
    struct str body; /* msgpack, as it came */
    struct str key;  /* Idempotency-Key; absent when there is none */
    bool repeated;   /* sent before, and the answer was lost */
};
/* NULL in a flow that was not made for a call. */
const struct rpc_request *rpc_request(const struct flow *f);

/* The bound URL, with the real port when the conf said 0. */
const char *rpc_server_url(const struct rpc_server *s);

#endif
