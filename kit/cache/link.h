// SPDX-License-Identifier: Apache-2.0
/*
 * One connection to Redis that is made again for ever: hiredis on the loop. What is
 * written in a turn leaves at its end.
 */
#ifndef KIT_CACHE_LINK_H
#define KIT_CACHE_LINK_H

#include "kit/cache/url.h"
#include "kit/loop/loop.h"
#include "kit/resolve/resolve.h"

#include <hiredis/async.h>

enum redis_link_state {
    REDIS_LINK_OFF, /* not wanted yet */
    REDIS_LINK_DOWN,
    REDIS_LINK_RESOLVING,
    REDIS_LINK_CONNECTING,
    REDIS_LINK_GREETING, /* AUTH, SELECT, PING */
    REDIS_LINK_READY,
};

struct redis_link {
    struct loop *loop;
    const struct redis_url *url;
    const char *name; /* for the log */
    /* Logged in. */
    void (*ready)(void *arg);
    /* It was ready and is no more, in a turn of its own: callbacks of commands have been
     * called with NULL, or will never be called. */
    void (*lost)(void *arg);
    void *arg;

    enum redis_link_state state;
    struct resolve *resolve; /* a question that is open */
    redisAsyncContext *ac;   /* NULL when there is no connection */
    redisContextFuncs funcs;
    struct loop_fd *fd;
    int wanted;
    bool writing; /* inside of redisAsyncHandleWrite */
    bool was_ready;
    unsigned attempt;
    int64_t ready_us; /* since when */
    struct loop_timer timer;
    struct loop_task flush, gone;
};

void redis_link_init(struct redis_link *k, struct loop *l, const struct redis_url *url,
                     const char *name);
/* `lost` is not called. */
void redis_link_fini(struct redis_link *k);
/* Begins to connect, unless it has already. */
void redis_link_open(struct redis_link *k);
/* Ends the connection and makes a new one: it does not answer, or not as it should. */
void redis_link_drop(struct redis_link *k, const char *why);

#endif
