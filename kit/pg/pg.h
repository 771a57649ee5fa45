// SPDX-License-Identifier: Apache-2.0
/*
 * PostgreSQL: a pool per loop of connections in pipeline mode. Statements are named, come
 * from store/sql/NAME.sql (one file each) and are prepared on every connection before it
 * is used. Queries of one turn leave together at its end.
 *
 * A read may share a sync with other reads (if one fails, the others are repeated
 * singly); a write is a segment of its own: everything between two syncs is one implicit
 * transaction. After a lost connection, reads are repeated elsewhere, writes end with
 * `unknown_outcome` if they had been sent and `unavailable` if not. A circuit breaker
 * stands before the pool. When a flow ends before its query does (its deadline, its
 * caller gone), the server is asked to cancel it.
 *
 *     struct pg_query *q = pg_query(f, env->pg, &sql_user_by_id);
 *     pg_uuid(q, id);
 *     return pg_await(f, q, user_loaded);      // step user_loaded reads q->rows
 */
#ifndef KIT_PG_PG_H
#define KIT_PG_PG_H

#include "kit/flow/flow.h"
#include "kit/wire/wire.h"

struct pg_pool;

/* Made by the build from a .sql file; `writes` when its first line is "-- write". */
struct pg_stmt {
    const char *name;
    const char *sql;
    bool writes;
};

struct pg_conf {
    const char *conninfo;               /* libpq URI or keywords */
    const struct pg_stmt *const *stmts; /* all that this pool uses, NULL-terminated */
    unsigned connections;
    unsigned max_waiting; /* queries waiting for a connection; above it `overloaded` */
    int64_t statement_timeout_ms;
    const char *name; /* of the pool, in metrics: "primary" */
};

/* Connects in the background, and again for ever with back-off. Dies on a conninfo that
 * libpq cannot parse: the option table has checked it. Everything in conf but `stmts` is
 * copied. */
struct pg_pool *pg_pool_create(struct loop *l, const struct pg_conf *conf);
/* Queries that are still open end with `unavailable` (or `unknown_outcome`, see above).
 */
void pg_pool_destroy(struct pg_pool *p);
/* At least one connection is ready and the breaker does not refuse calls. Any thread. */
bool pg_pool_up(const struct pg_pool *p);

/* The rows of a result; columns are binary on the wire, read by position. Valid as long
 * as the flow. */
struct pg_rows {
    void *result; /* PGresult */
    int count;
    int64_t affected;

    /* private */
    int first;            /* row of the result */
    struct pg_maps *maps; /* column -> field, by message; kept with the statement */
    uint64_t layout;      /* hash of the column names and types */
};

struct pg_query {
    struct wait
        wait; /* wait.err: unavailable, unknown_outcome, request.deadline, internal;
                 a constraint that failed is not an err but `violated` */
    struct pg_rows rows;
    struct str violated; /* name of the violated constraint (SQLSTATE class 23), or
                            absent; P0001 raised by a statement gives its message here */

    /* private */
    struct pg_pool *pool;
    struct arena *arena;   /* of the flow */
    unsigned stmt;         /* index among the statements of the pool */
    struct pg_query *then; /* next statement of the same segment */
    struct pg_unit *unit;  /* while it is open, in the first of a segment */
    struct pg_param *params;
    struct pg_value *values; /* params as they are sent */
    int n_params, params_room;
};

/* stmt must be in the pool's conf. */
struct pg_query *pg_query(struct flow *f, struct pg_pool *p, const struct pg_stmt *stmt);
/* A further statement in the same segment (same implicit transaction) as `first`. */
struct pg_query *pg_query_then(struct flow *f, struct pg_query *first,
                               const struct pg_stmt *stmt);

/* Parameters in order, $1 first. Strings and arrays are not copied: they live as long as
 * the flow. The server's idea of a parameter's type wins: integers fit smallint to bigint
 * (checked for range), and what has no binary form here goes as text, so pg_str() also
 * serves jsonb, numeric or an enum type. What cannot be converted ends the query with
 * `internal`. */
void pg_null(struct pg_query *q);
void pg_uuid(struct pg_query *q, struct uuid v);   /* uuid */
void pg_str(struct pg_query *q, struct str v);     /* text; NULL when absent */
void pg_bytes(struct pg_query *q, struct str v);   /* bytea; NULL when absent */
void pg_i64(struct pg_query *q, int64_t v);        /* bigint */
void pg_i32(struct pg_query *q, int32_t v);        /* integer */
void pg_flag(struct pg_query *q, bool v);          /* boolean */
void pg_time(struct pg_query *q, int64_t wall_us); /* timestamptz */
void pg_i64_opt(struct pg_query *q, bool has, int64_t v);
void pg_flag_opt(struct pg_query *q, bool has, bool v);
void pg_time_opt(struct pg_query *q, bool has, int64_t wall_us);
void pg_uuid_opt(struct pg_query *q, bool has, struct uuid v);
void pg_uuid_array(struct pg_query *q, const struct uuid *v, size_t n); /* uuid[] */
void pg_i64_array(struct pg_query *q, const int64_t *v, size_t n);      /* bigint[] */
void pg_str_array(struct pg_query *q, const struct str *v, size_t n);   /* text[] */

/* Starts the query (and those joined by pg_query_then) as one wait of the flow. */
void pg_start(struct flow *f, struct pg_query *q, bool required);
/* One required query, then `next`. */
MUST_CHECK enum step pg_await(struct flow *f, struct pg_query *q, flow_step next);

/* ---- many reads by id, as one statement ---- */

struct pg_lookup {
    struct wait wait;    /* as a query's */
    struct pg_rows rows; /* of this id: one or none */

    /* private */
    struct pg_gather *gather;
    struct uuid id;
    struct list link; /* among those that are in no batch yet */
    struct pg_batch *batch;
    unsigned place; /* in it */
};

/* Starts a read, as a required wait, that may share its statement with other lookups:
 * those of a turn, and all that come while two statements are under way, unless they fill
 * a third. `one` has the parameter uuid and serves an id that is alone; `many` has uuid[]
 * and the same columns. There is a row of an id or none, and its first column is the id.
 * It is read after it was asked for. A lookup that is cancelled leaves the others theirs;
 * the server is asked to cancel the statement when all of them have gone. */
struct pg_lookup *pg_lookup(struct flow *f, struct pg_pool *p, const struct pg_stmt *one,
                            const struct pg_stmt *many, struct uuid id);

/* Reading. A NULL gives absent, 0, nil, false. The column's type must fit (checked; a
 * mismatch is a broken statement and dies in debug builds, gives absent in release). */
bool pg_is_null(const struct pg_rows *r, int row, int col);
struct str pg_get_str(const struct pg_rows *r, int row,
                      int col); /* text, bytea, jsonb text */
int64_t pg_get_i64(const struct pg_rows *r, int row,
                   int col); /* smallint, integer, bigint */
bool pg_get_flag(const struct pg_rows *r, int row, int col);
struct uuid pg_get_uuid(const struct pg_rows *r, int row, int col);
int64_t pg_get_time(const struct pg_rows *r, int row, int col); /* wall us */

/* Fills a message from a row: each column whose name is a field of m is converted by the
 * field's kind (enum from its label as text, list from an array of a composite type whose
 * columns are the fields of the list's message, in their order); other columns are left
 * alone; NULL leaves the field absent. obj and strs fields are not filled. Strings are
 * copied into a. */
void pg_get_msg(struct arena *a, const struct pg_rows *r, int row,
                const struct wire_msg *m, void *out);

#endif
