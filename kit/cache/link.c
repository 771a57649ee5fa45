// SPDX-License-Identifier: Apache-2.0
/*
 * hiredis on the loop. Its traps: the context frees itself when a connection fails or is
 * lost, calling what is pending with NULL on the way; so everything here that may run
 * flows waits for the next turn (task `gone`).
 */
#include "kit/cache/link.h"

#include "kit/base/clock.h"
#include "kit/base/log.h"
#include "kit/guard/backoff.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
    BACKOFF_MS = 50,
    BACKOFF_MAX_MS = 2000,
    GREET_MS = 3000, /* until an attempt is given up */
    KEEPALIVE_S = 5,
    UNACKNOWLEDGED_MS = 10000, /* sent bytes; then the kernel drops the connection */
    ELEMENTS_MAX = 1 << 20,    /* of one reply */
    LOG_EVERY = 30,            /* attempts; the first is always told */
    GOOD_US = 1000000, /* a connection that lasted so long: back-off begins anew */
};

static void log_lost(const struct redis_link *k, const char *why, const char *detail)
{
    if (k->attempt % LOG_EVERY == 0)
        LOG_WARN(NULL, "redis.connection_lost", KV("link", k->name), KV("why", why),
                 KV("attempt", k->attempt), KV("detail", detail));
}

/* ---- hooks that hiredis calls ---- */

static void want(struct redis_link *k, int wanted)
{
    k->wanted = wanted;
    if (k->fd)
        loop_fd_want(k->fd, wanted);
}

static void add_read(void *data)
{
    struct redis_link *k = data;

    want(k, k->wanted | LOOP_READ);
}

static void del_read(void *data)
{
    struct redis_link *k = data;

    want(k, k->wanted & ~LOOP_READ);
}

static void add_write(void *data)
{
    struct redis_link *k = data;

    if (k->writing || k->state == REDIS_LINK_CONNECTING)
        want(k, k->wanted | LOOP_WRITE);
    else
        loop_at_turn_end(k->loop, &k->flush);
}

static void del_write(void *data)
{
    struct redis_link *k = data;

    want(k, k->wanted & ~LOOP_WRITE);
}

/* The context is about to free itself. May come twice. */
static void cleanup(void *data)
{
    struct redis_link *k = data;

    if (!k->ac)
        return;
    loop_fd_destroy(k->fd);
    k->fd = NULL;
    k->wanted = 0;
    k->ac = NULL;
    k->was_ready = k->state == REDIS_LINK_READY;
    k->state = REDIS_LINK_DOWN;
    loop_task_cancel(&k->flush);
    loop_timer_clear(&k->timer);
    loop_soon(k->loop, &k->gone);
}

static void write_now(struct redis_link *k)
{
    if (!k->ac)
        return;
    k->writing = true;
    redisAsyncHandleWrite(k->ac);
    k->writing = false;
}

static void on_flush(struct loop_task *t)
{
    write_now(CONTAINER_OF(t, struct redis_link, flush));
}

static void on_io(void *arg, int ready)
{
    struct redis_link *k = arg;

    if ((ready & LOOP_READ) && k->ac)
        redisAsyncHandleRead(k->ac);
    if (ready & LOOP_WRITE)
        write_now(k);
}

/* hiredis would let SIGPIPE end the process. */
static ssize_t write_quietly(redisContext *c)
{
    ssize_t n = send(c->fd, c->obuf, sdslen(c->obuf), MSG_NOSIGNAL);

    if (n >= 0)
        return n;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    c->err = REDIS_ERR_IO;
    snprintf(c->errstr, sizeof c->errstr, "write: errno %d", errno);
    return -1;
}

/* ---- connecting ---- */

static void retry_later(struct redis_link *k)
{
    k->state = REDIS_LINK_DOWN;
    loop_timer_set(&k->timer, backoff_ms(BACKOFF_MS, BACKOFF_MAX_MS, k->attempt));
    k->attempt++;
}

static void on_gone(struct loop_task *t)
{
    struct redis_link *k = CONTAINER_OF(t, struct redis_link, gone);

    if (k->was_ready && clock_mono_us() - k->ready_us > GOOD_US)
        k->attempt = 0;
    retry_later(k);
    if (k->was_ready)
        k->lost(k->arg);
}

static void on_disconnected(const redisAsyncContext *ac, int status)
{
    struct redis_link *k = ac->data;

    if (status != REDIS_OK)
        log_lost(k, "connection", ac->errstr);
}

static void greeted(struct redis_link *k)
{
    loop_timer_clear(&k->timer);
    k->state = REDIS_LINK_READY;
    k->ready_us = clock_mono_us();
    LOG_INFO(NULL, "redis.ready", KV("link", k->name));
    k->ready(k->arg);
}

/* PING is answered last; errors before it are of the login. */
static void on_greeting(redisAsyncContext *ac, void *reply, void *privdata)
{
    struct redis_link *k = ac->data;
    const redisReply *r = reply;

    if (!r || k->state != REDIS_LINK_GREETING)
        return;
    if (r->type == REDIS_REPLY_ERROR)
        redis_link_drop(k, "refused");
    else if (privdata)
        greeted(k);
}

