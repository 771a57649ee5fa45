// SPDX-License-Identifier: Apache-2.0
/*
 * The calling side of the hop. One client per loop; it owns, per upstream, a set of
 * replicas (one REQ connection per address), each with a circuit breaker and a batch
 * of frames that leaves at the end of the loop turn. Calls have our own ids; a lost pipe
 * fails its pending calls at once. NNG's threads only post to the loop.
 *
 * Which replica: of those in our zone, else of all others, two at random, and the one
 * that is cheaper by calls under way and latency of late (kit/guard/latency.h). How many
 * calls one service may have at a time follows its latency (kit/guard/gradient.h), so a
 * slow one never holds all that the process can hold; what is over it is refused at once,
 * bulk first (flow->priority).
 *
 * A call ends with: the reply; the service's own error (its code looked up in `codes`);
 * `unavailable` when nothing was sent (no replica, breaker open, retry budget spent);
 * `unknown_outcome` when the pipe broke after sending and the call must not be sent
 * again; `overloaded` beyond the limit; `request.deadline`. Idempotent calls are sent
 * again elsewhere on their own, within the retry budget; what a lost connection leaves
 * open is paid for by the answers that came on it.
 */
#ifndef KIT_RPC_CLIENT_H
#define KIT_RPC_CLIENT_H

#include "kit/flow/flow.h"
#include "kit/wire/method.h"

struct rpc_client;

struct rpc_client_conf {
    const char *self; /* name of this process, in HELLO */
    const struct err_code *const
        *codes;         /* every code a reply may carry, NULL-terminated */
    const char *zone;   /* replicas elsewhere only when none here can; NULL, "": none */
    unsigned in_flight; /* calls at a time to one service, at most; 0: 20000 */
    unsigned in_flight_min; /* ...and at least, however slow it is; 0: 100 */
    int64_t slow_ms;  /* when four of five calls take so long, a replica is left alone for
                         a  while; 0: as the breaker sees fit */
    int64_t hedge_ms; /* a read without an answer is asked again elsewhere; 0: not */
};

/* Once per process before the first client or listener; bounds NNG's threads. */
void rpc_process_init(void);

struct rpc_client *rpc_client_create(struct loop *l, const struct rpc_client_conf *conf);
/* In the loop's thread, or after it. Open calls end with request.cancelled. */
void rpc_client_destroy(struct rpc_client *c);

/* Whether rpc_client_add() would take them; names the setting and the bad part. */
MUST_CHECK const struct err *rpc_urls_check(struct arena *a, const char *setting,
                                            const char *urls);
/* `urls`: "tcp://host:port", "ipc:///path", "inproc://name", comma-separated for several
 * replicas; every address of a host name is a replica. An error names the bad part. */
MUST_CHECK const struct err *rpc_client_add(struct rpc_client *c, struct arena *a,
                                            const char *service, const char *urls);
/* At least one replica of the service is connected and its breaker lets calls through.
 * Any thread, once the services have been added; up to a second late about breakers. */
bool rpc_client_up(const struct rpc_client *c, const char *service);

/* One call. Lives in the flow's arena, zeroed by the caller. */
struct rpc_call {
    struct wait wait; /* wait.err: how it ended */
    const struct rpc_method *method;
    struct str reply; /* msgpack bytes of a good reply, valid as long as the flow */

    /* Optional, set before the start: the service does the work of one key once, so the
     * call may be sent again as if its method were idempotent. 1 to 255 bytes of UTF-8.
     */
    struct str idempotency_key;

    /* private */
    struct rpc_stream *stream; /* NULL: the reply is one piece */
    int64_t first_us;          /* when its first chunk came */
    struct rpc_client *client;
    struct rpc_upstream *upstream;
    struct rpc_replica *replica;
    struct list link;      /* by age in its replica */
    unsigned place;        /* which of its lists */
    bool admitted;         /* counts in its upstream's limit */
    bool hedging;          /* the timer `hedge` is set */
    struct str request_id; /* for the service's log */
    struct str body;
    size_t frame_bytes;
    void *out;
    uint32_t id, tries;
    int64_t begun_us, sent_us, deadline_us;
    struct loop_timer timer, hedge;
    struct rpc_call *twin, *twin_of; /* kit/rpc/hedge.c */
};

/* Starts a call; its end is one wait of the flow (so several can be side by side, then
 * flow_await). `in` is a struct of m->in; `out`, when not NULL, a zeroed one of m->out to
 * decode the reply into. The trace context, caller and remaining time of the flow go
 * along. */
void rpc_start(struct flow *f, struct rpc_call *call, struct rpc_client *c,
               const struct rpc_method *m, const void *in, void *out, bool required);
/* One required call, then `next`. */
MUST_CHECK enum step rpc_await(struct flow *f, struct rpc_client *c,
                               const struct rpc_method *m, const void *in, void *out,
                               flow_step next);

#endif
