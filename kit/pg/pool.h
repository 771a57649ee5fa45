// SPDX-License-Identifier: Apache-2.0
/*
 * The pool from the inside: who holds what while a query is under way.
 *
 * A unit is one wait of a flow: a query and those joined to it. It lies in the pool's
 * `reads` or `writes` until the turn ends, then in a segment. A segment is what lies
 * between two syncs: one write unit, or some reads. It lies in its connection until its
 * sync comes back. Units and segments live on the heap, as the results of a query have to
 * be counted off even when its flow has gone.
 */
#ifndef KIT_PG_POOL_H
#define KIT_PG_POOL_H

#include "kit/guard/breaker.h"
#include "kit/obs/metrics.h"
#include "kit/pg/pg.h"
#include "kit/resolve/resolve.h"

#include <libpq-fe.h>
#include <stdatomic.h>

enum {
    PG_READS_PER_SYNC = 32, /* statements */
    PG_DEPTH = 256,         /* statements under way on one connection */
    PG_TRIES = 3,           /* of one unit: first and repeats */
    PG_CONNECT_MS = 10000,  /* until a connection attempt is given up */
    PG_WAIT_DOWN_MS = 1000, /* for a connection while there is none at all */
    PG_STALL_MS = 2000,     /* of silence, on top of statement_timeout_ms */
    PG_SWEEP_MS = 100,
    PG_BACKOFF_MS = 50,
    PG_BACKOFF_MAX_MS = 2000,
};

/* What an SQLSTATE means for the unit (outcome.c). */
enum pg_verdict {
    PG_BROKEN,      /* the statement is wrong: internal */
    PG_VIOLATED,    /* a constraint or a RAISE EXCEPTION: for the rules to judge */
    PG_TIMED_OUT,   /* statement_timeout */
    PG_REPEAT,      /* rolled back in favour of another transaction */
    PG_ELSEWHERE,   /* this connection cannot do it, another one may */
    PG_EXHAUSTED,   /* the server lacks something: unavailable */
    PG_DISCONNECTED /* no more to come from this connection */
};

struct pg_failure {
    bool failed;
    enum pg_verdict verdict;
    char sqlstate[6];
    struct pg_query *query; /* the one that failed; NULL when its flow has gone */
    struct str text;        /* constraint or message, in the flow's arena */
};

struct pg_unit {
    struct list link;
    struct pg_pool *pool;
    struct pg_query *first; /* NULL: cancelled, results are dropped */
    struct pg_query *at;    /* whose result comes next */
    struct pg_conn *conn;   /* while it is sent */
    unsigned n;             /* statements */
    unsigned seen, done;    /* of them, with any result, with a good one */
    bool writes, alone, sent;
    unsigned tries;
    int64_t started_us, give_up_us;
    struct pg_failure failure;
};

struct pg_segment {
    struct list link;
    struct list units;
    struct list *at; /* the unit whose result comes next */
    unsigned n;      /* statements */
};

/* What a connection's server says about a prepared statement. */
struct pg_described {
    int n_params;
    unsigned *types;
    uint64_t layout;
};

enum pg_conn_state {
    PG_CONN_DOWN,
    PG_CONN_RESOLVING,
    PG_CONN_CONNECTING,
    PG_CONN_PREPARING,
    PG_CONN_READY
};
enum { PG_CONN_STATES = PG_CONN_READY + 1 };

/* A request to cancel what a connection does. */
struct pg_cancel {
    PGcancelConn *request; /* NULL: none under way */
    struct loop_fd *fd;
    struct loop_timer timer; /* until one is made, or has taken too long */
    int64_t about_us;        /* when the last one was; 0: none on this connection */
};

struct pg_conn {
    struct pg_pool *pool;
    enum pg_conn_state state;
    struct resolve *resolve;                     /* a question that is open */
    const char *const *keywords, *const *values; /* with the addresses of hosts */
    PGconn *pg;
    struct loop_fd *fd;
    struct loop_timer timer; /* of the state */
    struct pg_cancel cancel;
    unsigned attempt;
    int64_t ready_us;     /* since when */
    struct list segments; /* sent, oldest first */
    unsigned in_flight;   /* statements in them */
    int64_t progress_us;  /* last result, or when the first segment was sent */
    struct arena arena;   /* dies with the connection */
    struct pg_described *described;
    unsigned prepared; /* results seen while preparing */
    bool unflushed, retiring;
    bool refused; /* a statement could not be prepared */
};

/* Lookups by one statement (lookup.c). */
struct pg_gather {
    struct pg_pool *pool;
    const struct pg_stmt *one, *many;
    struct list asked;  /* struct pg_lookup, in no batch yet */
    unsigned waiting;   /* of them */
    unsigned under_way; /* batches */
    struct loop_task task;
};

