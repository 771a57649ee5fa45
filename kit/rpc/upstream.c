// SPDX-License-Identifier: Apache-2.0
/*
 * The replicas of one service: where their addresses come from, and which of them takes a
 * call. A replica stays in the list when its address vanishes, so that its breaker is
 * still known should the address come back.
 */
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/rpc/internal.h"
#include "kit/rpc/tls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

enum { TICK_MS = 1000, RETRY_AFTER_MS = 1000, URL_MAX = 300 };

/* ---- choosing --------------------------------------------------------------- */

static bool lets_through(const struct rpc_replica *r, int64_t now_us)
{
    return breaker_state(&r->breaker, now_us) != BREAKER_OPEN;
}

/* NULL when it cannot be taken. */
static struct rpc_replica *candidate(struct rpc_upstream *u, unsigned i,
                                     const struct rpc_replica *avoid, int64_t now_us)
{
    struct rpc_replica *r = u->up[i];

    return r != avoid && lets_through(r, now_us) ? r : NULL;
}

static struct rpc_replica *cheaper(struct rpc_replica *a, struct rpc_replica *b,
                                   int64_t now_us)
{
    if (!a || !b)
        return a ? a : b;
    return latency_cheaper(&b->latency, b->outstanding, &a->latency, a->outstanding,
                           now_us)
               ? b
               : a;
}

/* Replicas up[from..from + n). */
struct range {
    unsigned from, n;
};

/* The power of two choices (Mitzenmacher 2001): nearly as even as asking all, and two
 * callers do not both run to the one that is least busy. */
static struct rpc_replica *pick_of_two(struct rpc_upstream *u, struct range in,
                                       const struct rpc_replica *avoid, int64_t now_us)
{
    uint32_t random = random_u32();
    unsigned i = (random & 0xffff) % in.n;
    unsigned j = in.n == 1 ? i : (i + 1 + (random >> 16) % (in.n - 1)) % in.n;
    struct rpc_replica *r = cheaper(candidate(u, in.from + i, avoid, now_us),
                                    candidate(u, in.from + j, avoid, now_us), now_us);

    return r && breaker_allow(&r->breaker, now_us) ? r : NULL;
}

static struct rpc_replica *pick_any(struct rpc_upstream *u, struct range in,
                                    const struct rpc_replica *avoid, int64_t now_us)
{
    unsigned start = random_u32() % in.n;

    for (unsigned i = 0; i < in.n; i++) {
        struct rpc_replica *r = candidate(u, in.from + (start + i) % in.n, avoid, now_us);

        if (r && breaker_allow(&r->breaker, now_us))
            return r;
    }
    return NULL;
}

static struct rpc_replica *pick_in(struct rpc_upstream *u, struct range in,
                                   const struct rpc_replica *avoid, int64_t now_us)
{
    struct rpc_replica *r;

    if (in.n == 0)
        return NULL;
    r = pick_of_two(u, in, avoid, now_us);
    return r ? r : pick_any(u, in, avoid, now_us);
}

static int64_t soonest_ms(const struct rpc_upstream *u, int64_t now_us)
{
    int64_t soonest = RETRY_AFTER_MS;

    for (unsigned i = 0; i < u->up_n; i++) {
        int64_t ms = breaker_retry_after_ms(&u->up[i]->breaker, now_us);

        if (ms > 0 && ms < soonest)
            soonest = ms;
    }
    return soonest;
}

struct rpc_replica *rpc_upstream_pick(struct rpc_upstream *u,
                                      const struct rpc_replica *avoid, int64_t now_us,
                                      int64_t *retry_after_ms)
{
    const struct range near = {0, u->near_n}, far = {u->near_n, u->up_n - u->near_n};
    struct rpc_replica *r = pick_in(u, near, avoid, now_us);

    if (!r)
        r = pick_in(u, far, avoid, now_us);
    if (!r)
        *retry_after_ms = soonest_ms(u, now_us);
    return r;
}

void rpc_upstream_recount(struct rpc_upstream *u, int64_t now_us)
{
    unsigned n = 0;

    for (unsigned i = 0; i < u->up_n; i++)
        n += lets_through(u->up[i], now_us);
    atomic_store_explicit(&u->usable, n, memory_order_relaxed);
}

