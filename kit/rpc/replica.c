// SPDX-License-Identifier: Apache-2.0
/* One address of a service: its states, its connection, the calls it has. */
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/rpc/internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { CONTROL_MAX = 1 << 20 };

static const char *const STATE_NAMES[] = {
#define STATE_NAME(state, name) name,
    RPC_REPLICA_STATES(STATE_NAME)
#undef STATE_NAME
};

/* ---- states ---------------------------------------------------------------------------
 */

static const struct rpc_dial_ops DIAL_OPS;

void rpc_replica_lose(struct list *calls)
{
    struct list lost;
    struct list *it;

    list_init(&lost);
    list_splice(&lost, calls);
    while ((it = list_pop(&lost)))
        rpc_call_lost(CONTAINER_OF(it, struct rpc_call, link));
}

static const char *start_dialling(struct rpc_replica *r)
{
    const char *why = NULL;

    if (!r->dial)
        r->dial =
            rpc_dial_create(r->upstream->client->loop, r->url,
                            rpc_upstream_host(r->upstream, r->url), &DIAL_OPS, r, &why);
    return why;
}

static void enter_connecting(struct rpc_replica *r)
{
    const char *why = start_dialling(r);

    if (why)
        LOG_ERROR(NULL, "rpc.dial_failed", KV("url", r->url), KV("why", why));
}

static void enter_up(struct rpc_replica *r)
{
    r->refused = false;
    rpc_upstream_up(r->upstream, r);
}

static void enter_draining(struct rpc_replica *r)
{
    rpc_replica_flush_later(r);
}

/* Nobody will tell about what is in hand any more; it may have gone out. */
static void enter_gone(struct rpc_replica *r)
{
    rpc_dial_close_later(r->dial);
    r->dial = NULL;
    r->connected = r->sending = r->hand_lost = false;
    r->session = 0;
    loop_timer_clear(&r->pulse);
    rpc_replica_lose(&r->in_hand);
}

static void (*const ENTER[])(struct rpc_replica *r) = {
    [RPC_REPLICA_CONNECTING] = enter_connecting,
    [RPC_REPLICA_UP] = enter_up,
    [RPC_REPLICA_DRAINING] = enter_draining,
    [RPC_REPLICA_GONE] = enter_gone,
};

/* The one place where the state changes. */
void rpc_replica_enter(struct rpc_replica *r, enum rpc_replica_state next)
{
    struct rpc_upstream *u = r->upstream;

    if (r->state == next)
        return;
    LOG_INFO(NULL, "rpc.replica", KV("upstream", u->service), KV("url", r->url),
             KV("from", STATE_NAMES[r->state]), KV("to", STATE_NAMES[next]));
    if (r->state == RPC_REPLICA_UP)
        rpc_upstream_not_up(u, r);
    metric_add(u->states[r->state], -1);
    metric_add(u->states[next], 1);
    r->state = next;
    ENTER[next](r);
}

void rpc_replica_want(struct rpc_replica *r, bool wanted)
{
    static const enum rpc_replica_state UNWANTED[] = {
        [RPC_REPLICA_CONNECTING] = RPC_REPLICA_GONE,
        [RPC_REPLICA_UP] = RPC_REPLICA_DRAINING,
        [RPC_REPLICA_DRAINING] = RPC_REPLICA_DRAINING,
        [RPC_REPLICA_GONE] = RPC_REPLICA_GONE,
    };

    if (r->wanted == wanted)
        return;
    r->wanted = wanted;
    if (!wanted)
        rpc_replica_enter(r, UNWANTED[r->state]);
    else if (r->state == RPC_REPLICA_GONE)
        rpc_replica_enter(r, RPC_REPLICA_CONNECTING);
    else if (r->state == RPC_REPLICA_DRAINING && !r->going)
        rpc_replica_enter(r, RPC_REPLICA_UP);
}

/* ---- the connection --------------------------------------------------------- */