struct pg_prepared {
    const struct pg_stmt *stmt;
    struct pg_gather gather;
    struct metric *duration;
    struct pg_maps *maps;
};

struct pg_pool {
    struct loop *loop;
    char *name;
    const char **keywords, **values; /* for PQconnectStartParams */
    int64_t statement_timeout_ms;
    unsigned max_waiting, waiting;
    struct list reads, writes; /* units that wait for a connection */
    struct loop_task flush;
    struct loop_task handshook; /* queued: a connection took a step of its handshake */
    struct loop_timer sweep;
    struct breaker breaker;
    enum breaker_state breaker_shown; /* as last given to the metric */
    bool closing;
    bool begun; /* to connect, with all connections: the first has ended its try */
    _Atomic unsigned ready;          /* connections */
    _Atomic int64_t refuse_until_us; /* 0 while the breaker is not open */
    struct metric *m_conns[PG_CONN_STATES], *m_breaker, *m_lost, *m_cancels;
    unsigned n_stmts;
    struct pg_prepared *stmts;
    unsigned n_conns;
    struct pg_conn conns[];
};

/* ---- conn.c ---- */
void pg_conn_init(struct pg_conn *c, struct pg_pool *p);
void pg_conn_fini(struct pg_conn *c);
/* Ends or repeats what is under way and connects anew. Runs flows. */
void pg_conn_lose(struct pg_conn *c, const char *why);
/* Writes what was queued; c->unflushed is over. Runs flows when the connection is lost.
 */
void pg_conn_flush(struct pg_conn *c);

/* ---- prepare.c ---- */
bool pg_prepare_send(struct pg_conn *c);
/* Takes a result; true at the end of preparing. */
bool pg_prepare_result(struct pg_conn *c, PGresult *r);

/* ---- segment.c ---- */
/* Sends units, which are then the connection's. Those that cannot be sent come back in
 * `broken`, to be ended. false: the connection is to be lost. */
MUST_CHECK bool pg_segment_send(struct pg_conn *c, struct list *units,
                                struct list *broken);
/* Takes a result of the oldest segment. false: the connection is to be lost. Runs flows.
 */
MUST_CHECK bool pg_segment_result(struct pg_conn *c, PGresult *r);
/* The unit whose result comes next; NULL when the connection has nothing to do. */
struct pg_unit *pg_segment_current(const struct pg_conn *c);
/* The connection is lost. Runs flows. */
void pg_segments_abandon(struct list *segments);

/* ---- cancel.c ---- */
void pg_cancel_init(struct pg_conn *c);
/* Results came, or a flow has gone: is what the connection does still wanted? */
void pg_cancel_look(struct pg_conn *c);
/* May a statement have been cancelled by us, whoever it was meant for? */
bool pg_cancel_about(const struct pg_conn *c);
/* The connection is going. */
void pg_cancel_stop(struct pg_conn *c);

/* ---- outcome.c ---- */
enum pg_verdict pg_verdict(const char *sqlstate);
/* Records r as the failure of u, logs what nobody else will, counts it. */
void pg_failure_note(struct pg_unit *u, const PGresult *r);
void pg_count_error(const char *sqlstate);

/* ---- query.c ---- */
unsigned pg_stmt_index(const struct pg_pool *p, const struct pg_stmt *stmt);
const struct err *pg_refusal(struct arena *a, const struct pg_pool *p,
                             const struct err_code *code);

/* ---- lookup.c ---- */
void pg_gather_init(struct pg_gather *g, struct pg_pool *p);
/* The pool is closing. Runs flows. */
void pg_gather_close(struct pg_gather *g);

/* ---- unit.c ---- */
enum pg_health { PG_HEALTHY, PG_SICK, PG_UNTOLD };
/* u must be in no list; frees it and ends the wait. Runs flows. */
void pg_unit_end(struct pg_unit *u, const struct err_code *code, enum pg_health health);
/* To the front of its queue. */
void pg_unit_repeat(struct pg_unit *u);
/* All results of u are there and its transaction is over. Runs flows. */
void pg_unit_settle(struct pg_unit *u);

/* ---- pool.c ---- */
bool pg_pool_allow(struct pg_pool *p);
void pg_pool_report(struct pg_pool *p, enum pg_health health, int64_t took_us);
/* When another try is worth while. */
int64_t pg_pool_retry_after_ms(const struct pg_pool *p);
void pg_pool_flush_soon(struct pg_pool *p);
void pg_pool_watch(struct pg_pool *p);
/* A connection came or went. */
void pg_pool_count_ready(struct pg_pool *p, int change);

#endif