static void place(struct rpc_upstream *u, struct rpc_replica *r, unsigned at)
{
    u->up[at] = r;
    r->up_index = at;
}

void rpc_upstream_up(struct rpc_upstream *u, struct rpc_replica *r)
{
    if (u->up_n == u->up_room) {
        u->up_room = u->up_room ? 2 * u->up_room : 8;
        u->up = mem_realloc(u->up, u->up_room * sizeof *u->up);
    }
    place(u, r, u->up_n++);
    if (!r->far) { /* changes places with the first of the far ones */
        place(u, u->up[u->near_n], r->up_index);
        place(u, r, u->near_n++);
    }
    rpc_upstream_recount(u, clock_mono_us());
}

void rpc_upstream_not_up(struct rpc_upstream *u, struct rpc_replica *r)
{
    unsigned hole = r->up_index;

    u->up_n--;
    if (hole < u->near_n) {
        place(u, u->up[--u->near_n], hole);
        hole = u->near_n;
    }
    if (hole < u->up_n)
        place(u, u->up[u->up_n], hole);
    rpc_upstream_recount(u, clock_mono_us());
}

/* ---- how much --------------------------------------------------------------- */

bool rpc_upstream_enter(struct rpc_upstream *u, enum priority p)
{
    if (gradient_enter(&u->limit, p))
        return true;
    metric_add(u->shed[p], 1);
    return false;
}

void rpc_upstream_left(struct rpc_upstream *u)
{
    gradient_leave(&u->limit);
}

static void show(struct metric *m, unsigned *shown, unsigned now)
{
    metric_add(m, (int64_t)now - (int64_t)*shown);
    *shown = now;
}

static void show_limit(struct rpc_upstream *u, unsigned limit, unsigned in_flight)
{
    show(u->limit_metric, &u->limit_shown, limit);
    show(u->in_flight_metric, &u->in_flight_shown, in_flight);
}

static void on_tick(struct loop_timer *t)
{
    struct rpc_upstream *u = CONTAINER_OF(t, struct rpc_upstream, tick);
    int64_t now_us = clock_mono_us();

    LIST_EACH (it, &u->replicas)
        rpc_replica_show_breaker(CONTAINER_OF(it, struct rpc_replica, link), now_us);
    rpc_upstream_recount(u, now_us);
    show_limit(u, gradient_limit(&u->limit), u->limit.in_flight);
    loop_timer_set(t, TICK_MS);
}

/* ---- replicas come and go --------------------------------------------------- */

static struct rpc_replica *find_replica(struct rpc_upstream *u, const char *url)
{
    LIST_EACH (it, &u->replicas) {
        struct rpc_replica *r = CONTAINER_OF(it, struct rpc_replica, link);

        if (strcmp(r->url, url) == 0)
            return r;
    }
    return NULL;
}

/* NULL or why not. */
static const char *have_replica(struct rpc_upstream *u, const char *url)
{
    struct rpc_replica *r = find_replica(u, url);
    const char *why = NULL;

    if (r) {
        rpc_replica_want(r, true);
        return NULL;
    }
    r = rpc_replica_create(u, url, &why);
    if (r)
        list_push(&u->replicas, &r->link);
    return why;
}

const char *rpc_upstream_host(const struct rpc_upstream *u, const char *url)
{
    for (unsigned i = 0; i < u->sources_n; i++) {
        const struct rpc_source *s = &u->sources[i];

        if (s->tls_host && s->addresses && rpc_addresses_have(s->addresses, url))
            return s->tls_host;
    }
    return NULL;
}

/* The name service speaks of tcp://. */
static void over_tls(struct rpc_addresses *a)
{
    char url[URL_MAX];

    for (unsigned i = 0; i < a->n; i++) {
        snprintf(url, sizeof url, "tls+%s", a->urls[i]);
        free(a->urls[i]);
        a->urls[i] = mem_strdup(url);
    }
}

static bool is_address(const struct rpc_upstream *u, const char *url)
{
    for (unsigned s = 0; s < u->sources_n; s++) {
        const struct rpc_addresses *a = u->sources[s].addresses;

        if (a && rpc_addresses_have(a, url))
            return true;
    }
    return false;
}