static void on_up(void *arg)
{
    struct rpc_replica *r = arg;
    struct rpc_frame_hello hello = {.version = RPC_VERSION};

    hello.name = str_of(r->upstream->client->conf.self);
    if (hello.name.n > RPC_NAME_MAX)
        hello.name.n = RPC_NAME_MAX;
    r->connected = true;
    r->going = false;
    r->session = r->received = r->confirmed = 0;
    r->earned = 0;
    r->heard_us = clock_mono_us();
    loop_timer_set(&r->pulse, RPC_PULSE_MS);
    buf_reset(&r->control);
    rpc_replica_control(r, &(struct rpc_frame){.type = RPC_HELLO, .of_hello = hello});
}

/* First out of sight of new calls, then the calls under way: some of them look for
 * another replica. What is in hand waits for NNG's word. */
static void on_down(void *arg)
{
    struct rpc_replica *r = arg;

    r->connected = false;
    r->session = 0;
    buf_reset(&r->control);
    loop_timer_clear(&r->pulse);
    if (r->sending) {
        r->hand_lost = true;
        rpc_dial_unsend(r->dial);
    }
    rpc_replica_enter(r, r->wanted ? RPC_REPLICA_CONNECTING : RPC_REPLICA_GONE);
    rpc_replica_lose(&r->queued);
    rpc_replica_lose(&r->sent);
}

static const struct rpc_dial_ops DIAL_OPS = {.up = on_up,
                                             .down = on_down,
                                             .message = rpc_replica_message,
                                             .sent = rpc_replica_sent};

static void ping(struct rpc_replica *r, int64_t now_us)
{
    if (r->session)
        rpc_replica_control(
            r, &(struct rpc_frame){.type = RPC_PING, .ping = (uint64_t)now_us});
}

/* A peer that went without a word, or whose loop hangs, is found by its silence. */
static void on_pulse(struct loop_timer *t)
{
    struct rpc_replica *r = CONTAINER_OF(t, struct rpc_replica, pulse);
    int64_t now_us = clock_mono_us();
    int64_t silent_ms = (now_us - r->heard_us) / 1000;

    if (silent_ms >= RPC_SILENCE_MS) {
        LOG_WARN(NULL, "rpc.silent", KV("url", r->url), KV("ms", silent_ms));
        rpc_dial_break(r->dial);
        return;
    }
    if (silent_ms >= RPC_PULSE_MS)
        ping(r, now_us);
    loop_timer_set(&r->pulse, RPC_PULSE_MS);
}

/* ---- calls ------------------------------------------------------------------ */

bool rpc_replica_take(struct rpc_replica *r, struct rpc_call *call)
{
    call->id = rpc_slots_add(&r->slots, call);
    if (!call->id)
        return false;
    call->replica = r;
    call->place = RPC_QUEUED;
    list_init(&call->link);
    list_push(&r->queued, &call->link);
    r->outstanding++;
    rpc_replica_flush_later(r);
    return true;
}

void rpc_replica_release(struct rpc_replica *r, struct rpc_call *call, bool cancel)
{
    if (cancel && call->place != RPC_QUEUED && r->session)
        rpc_replica_control(r, &(struct rpc_frame){.type = RPC_CANCEL, .call = call->id});
    rpc_slots_remove(&r->slots, call->id);
    list_remove(&call->link);
    call->place = RPC_NOWHERE;
    call->replica = NULL;
    if (--r->outstanding == 0 && r->state == RPC_REPLICA_DRAINING)
        rpc_replica_flush_later(r);
}

void rpc_replica_show_breaker(struct rpc_replica *r, int64_t now_us)
{
    enum breaker_state now = breaker_state(&r->breaker, now_us);

    if (now == r->breaker_shown)
        return;
    LOG_WARN(NULL, "rpc.breaker", KV("upstream", r->upstream->service), KV("url", r->url),
             KV("from", breaker_state_name(r->breaker_shown)),
             KV("to", breaker_state_name(now)));
    metric_add(r->breaker_metric, (int64_t)now - (int64_t)r->breaker_shown);
    r->breaker_shown = now;
    if (now == BREAKER_HALF_OPEN) /* whether it is worth a probe, see pick.c */
        ping(r, now_us);
    rpc_upstream_recount(r->upstream, now_us);
}

