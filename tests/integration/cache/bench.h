// SPDX-License-Identifier: Apache-2.0
/*
 * A Redis client on a loop, flows that are held open, commands started from outside of
 * them, and a loader whose behaviour a test sets.
 */
#ifndef TESTS_INTEGRATION_CACHE_BENCH_H
#define TESTS_INTEGRATION_CACHE_BENCH_H

#include "kit/cache/cache.h"
#include "tests/support/live/live.h"

enum { BENCH_FLOWS = 600 };

/* What the loader does; the env of flows. */
struct world {
    int loads;                  /* how often it was asked */
    bool held;                  /* it waits until this is false */
    const char *value;          /* NULL: no such thing */
    const struct err_code *err; /* or it fails with this */
};

struct bench {
    struct loop *loop;
    struct redis *redis;
    struct arena arena;
    const char *url;
    struct world world;
    struct flow *flows[BENCH_FLOWS];
    int n_flows;
    int lock; /* of a server that may be stopped */
};

void bench_begin(struct bench *b, const char *url);
void bench_end(struct bench *b);
struct redis *bench_redis(struct bench *b, const char *url);
void bench_up(struct bench *b);

struct flow *bench_flow(struct bench *b);

/* Words separated by blanks. */
struct redis_cmd *bench_start(struct bench *b, const char *words);
/* Starts and waits. */
struct redis_cmd *bench_run(struct bench *b, const char *words);
bool bench_cmd_over(void *cmd);
const char *bench_outcome(const struct wait *w);

enum step bench_loader(struct flow *f);
struct cache_get *bench_get_start(struct bench *b, struct cache *c, struct str key);
bool bench_get_over(void *get);
/* Starts and waits. */
struct cache_get *bench_get(struct bench *b, struct cache *c, struct str key);

/* Listens on a cache's channel behind the cache, on its connection: what the listener has
 * heard, the cache has heard before. Waits until both are subscribed. */
struct news {
    bool connected;
    int messages;
};
void bench_listen(struct bench *b, struct redis *r, const char *cache, struct news *n);

/* Starts that server, one that may be stopped; waits until no other test has it. */
void bench_server(struct bench *b, const char *server, const char *instance);
void bench_server_done(struct bench *b, const char *server, const char *instance);

#endif
