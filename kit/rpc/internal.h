// SPDX-License-Identifier: Apache-2.0
/*
 * The calling side from within: client (one per loop) -> upstreams (services) -> replicas
 * (addresses) -> calls. All of it belongs to the client's loop.
 *
 *   call.c      a call from its start to its one end, retries between
 *   hedge.c     a second try beside the first
 *   upstream.c  the replicas that are up, and how many calls they may have
 *   sources.c   where their addresses come from
 *   pick.c      which of them takes a call
 *   replica.c   one address: states, connection, loss
 *   batch.c     what leaves for it
 *   receive.c   what comes from it
 */
#ifndef KIT_RPC_INTERNAL_H
#define KIT_RPC_INTERNAL_H

#include "kit/guard/breaker.h"
#include "kit/guard/gradient.h"
#include "kit/guard/latency.h"
#include "kit/rpc/budget.h"
#include "kit/rpc/client.h"
#include "kit/rpc/dial.h"
#include "kit/rpc/frame.h"
#include "kit/rpc/resolve.h"
#include "kit/rpc/slots.h"
#include "kit/rpc/stats.h"

#include <stdatomic.h>

enum {
    RPC_TRIES_MAX = 3,
    RPC_UPSTREAMS_MAX = 16,
    RPC_SOURCES_MAX = 64, /* parts of one upstream's URL list */
    RPC_METHOD_BUCKETS = 64,
    RPC_PULSE_MS = 5000,    /* silence before a PING */
    RPC_SILENCE_MS = 15000, /* silence that means the connection is dead */
    RPC_IN_FLIGHT_MIN = 100,
    RPC_IN_FLIGHT_MAX = 20000,
    RPC_CALM_MS = 100,
    RPC_OUT_MAX = RPC_BATCH_BYTES + RPC_FRAME_MAX,
    RPC_GONE_MAX = 64, /* vanished addresses whose breaker is remembered */
};

/* ---- calls ---------------------------------------------------------------------------
 */

/* Where a call is; `link` is in the replica's list of that name. */
enum rpc_call_place { RPC_NOWHERE, RPC_QUEUED, RPC_IN_HAND, RPC_SENT };

/* What the end of a call says about its replica. */
enum rpc_verdict {
    RPC_VERDICT_OK,
    RPC_VERDICT_REFUSED, /* well, but it did no work: how quickly says nothing */
    RPC_VERDICT_FAILED,
    RPC_VERDICT_LOST, /* with its connection: a failure, but nothing about how quickly */
    RPC_VERDICT_NONE,
};

/* The CALL frame as of now. */
void rpc_call_frame(const struct rpc_call *call, int64_t now_us, struct rpc_frame *f);

/* The flow's next step may run before one of these returns. */
/* The answer is here; the frame is of type REPLY. */
void rpc_call_replied(struct rpc_call *call, struct rpc_inbound *in,
                      const struct rpc_frame *f);
/* A chunk is here; false: it is not wanted. stream_in.c. */
bool rpc_stream_take(struct rpc_call *call, struct str bytes);
/* The connection is gone; its place says whether it had been sent. */
void rpc_call_lost(struct rpc_call *call);
/* A hedged call's second try, when the first is slow; and no more of it. */
void rpc_hedge_begin(struct rpc_call *call);
void rpc_hedge_end(struct rpc_call *call, int64_t now_us);
/* The call that a try belongs to: itself, but for a twin. */
struct rpc_call *rpc_hedge_call(struct rpc_call *try);
/* The other try is still out. */
bool rpc_hedge_other(const struct rpc_call *try);

/* Between the call's own files. Off its replica, if it is with one. */
void rpc_call_detach(struct rpc_call *call, enum rpc_verdict v, int64_t now_us,
                     bool cancel);
/* Gives the call to a replica that is not `avoid` (may be NULL). */
MUST_CHECK const struct err *rpc_call_dispatch(struct rpc_call *call,
                                               const struct rpc_replica *avoid);
/* The client is going. */
void rpc_call_drop(struct rpc_call *call);

/* ---- replicas ------------------------------------------------------------------------
 */

/*   state, name: what it means */
#define RPC_REPLICA_STATES(S)                                                            \
    S(CONNECTING, "connecting") /* dialling, or waiting for HELLO */                     \
    S(UP, "up")                 /* takes calls */                                        \
    S(DRAINING, "draining")     /* said GOAWAY, or its address vanished: no new calls */ \
    S(GONE, "gone")             /* not dialled; kept for its breaker's sake */

enum rpc_replica_state {
#define RPC_REPLICA_ENUM(state, name) RPC_REPLICA_##state,
    RPC_REPLICA_STATES(RPC_REPLICA_ENUM)
#undef RPC_REPLICA_ENUM
        RPC_REPLICA_STATE_COUNT
};

struct rpc_replica {
    struct rpc_upstream *upstream;
    struct list link; /* in its upstream, oldest first */
    char *url;
    enum rpc_replica_state state;
    bool wanted;       /* still among the upstream's addresses */
    unsigned up_index; /* in upstream->up while UP */
    struct rpc_dial *dial;
    bool connected;               /* the dial is up, HELLO answered or not */
    bool refused;                 /* HELLO was wrong; said so in the log */
    bool going;                   /* the service said GOAWAY on this connection */
    bool sending;                 /* NNG will tell when it has taken what is in hand... */
    bool hand_lost;               /* ...but the connection it was meant for is gone */
    unsigned earned;              /* answers on this connection, see rpc_call_lost() */
    uint32_t session;             /* 0 until HELLO is answered */
    uint32_t received, confirmed; /* messages; of these the other side knows */
    int64_t heard_us;
    bool far; /* in another zone than we are */
    struct latency latency;
    struct breaker breaker;
    int64_t opened_us;                /* when it last did */
    enum breaker_state breaker_shown; /* as last given to the metric */
    struct metric *breaker_metric;
    struct rpc_slots slots;
    struct list queued, in_hand, sent;
    unsigned outstanding; /* calls in the three lists */
    struct buf control;   /* frames about the connection, and CANCELs */
    struct loop_task flush;
    struct loop_timer pulse;
};