/* A failure tells how slow it is only if it was slow. */
static bool tells_latency(const struct rpc_replica *r, enum rpc_verdict v, int64_t now_us,
                          int64_t took_us)
{
    return v == RPC_VERDICT_OK ||
           (v == RPC_VERDICT_FAILED && (double)took_us > latency_us(&r->latency, now_us));
}

void rpc_replica_judge(struct rpc_replica *r, unsigned method, enum rpc_verdict v,
                       int64_t now_us, int64_t took_us)
{
    enum breaker_state was = r->breaker.state;

    if (tells_latency(r, v, now_us, took_us)) {
        gradient_sample(&r->upstream->limit, method, now_us, took_us);
        latency_add(&r->latency, now_us, took_us);
    }
    if (v == RPC_VERDICT_NONE)
        breaker_forget(&r->breaker, now_us);
    else
        breaker_report(&r->breaker, now_us,
                       v == RPC_VERDICT_FAILED || v == RPC_VERDICT_LOST, took_us);
    if (was != BREAKER_OPEN && r->breaker.state == BREAKER_OPEN)
        r->opened_us = now_us;
    if (was == BREAKER_HALF_OPEN && r->breaker.state == BREAKER_CLOSED)
        latency_begin(&r->latency, now_us, took_us);
    if (r->breaker.state != r->breaker_shown)
        rpc_replica_show_breaker(r, now_us);
}

/* ---- life ------------------------------------------------------------------- */

static struct metric *breaker_metric(const struct rpc_upstream *u, const char *url)
{
    char target[128];

    snprintf(target, sizeof target, "%s@%s", u->service, url);
    return metrics_gauge(
        "viaduct_breaker_state",
        "0 closed, 1 half open, 2 open; the sum over the process's loops", "target",
        target, NULL);
}

static struct rpc_replica *replica_new(struct rpc_upstream *u, const char *url)
{
    struct rpc_replica *r = MEM_NEW(struct rpc_replica);

    r->upstream = u;
    r->url = mem_strdup(url);
    r->state = RPC_REPLICA_CONNECTING;
    r->wanted = true;
    breaker_init(&r->breaker, &u->client->breaker, clock_mono_us());
    r->breaker_metric = breaker_metric(u, url);
    rpc_slots_init(&r->slots);
    buf_init(&r->control, CONTROL_MAX);
    list_init(&r->link);
    list_init(&r->queued);
    list_init(&r->in_hand);
    list_init(&r->sent);
    loop_task_init(&r->flush, rpc_replica_flush);
    loop_timer_init(&r->pulse, u->client->loop, on_pulse);
    metric_add(u->states[r->state], 1);
    return r;
}

struct rpc_replica *rpc_replica_create(struct rpc_upstream *u, const char *url,
                                       const char **why)
{
    struct rpc_replica *r = replica_new(u, url);

    *why = start_dialling(r);
    if (!*why)
        return r;
    rpc_replica_destroy(r);
    return NULL;
}

static void drop_calls(struct list *calls)
{
    struct list *it;

    while ((it = list_pop(calls)))
        rpc_call_drop(CONTAINER_OF(it, struct rpc_call, link));
}

void rpc_replica_destroy(struct rpc_replica *r)
{
    struct rpc_upstream *u = r->upstream;

    rpc_dial_close(r->dial);
    r->dial = NULL;
    if (r->state == RPC_REPLICA_UP)
        rpc_upstream_not_up(u, r);
    drop_calls(&r->queued);
    drop_calls(&r->in_hand);
    drop_calls(&r->sent);
    metric_add(u->states[r->state], -1);
    metric_add(r->breaker_metric, -(int64_t)r->breaker_shown);
    loop_timer_clear(&r->pulse);
    loop_task_cancel(&r->flush);
    list_remove(&r->link);
    rpc_slots_fini(&r->slots);
    buf_fini(&r->control);
    free(r->url);
    free(r);
}
