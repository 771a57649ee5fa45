// SPDX-License-Identifier: Apache-2.0
/*
 * Redis: one pipelined connection per loop for commands, one for subscriptions. Commands of a
 * turn leave together. Redis holds nothing that cannot be rebuilt: a command that cannot be
 * done ends with `unavailable` at once (breaker, no waiting for reconnects), and the
 * caller has a way without it.
 */
#ifndef KIT_CACHE_REDIS_H
#define KIT_CACHE_REDIS_H

#include "kit/flow/flow.h"

struct redis;

struct redis_conf {
    const char *url;        /* redis://[user:password@]host:port[/db], rediss:// later */
    unsigned max_in_flight; /* above it `overloaded` */
    int64_t timeout_ms;     /* of one command */
};

struct redis *redis_create(struct loop *l, const struct redis_conf *conf);
void redis_destroy(struct redis *r);
bool redis_up(const struct redis *r);

enum redis_type { REDIS_NIL, REDIS_INT, REDIS_STR, REDIS_ARRAY, REDIS_ERROR };
struct redis_reply {
    enum redis_type type;
    int64_t i;
    struct str s;               /* in the flow's arena */
    struct redis_reply *v;      /* array */
    size_t n;
};

struct redis_cmd {
    struct wait wait;
    struct redis_reply reply;
    /* private */
    struct redis *redis;
    bool dropped;
};

/* argv are copied at once. A reply of type REDIS_ERROR is an err (internal), logged. */
void redis_start(struct flow *f, struct redis_cmd *c, struct redis *r, const struct str *argv,
                 size_t argc, bool required);

/* A Lua script: EVALSHA, and EVAL once when Redis does not know it. */
struct redis_script {
    const char *text;
    char sha1[41]; /* filled on first use; loops may race to the same value */
};
void redis_start_script(struct flow *f, struct redis_cmd *c, struct redis *r,
                        struct redis_script *script, const struct str *keys, size_t n_keys,
                        const struct str *args, size_t n_args, bool required);

/* Without a flow, result ignored: cache fills, publications. */
void redis_send(struct redis *r, const struct str *argv, size_t argc);

/* Messages on a channel, in the loop. Pub/sub is lossy: `resync` is called after each
 * (re)subscription, before the first message, and when the connection is lost: drop what the
 * messages kept in step. */
void redis_subscribe(struct redis *r, const char *channel,
                     void (*message)(void *arg, struct str payload),
                     void (*resync)(void *arg, bool connected), void *arg);

#endif