static void greet(struct redis_link *k)
{
    const struct redis_url *u = k->url;

    if (u->user[0])
        redisAsyncCommand(k->ac, on_greeting, NULL, "AUTH %s %s", u->user, u->password);
    else if (u->password[0])
        redisAsyncCommand(k->ac, on_greeting, NULL, "AUTH %s", u->password);
    if (u->db)
        redisAsyncCommand(k->ac, on_greeting, NULL, "SELECT %d", u->db);
    redisAsyncCommand(k->ac, on_greeting, k, "PING");
}

static void on_connected(redisAsyncContext *ac, int status)
{
    struct redis_link *k = ac->data;

    if (status != REDIS_OK) {
        log_lost(k, "connect", ac->errstr);
        return;
    }
    redisEnableKeepAliveWithInterval(&ac->c, KEEPALIVE_S);
    redisSetTcpUserTimeout(&ac->c, UNACKNOWLEDGED_MS);
    k->state = REDIS_LINK_GREETING;
    greet(k);
}

static void hook(struct redis_link *k, redisAsyncContext *ac)
{
    k->ac = ac;
    k->fd = loop_fd_create(k->loop, ac->c.fd, on_io, k);
    k->state = REDIS_LINK_CONNECTING;
    k->funcs = *ac->c.funcs;
    k->funcs.write = write_quietly;
    ac->c.funcs = &k->funcs;
    ac->data = ac->ev.data = k;
    ac->ev.addRead = add_read;
    ac->ev.delRead = del_read;
    ac->ev.addWrite = add_write;
    ac->ev.delWrite = del_write;
    ac->ev.cleanup = cleanup;
    ac->c.reader->maxelements = ELEMENTS_MAX;
    redisAsyncSetConnectCallbackNC(ac, on_connected);
    redisAsyncSetDisconnectCallback(ac, on_disconnected);
    loop_timer_set(&k->timer, GREET_MS);
}

static void connect_to(struct redis_link *k, const char *address)
{
    redisAsyncContext *ac = redisAsyncConnect(address, k->url->port);

    if (ac && !ac->err) {
        hook(k, ac);
        return;
    }
    log_lost(k, "connect", ac ? ac->errstr : "no memory");
    if (ac)
        redisAsyncFree(ac);
    retry_later(k);
}

/* One address an attempt, in turn. */
static void on_resolved(void *arg, const struct resolve_answer *answer)
{
    struct redis_link *k = arg;
    const struct resolve_host *h = &answer->host[0];

    k->resolve = NULL;
    loop_timer_clear(&k->timer);
    if (h->n > 0) {
        connect_to(k, h->address[k->attempt % h->n]);
        return;
    }
    log_lost(k, "resolve", h->name);
    retry_later(k);
}

static void unresolved(struct redis_link *k)
{
    resolve_cancel(k->resolve);
    k->resolve = NULL;
    log_lost(k, "resolve", k->url->host);
    retry_later(k);
}

static void begin_attempt(struct redis_link *k)
{
    const char *const names[] = {k->url->host};

    if (!resolve_needed(k->url->host)) {
        connect_to(k, k->url->host);
        return;
    }
    k->state = REDIS_LINK_RESOLVING;
    loop_timer_set(&k->timer, GREET_MS);
    k->resolve = resolve_start(k->loop, names, 1, on_resolved, k);
    if (!k->resolve)
        unresolved(k);
}

static void on_timer(struct loop_timer *t)
{
    struct redis_link *k = CONTAINER_OF(t, struct redis_link, timer);

    if (k->ac)
        redis_link_drop(k, "connect_timeout");
    else if (k->resolve)
        unresolved(k);
    else
        begin_attempt(k);
}

/* ---- life cycle ---- */

void redis_link_init(struct redis_link *k, struct loop *l, const struct redis_url *url,
                     const char *name)
{
    *k = (struct redis_link){.loop = l, .url = url, .name = name};
    loop_timer_init(&k->timer, l, on_timer);
    loop_task_init(&k->flush, on_flush);
    loop_task_init(&k->gone, on_gone);
}

void redis_link_open(struct redis_link *k)
{
    if (k->state != REDIS_LINK_OFF)
        return;
    k->state = REDIS_LINK_DOWN;
    loop_timer_set(&k->timer, 0);
}

void redis_link_drop(struct redis_link *k, const char *why)
{
    redisAsyncContext *ac = k->ac;

    if (!ac)
        return;
    log_lost(k, why, "");
    cleanup(k);
    redisAsyncFree(ac);
}

void redis_link_fini(struct redis_link *k)
{
    redisAsyncContext *ac = k->ac;

    if (ac) {
        cleanup(k);
        redisAsyncFree(ac);
    }
    resolve_cancel(k->resolve);
    k->resolve = NULL;
    loop_task_cancel(&k->gone);
    loop_task_cancel(&k->flush);
    loop_timer_clear(&k->timer);
    k->state = REDIS_LINK_OFF;
}
