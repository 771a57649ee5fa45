// SPDX-License-Identifier: Apache-2.0
/*
 * A pool on a schema of the test's own, and flows that are held open, so that a test can
 * start queries from outside and look at what they brought.
 */
#ifndef TESTS_INTEGRATION_PG_BENCH_H
#define TESTS_INTEGRATION_PG_BENCH_H

#include "kit/pg/pg.h"
#include "tests/support/live/live.h"

enum { BENCH_FLOWS = 512 };

struct bench {
    struct loop *loop;
    struct pg_pool *pool;
    struct arena arena;
    const char *server;   /* conninfo */
    const char *conninfo; /* with the schema */
    const char *schema;
    struct flow *flows[BENCH_FLOWS];
    int n_flows;
    int lock;  /* of a server that may be stopped */
    int ended; /* flows that ended by themselves */
    const struct err_code *ended_with;
};

/* `ddl` is run in the new schema first; may be NULL. conf's conninfo is filled in. */
void bench_begin(struct bench *b, const char *server, const char *ddl,
                 struct pg_conf conf);
void bench_end(struct bench *b);
/* What a test needs most often; the statements are NULL-terminated. */
struct pg_conf bench_conf(const struct pg_stmt *const *stmts, unsigned connections);
void bench_up(struct bench *b);
/* So many connections are ready. */
void bench_ready(struct bench *b, int connections);
/* On another, blocking connection. */
void bench_script(struct bench *b, const char *sql);

struct flow *bench_flow(struct bench *b, int64_t timeout_ms);
struct pg_query *bench_query(struct bench *b, const struct pg_stmt *stmt);
/* Starts q in its flow, as one that is not required. */
void bench_start(struct bench *b, struct pg_query *q);
bool bench_over(void *query);
/* Starts and waits. */
void bench_run(struct bench *b, struct pg_query *q);
const char *bench_outcome(const struct pg_query *q); /* name of the error, or "ok" */

/* The one value of a one-row query without parameters. */
int64_t bench_value(struct bench *b, const struct pg_stmt *stmt);

/* Starts that server, one that may be stopped; waits until no other test has it. */
void bench_server(struct bench *b, const char *server, const char *instance);
void bench_server_done(struct bench *b, const char *server, const char *instance);

#endif