static void prune(struct rpc_upstream *u)
{
    struct rpc_replica *oldest = NULL;
    unsigned gone = 0;

    LIST_EACH (it, &u->replicas) {
        struct rpc_replica *r = CONTAINER_OF(it, struct rpc_replica, link);

        if (r->state != RPC_REPLICA_GONE)
            continue;
        if (!oldest)
            oldest = r;
        gone++;
    }
    if (gone > RPC_GONE_MAX)
        rpc_replica_destroy(oldest);
}

static void on_addresses(void *arg, const struct rpc_addresses *now)
{
    struct rpc_source *s = arg;
    struct rpc_upstream *u = s->upstream;

    rpc_addresses_free(s->addresses);
    s->addresses = rpc_addresses_copy(now);
    if (s->tls_host)
        over_tls(s->addresses);
    for (unsigned i = 0; i < s->addresses->n; i++) {
        const char *url = s->addresses->urls[i];
        const char *why = have_replica(u, url);

        if (why)
            LOG_ERROR(NULL, "rpc.bad_address", KV("url", url), KV("why", why));
    }
    LIST_EACH (it, &u->replicas) {
        struct rpc_replica *r = CONTAINER_OF(it, struct rpc_replica, link);

        rpc_replica_want(r, is_address(u, r->url));
    }
    prune(u);
}

/* ---- URLs ------------------------------------------------------------------- */

static const char *add_literal(struct rpc_source *s, const char *url)
{
    s->addresses = MEM_NEW(struct rpc_addresses);
    s->addresses->n = 1;
    s->addresses->urls[0] = mem_strdup(url);
    return have_replica(s->upstream, url);
}

static bool is_ip(const char *host)
{
    struct in6_addr any;

    return inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
}

