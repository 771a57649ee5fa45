// SPDX-License-Identifier: Apache-2.0
/*
 * Redis: one pipelined connection per loop for commands, one for subscriptions. Commands
 * of a turn leave together. Redis holds nothing that cannot be rebuilt: a command that
 * cannot be done ends with `unavailable` at once (breaker, no waiting for reconnects),
 * and the caller has a way without it.
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

/* Connects in the background, and again for ever with back-off. Dies on a URL that
 * redis_url_valid() refuses. conf is copied. */
struct redis *redis_create(struct loop *l, const struct redis_conf *conf);
/* Commands that are open end with `unavailable`. */
void redis_destroy(struct redis *r);
/* Connected, and the breaker does not refuse commands. Any thread. */
bool redis_up(const struct redis *r);
bool redis_url_valid(const char *url);

enum redis_type { REDIS_NIL, REDIS_INT, REDIS_STR, REDIS_ARRAY, REDIS_ERROR };
struct redis_reply {
    enum redis_type type;
    int64_t i;
    struct str s;          /* in the flow's arena */
    struct redis_reply *v; /* array */
    size_t n;
};

struct redis_cmd {
    struct wait wait;
    struct redis_reply reply;
    /* private */
    struct redis *redis;
    struct redis_op *op; /* while it is open */
    const struct redis_script *script;
    struct str *argv; /* of a script, for EVAL */
    size_t argc;
};

/* argv are copied at once. A reply of type REDIS_ERROR is an err (internal), logged. */
void redis_start(struct flow *f, struct redis_cmd *c, struct redis *r,
                 const struct str *argv, size_t argc, bool required);

/* A Lua script: EVALSHA, and EVAL once when Redis does not know it. Its address is what
 * it is remembered by: make it static. */
struct redis_script {
    const char *text;
};
void redis_start_script(struct flow *f, struct redis_cmd *c, struct redis *r,
                        const struct redis_script *script, const struct str *keys,
                        size_t n_keys, const struct str *args, size_t n_args,
                        bool required);

/* Without a flow, result ignored: cache fills, publications. */
void redis_send(struct redis *r, const struct str *argv, size_t argc);
/* The same, and done(arg, ok) is called once: ok when Redis has done it. It may be called
 * before redis_send_done() returns. */
void redis_send_done(struct redis *r, const struct str *argv, size_t argc,
                     void (*done)(void *arg, bool ok), void *arg);

/* Messages on a channel, in the loop. Pub/sub is lossy: `resync` is called after each
 * (re)subscription, before the first message, and when the connection is lost: drop what
 * the messages kept in step. */
void redis_subscribe(struct redis *r, const char *channel,
                     void (*message)(void *arg, struct str payload),
                     void (*resync)(void *arg, bool connected), void *arg);

/* Ends all subscriptions made with arg. */
void redis_unsubscribe(struct redis *r, void *arg);

#endif
