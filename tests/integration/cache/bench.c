// SPDX-License-Identifier: Apache-2.0
/* Clients, held flows and the loader for the tests of kit/cache. */
#include "bench.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

struct redis *bench_redis(struct bench *b, const char *url)
{
    return redis_create(
        b->loop,
        &(struct redis_conf){.url = url, .max_in_flight = 1000, .timeout_ms = 5000});
}

void bench_begin(struct bench *b, const char *url)
{
    *b = (struct bench){.lock = b->lock, .loop = loop_create(), .url = url};
    arena_init(&b->arena);
    b->redis = bench_redis(b, url);
}

void bench_end(struct bench *b)
{
    for (int i = 0; i < b->n_flows; i++)
        if (b->flows[i])
            flow_cancel(b->flows[i], ERR_STATIC(CANCELLED));
    redis_destroy(b->redis);
    live_turns(b->loop, 1);
    loop_destroy(b->loop);
    arena_fini(&b->arena);
}

static bool is_up(void *arg)
{
    return redis_up(arg);
}

void bench_up(struct bench *b)
{
    cr_assert(live_until(b->loop, is_up, b->redis), "Redis never came up");
}

static void on_end(struct flow *f, const struct err *err)
{
    struct bench *b = f->owner;

    (void)err;
    for (int i = 0; i < b->n_flows; i++)
        if (b->flows[i] == f)
            b->flows[i] = NULL;
}

static enum step hold(struct flow *f)
{
    return flow_sleep(f, 3600 * 1000, hold);
}

struct flow *bench_flow(struct bench *b)
{
    struct flow *f = flow_create(b->loop, 2 * LIVE_BOUND_MS, on_end, b);

    cr_assert_lt(b->n_flows, BENCH_FLOWS);
    b->flows[b->n_flows++] = f;
    f->env = &b->world;
    flow_start(f, hold);
    return f;
}

struct redis_cmd *bench_start(struct bench *b, const char *words)
{
    struct flow *f = bench_flow(b);
    struct redis_cmd *c = ARENA_NEW(&f->arena, struct redis_cmd);
    struct str argv[16], rest = str_of(words);
    size_t n = 0;

    while (rest.p && n < 16)
        argv[n++] = str_split(rest, ' ', &rest);
    redis_start(f, c, b->redis, argv, n, false);
    return c;
}

bool bench_cmd_over(void *cmd)
{
    return list_empty(&((struct redis_cmd *)cmd)->wait.link);
}

struct redis_cmd *bench_run(struct bench *b, const char *words)
{
    struct redis_cmd *c = bench_start(b, words);

    cr_assert(live_until(b->loop, bench_cmd_over, c), "%s never ended", words);
    return c;
}

const char *bench_outcome(const struct wait *w)
{
    return w->err ? w->err->code->name : "ok";
}

enum step bench_loader(struct flow *f)
{
    /* a test's own object, const to flows only by their type */
    struct world *w = (struct world *)(uintptr_t)f->env;
    bool again = f->state;

    f->state = w;
    w->loads += !again;
    if (w->held)
        return flow_sleep(f, 1, bench_loader);
    if (w->err)
        return flow_fail_code(f, w->err, "as the test wishes");
    *(struct str *)f->out = arena_str(&f->arena, str_of(w->value));
    return flow_done(f);
}

struct cache_get *bench_get_start(struct bench *b, struct cache *c, struct str key)
{
    struct flow *f = bench_flow(b);
    struct cache_get *g = ARENA_NEW(&f->arena, struct cache_get);

    cache_start(f, g, c, key, bench_loader, false);
    return g;
}

bool bench_get_over(void *get)
{
    return list_empty(&((struct cache_get *)get)->wait.link);
}

struct cache_get *bench_get(struct bench *b, struct cache *c, struct str key)
{
    struct cache_get *g = bench_get_start(b, c, key);

    cr_assert(live_until(b->loop, bench_get_over, g), "a read never ended");
    return g;
}

static void on_message(void *news, struct str payload)
{
    (void)payload;
    ((struct news *)news)->messages++;
}

static void on_resync(void *news, bool connected)
{
    ((struct news *)news)->connected = connected;
}

static bool is_connected(void *news)
{
    return ((struct news *)news)->connected;
}

void bench_listen(struct bench *b, struct redis *r, const char *cache, struct news *n)
{
    const char *channel = arena_printf(&b->arena, "viaduct:invalidate:%s", cache).p;

    *n = (struct news){0};
    redis_subscribe(r, channel, on_message, on_resync, n);
    cr_assert(live_until(b->loop, is_connected, n), "never subscribed");
}

/* Criterion runs tests side by side. */
void bench_server(struct bench *b, const char *server, const char *instance)
{
    char path[512];

    snprintf(path, sizeof path, "%s/.dev/state/%s.lock", live_setting("VIADUCT_SOURCE"),
             instance);
    b->lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    cr_assert_geq(b->lock, 0);
    cr_assert_eq(flock(b->lock, LOCK_EX), 0);
    cr_assert(live_server("start", server, instance));
}

void bench_server_done(struct bench *b, const char *server, const char *instance)
{
    cr_assert(live_server("stop", server, instance));
    (void)close(b->lock);
}