/* Cuts "HOST:PORT" or "[HOST]:PORT" in two. */
static bool split_host(char *text, char **host, char **port)
{
    char *colon = strrchr(text, ':');
    int64_t number;

    if (!colon || !str_to_i64(str_of(colon + 1), 1, 65535, &number))
        return false;
    *colon = '\0';
    *port = colon + 1;
    *host = text;
    if (text[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        *host = text + 1;
    }
    return **host != '\0';
}

static const char *add_host(struct rpc_source *s, const char *url, bool tls)
{
    char text[URL_MAX];
    char *host, *port;

    snprintf(text, sizeof text, "%s", strstr(url, "://") + strlen("://"));
    if (!split_host(text, &host, &port) || strlen(host) > RPC_TLS_NAME_MAX)
        return "it must be tcp://HOST:PORT or tls+tcp://HOST:PORT";
    if (tls)
        s->tls_host = mem_strdup(host);
    if (is_ip(host))
        return add_literal(s, url);
    s->resolve =
        rpc_resolve_create(s->upstream->client->loop, host, port, on_addresses, s);
    return NULL;
}

static const char *add_tcp(struct rpc_source *s, const char *url)
{
    return add_host(s, url, false);
}

static const char *add_tls(struct rpc_source *s, const char *url)
{
    const char *why = rpc_tls_off();

    return why ? why : add_host(s, url, true);
}

static const struct scheme {
    const char *prefix;
    const char *(*add)(struct rpc_source *s, const char *url);
} SCHEMES[] = {
    {"tcp://", add_tcp},
    {"tls+tcp://", add_tls},
    {"ipc://", add_literal},
    {"inproc://", add_literal},
};

static const char *add_source(struct rpc_upstream *u, const char *url)
{
    struct rpc_source *s = &u->sources[u->sources_n];

    if (u->sources_n == RPC_SOURCES_MAX)
        return "there are too many";
    for (size_t i = 0; i < sizeof SCHEMES / sizeof *SCHEMES; i++) {
        const struct scheme *scheme = &SCHEMES[i];

        if (!str_starts(str_of(url), str_of(scheme->prefix)))
            continue;
        u->sources_n++;
        *s = (struct rpc_source){.upstream = u};
        return scheme->add(s, url);
    }
    return "it must begin with tcp://, tls+tcp://, ipc:// or inproc://";
}

static const struct err *add_sources(struct rpc_upstream *u, struct arena *a,
                                     const char *urls)
{
    struct str rest = str_of(urls);

    while (rest.p) {
        struct str part = str_trim(str_split(rest, ',', &rest));
        const char *why = "it is empty or too long";

        if (part.n > 0 && part.n < URL_MAX)
            why = add_source(u, arena_str(a, part).p);
        if (why)
            return err_new(a, &ERR_CODE_BAD_PARAMETERS, "upstream of %s: '%.*s': %s",
                           u->service, STR_FMT(part), why);
    }
    return NULL;
}

/* ---- life ------------------------------------------------------------------- */

static void make_metrics(struct rpc_upstream *u)
{
    static const char *const NAMES[] = {
#define STATE_NAME(state, name) name,
        RPC_REPLICA_STATES(STATE_NAME)
#undef STATE_NAME
    };

    static const char *const PRIORITY_NAMES[] = {
#define PRIORITY_NAME(priority, name, percent) name,
        PRIORITIES(PRIORITY_NAME)
#undef PRIORITY_NAME
    };

    u->limit_metric =
        metrics_gauge("viaduct_hop_limit", "Calls that may be under way, of all loops",
                      "upstream", u->service, NULL);
    u->in_flight_metric =
        metrics_gauge("viaduct_hop_calls_in_flight", "Calls under way, of all loops",
                      "upstream", u->service, NULL);
    for (int i = 0; i < PRIORITY_COUNT; i++)
        u->shed[i] =
            metrics_counter("viaduct_hop_shed_total", "Calls over the limit", "upstream",
                            u->service, "priority", PRIORITY_NAMES[i], NULL);
    u->hedges =
        metrics_counter("viaduct_hop_hedges_total",
                        "Reads asked of a second replica while the first was slow",
                        "upstream", u->service, NULL);
    u->retries = metrics_counter("viaduct_hop_retries_total", "Calls sent once more",
                                 "upstream", u->service, NULL);
    for (int i = 0; i < RPC_REPLICA_STATE_COUNT; i++)
        u->states[i] =
            metrics_gauge("viaduct_hop_replicas", "Connections to replicas, of all loops",
                          "upstream", u->service, "state", NAMES[i], NULL);
}

static void init_limit(struct rpc_upstream *u)
{
    unsigned max = u->client->conf.in_flight, min = u->client->conf.in_flight_min;
    struct gradient_conf conf = {.min = min ? min : RPC_IN_FLIGHT_MIN,
                                 .max = max ? max : RPC_IN_FLIGHT_MAX,
                                 .calm_ms = RPC_CALM_MS};

    if (conf.min > conf.max)
        conf.min = conf.max;
    gradient_init(&u->limit, &conf, clock_mono_us());
}

const struct err *rpc_upstream_create(struct rpc_client *c, struct arena *a,
                                      const char *service, const char *urls,
                                      struct rpc_upstream **out)
{
    struct rpc_upstream *u = MEM_NEW(struct rpc_upstream);
    const struct err *err;

    u->client = c;
    u->service = mem_strdup(service);
    list_init(&u->replicas);
    rpc_budget_init(&u->budget, clock_mono_us());
    init_limit(u);
    make_metrics(u);
    loop_timer_init(&u->tick, c->loop, on_tick);
    loop_timer_set(&u->tick, TICK_MS);
    err = add_sources(u, a, urls);
    if (err)
        rpc_upstream_destroy(u);
    else
        *out = u;
    return err;
}

void rpc_upstream_destroy(struct rpc_upstream *u)
{
    struct list *it;

    loop_timer_clear(&u->tick);
    show_limit(u, 0, 0);
    for (unsigned i = 0; i < u->sources_n; i++) {
        rpc_resolve_destroy(u->sources[i].resolve);
        rpc_addresses_free(u->sources[i].addresses);
        free(u->sources[i].tls_host);
    }
    while ((it = u->replicas.next) != &u->replicas)
        rpc_replica_destroy(CONTAINER_OF(it, struct rpc_replica, link));
    free(u->up);
    free(u->service);
    free(u);
}