/* NULL when NNG refuses the URL: *why is a sentence for people. */
struct rpc_replica *rpc_replica_create(struct rpc_upstream *u, const char *url,
                                       const char **why);
/* Calls under way are dropped. */
void rpc_replica_destroy(struct rpc_replica *r);
/* Whether the address is still in use; a vanished one drains, one that is back dials. */
void rpc_replica_want(struct rpc_replica *r, bool wanted);

/* Queues a call for the end of the turn. False: RPC_SLOTS_MAX are under way. */
MUST_CHECK bool rpc_replica_take(struct rpc_replica *r, struct rpc_call *call);
/* Takes a call off the replica; if it was sent and `cancel`, the service is told. */
void rpc_replica_release(struct rpc_replica *r, struct rpc_call *call, bool cancel);

/* Once per call taken. */
void rpc_replica_judge(struct rpc_replica *r, unsigned method, enum rpc_verdict v,
                       int64_t now_us, int64_t took_us);
void rpc_replica_show_breaker(struct rpc_replica *r, int64_t now_us);

/* Between the replica's own files. Control frames leave before calls. */
void rpc_replica_enter(struct rpc_replica *r, enum rpc_replica_state next);
void rpc_replica_lose(struct list *calls);
void rpc_replica_control(struct rpc_replica *r, const struct rpc_frame *f);
void rpc_replica_flush_later(struct rpc_replica *r);
void rpc_replica_flush(struct loop_task *t);
bool rpc_replica_must_confirm(const struct rpc_replica *r);
void rpc_replica_message(void *arg, struct rpc_inbound *in);
/* After a message that NNG had no room for at first. */
void rpc_replica_sent(void *arg, bool ok);

/* ---- upstreams ------------------------------------------------------------------------
 */

struct rpc_source {
    struct rpc_upstream *upstream;
    struct rpc_resolve *resolve; /* NULL: a literal address */
    char *tls_host;              /* NULL: not over TLS */
    struct rpc_addresses *addresses;
};

struct rpc_upstream {
    struct rpc_client *client;
    char *service;
    struct list replicas;
    struct rpc_replica **up; /* those UP: the near ones, then the far ones */
    unsigned up_n, near_n, up_room;
    atomic_uint usable; /* of these, with a breaker that lets calls through; any thread */
    struct rpc_budget budget;
    struct gradient limit;
    unsigned limit_shown, in_flight_shown; /* as last given to the metrics */
    struct metric *limit_metric, *in_flight_metric, *shed[PRIORITY_COUNT];
    struct rpc_source sources[RPC_SOURCES_MAX];
    unsigned sources_n;
    struct loop_timer tick;
    struct metric *retries, *hedges, *states[RPC_REPLICA_STATE_COUNT];
};

MUST_CHECK const struct err *rpc_upstream_create(struct rpc_client *c, struct arena *a,
                                                 const char *service, const char *urls,
                                                 struct rpc_upstream **out);
void rpc_upstream_destroy(struct rpc_upstream *u);

/* The replica for a call, its breaker asked; NULL when there is none: *retry_after_ms is
 * when there may be one. Never `avoid` (may be NULL). */
struct rpc_replica *rpc_upstream_pick(struct rpc_upstream *u,
                                      const struct rpc_replica *avoid, int64_t now_us,
                                      int64_t *retry_after_ms);
void rpc_upstream_up(struct rpc_upstream *u, struct rpc_replica *r);
void rpc_upstream_not_up(struct rpc_upstream *u, struct rpc_replica *r);
/* May one call more be begun? Then rpc_upstream_left follows once. */
MUST_CHECK bool rpc_upstream_enter(struct rpc_upstream *u, enum priority p);
void rpc_upstream_left(struct rpc_upstream *u);
void rpc_upstream_recount(struct rpc_upstream *u, int64_t now_us);
/* Whose certificate the address must show; NULL when it is not over TLS. */
const char *rpc_upstream_host(const struct rpc_upstream *u, const char *url);
/* Of sources.c: the parts of a URL list, an error names the bad one; and their end. */
MUST_CHECK const struct err *rpc_upstream_add(struct rpc_upstream *u, struct arena *a,
                                              const char *urls);
void rpc_upstream_forget_sources(struct rpc_upstream *u);

/* ---- the client -----------------------------------------------------------------------
 */

struct rpc_method_stats {
    struct rpc_method_stats *next;
    uint16_t method;
    struct rpc_stats stats;
};

struct rpc_client {
    struct loop *loop;
    struct rpc_client_conf conf;
    struct breaker_conf breaker; /* of every replica */
    char *zone;
    struct rpc_upstream *upstreams[RPC_UPSTREAMS_MAX];
    atomic_uint upstreams_n;
    bool closing;
    struct rpc_method_stats *methods[RPC_METHOD_BUCKETS];
    struct buf scratch; /* bodies on their way into a flow's arena */
    struct buf out;     /* frames on their way into a socket */
};

struct rpc_upstream *rpc_client_upstream(const struct rpc_client *c, const char *service);
struct rpc_stats *rpc_client_stats(struct rpc_client *c, const struct rpc_method *m);

#endif
