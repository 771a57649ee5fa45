// SPDX-License-Identifier: Apache-2.0
/*
 * The Redis client from the inside. A command under way is an op on the heap, as its
 * reply comes whether its flow is still there or not; ops lie in the order in which
 * replies come.
 */
#ifndef KIT_CACHE_CLIENT_H
#define KIT_CACHE_CLIENT_H

#include "kit/cache/link.h"
#include "kit/cache/redis.h"
#include "kit/guard/breaker.h"
#include "kit/obs/metrics.h"

#include <stdatomic.h>

enum { REDIS_SCRIPTS_MAX = 32, REDIS_SHA_LEN = 40 };

struct redis_op {
    struct list link; /* redis->ops */
    struct redis *redis;
    struct redis_cmd *cmd;            /* NULL: nobody waits (any more) */
    void (*done)(void *arg, bool ok); /* or NULL */
    void *arg;
    struct redis_known *loads; /* SCRIPT LOAD of this one */
    int64_t sent_us;
    bool reported; /* to the breaker: it timed out */
};

/* A script that this client has used. */
struct redis_known {
    const struct redis_script *script;
    char sha[REDIS_SHA_LEN + 1]; /* "" until Redis has told */
    bool loading;
};

struct redis_sub {
    struct list link;
    char *channel;
    void (*message)(void *arg, struct str payload);
    void (*resync)(void *arg, bool connected);
    void *arg;
    bool live;
};

struct redis {
    struct loop *loop;
    struct redis_url url;
    unsigned max_in_flight, in_flight;
    int64_t timeout_ms;
    struct redis_link commands, subscriptions;
    struct list ops;
    struct loop_timer sweep;
    struct breaker breaker;
    enum breaker_state breaker_shown; /* as last given to the metric */
    _Atomic bool ready;
    _Atomic int64_t refuse_until_us; /* 0 while the breaker is not open */
    struct redis_known known[REDIS_SCRIPTS_MAX];
    struct list subs;
    struct metric *m_duration, *m_refused, *m_up, *m_breaker;
};

/* ---- redis.c ---- */
/* NULL, or why a command cannot be done now. */
const struct err_code *redis_admit(struct redis *r);
/* An admitted command; fn gets the reply. Takes the op; false: it was not taken. */
MUST_CHECK bool redis_submit(struct redis *r, struct redis_op *op, const struct str *argv,
                             size_t argc);

/* ---- reply.c ---- */
struct redis_reply redis_reply_copy(struct arena *a, const redisReply *r);
/* The code of an error reply: unavailable or internal; logs and counts it. */
const struct err_code *redis_reply_error(const struct log_ctx *ctx, const redisReply *r);
bool redis_reply_starts(const redisReply *r, const char *prefix);

/* ---- script.c ---- */
/* Redis does not know the script of c: sends it whole. false: it could not. */
bool redis_script_resend(struct redis_op *op);
void redis_script_loaded(struct redis_known *k, const redisReply *reply);

/* ---- pubsub.c ---- */
void redis_pubsub_init(struct redis *r);
void redis_pubsub_fini(struct redis *r);

#endif
