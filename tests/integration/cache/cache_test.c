// SPDX-License-Identifier: Apache-2.0
/*
 * The cache on a real Redis. "Another process" is a second client and cache on the same
 * loop: they share nothing but Redis.
 */
#include "bench.h"

#include <criterion/criterion.h>

static struct bench b;
static struct cache_conf conf;
static struct cache *here, *there;
static struct redis *other_redis;
static struct news news_here, news_there;
static const struct str key = {"k\0ey", 4};

static void begin(void)
{
    bench_begin(&b, live_setting("VIADUCT_REDIS"));
    conf = (struct cache_conf){.name = live_name(&b.arena, "cache"),
                               .local_bytes = 1 << 16,
                               .ttl_ms = 60000,
                               .stale_ms = 60000};
    other_redis = bench_redis(&b, b.url);
    b.world.value = "one";
}

static void make_caches(void)
{
    struct redis *usual = b.redis;

    here = cache_create(b.loop, &conf, b.redis);
    there = cache_create(b.loop, &conf, other_redis);
    bench_up(&b);
    b.redis = other_redis;
    bench_up(&b);
    b.redis = usual;
    bench_listen(&b, b.redis, conf.name, &news_here);
    bench_listen(&b, other_redis, conf.name, &news_there);
}

static void end(void)
{
    cache_destroy(here);
    cache_destroy(there);
    redis_destroy(other_redis);
    bench_end(&b);
}

TestSuite(cache, .init = begin, .fini = end);

static void expect_value(const struct cache_get *g, const char *value)
{
    cr_assert_str_eq(bench_outcome(&g->wait), "ok");
    cr_assert(g->found);
    cr_assert(str_eq(g->value, str_of(value)), "%.*s", STR_FMT(g->value));
}

static struct redis_cmd *stored(void)
{
    struct flow *f = bench_flow(&b);
    struct redis_cmd *c = ARENA_NEW(&f->arena, struct redis_cmd);
    struct str head = arena_printf(&b.arena, "cache:%s:", conf.name);
    char *full = arena_alloc(&b.arena, head.n + key.n);
    struct str argv[] = {STR("GET"), {full, head.n + key.n}};

    memcpy(full, head.p, head.n);
    memcpy(full + head.n, key.p, key.n);
    redis_start(f, c, b.redis, argv, 2, false);
    cr_assert(live_until(b.loop, bench_cmd_over, c));
    return c;
}

static bool is_stored(void *arg)
{
    (void)arg;
    return stored()->reply.type == REDIS_STR;
}

static bool is_not_stored(void *arg)
{
    return !is_stored(arg);
}

static bool loads_are(void *n)
{
    return b.world.loads == *(int *)n;
}

/* So many loaders have begun: they may have read the old row. */
static void wait_loads(int n)
{
    cr_assert(live_until(b.loop, loads_are, &n), "%d instead of %d", b.world.loads, n);
}

/* All that was sent before on this connection has been done. */
static void flush_redis(struct redis *r)
{
    struct redis *usual = b.redis;

    b.redis = r;
    cr_assert_str_eq(bench_outcome(&bench_run(&b, "PING")->wait), "ok");
    b.redis = usual;
}

Test(cache, loads_once_and_then_has_it)
{
    make_caches();
    cr_assert_null(cache_peek(here, key));
    expect_value(bench_get(&b, here, key), "one");
    cr_assert(str_eq(*cache_peek(here, key), STR("one")));
    expect_value(bench_get(&b, here, key), "one");
    cr_expect_eq(b.world.loads, 1);
}

Test(cache, one_flight_serves_all_who_ask)
{
    struct cache_get *g[200];

    make_caches();
    b.world.held = true;
    for (int i = 0; i < 200; i++)
        g[i] = bench_get_start(&b, here, key);
    wait_loads(1);
    b.world.held = false;
    for (int i = 0; i < 200; i++) {
        cr_assert(live_until(b.loop, bench_get_over, g[i]));
        expect_value(g[i], "one");
    }
    cr_expect_eq(b.world.loads, 1);
}

Test(cache, the_flight_goes_on_when_the_first_asker_is_cancelled)
{
    struct cache_get *second;

    make_caches();
    b.world.held = true;
    bench_get_start(&b, here, key);
    second = bench_get_start(&b, here, key);
    wait_loads(1);
    flow_cancel(b.flows[0], ERR_STATIC(CANCELLED));
    live_turns(b.loop, 10);
    b.world.held = false;
    cr_assert(live_until(b.loop, bench_get_over, second));
    expect_value(second, "one");
    cr_expect_eq(b.world.loads, 1);
}

Test(cache, another_process_finds_it_in_redis)
{
    make_caches();
    expect_value(bench_get(&b, here, key), "one");
    cr_assert(live_until(b.loop, is_stored, NULL));
    b.world.value = "two";
    expect_value(bench_get(&b, there, key), "one");
    cr_expect_eq(b.world.loads, 1);
}

Test(cache, what_does_not_exist_is_remembered_too)
{
    make_caches();
    b.world.value = NULL;
    cr_assert_not(bench_get(&b, here, key)->found);
    cr_assert_not(bench_get(&b, here, key)->found);
    cr_assert_not_null(cache_peek(here, key));
    cr_assert_null(cache_peek(here, key)->p);
    cr_expect_eq(b.world.loads, 1);
    cr_assert(live_until(b.loop, is_stored, NULL));
    cr_assert_not(bench_get(&b, there, key)->found);
    cr_expect_eq(b.world.loads, 1);
}

Test(cache, an_error_reaches_all_and_is_not_remembered)
{
    struct cache_get *g[3];

    make_caches();
    b.world.err = &ERR_CODE_INTERNAL;
    for (int i = 0; i < 3; i++)
        g[i] = bench_get_start(&b, here, key);
    for (int i = 0; i < 3; i++) {
        cr_assert(live_until(b.loop, bench_get_over, g[i]));
        cr_expect_str_eq(bench_outcome(&g[i]->wait), "internal");
        cr_expect(str_eq(g[i]->wait.err->detail, STR("as the test wishes")));
    }
    b.world.err = NULL;
    expect_value(bench_get(&b, here, key), "one");
}

static bool gone_there(void *arg)
{
    (void)arg;
    return cache_peek(there, key) == NULL;
}

Test(cache, an_invalidation_is_here_at_once_and_soon_everywhere)
{
    make_caches();
    bench_get(&b, here, key);
    cr_assert(live_until(b.loop, is_stored, NULL));
    bench_get(&b, there, key);
    cr_assert_not_null(cache_peek(there, key));

    b.world.value = "two";
    cache_invalidate(here, key);
    cr_assert_null(cache_peek(here, key));
    cr_assert(live_until(b.loop, gone_there, NULL));
    expect_value(bench_get(&b, there, key), "two");
    expect_value(bench_get(&b, here, key), "two");
}

/* ---- a change while a load is under way ---- */

Test(cache, a_load_that_a_local_invalidation_overtook_is_not_kept)
{
    struct cache_get *old, *new;

    make_caches();
    b.world.held = true;
    old = bench_get_start(&b, here, key);
    wait_loads(1);
    cache_invalidate(here, key);
    new = bench_get_start(&b, here, key);
    wait_loads(2); /* who asks after the change does not join the old flight */
    b.world.held = false;
    cr_assert(live_until(b.loop, bench_get_over, old));
    cr_assert(live_until(b.loop, bench_get_over, new));
}

static bool heard_some(void *news)
{
    return ((struct news *)news)->messages > 0;
}

Test(cache, a_load_that_a_message_overtook_is_kept_nowhere)
{
    struct cache_get *old;

    make_caches();
    b.world.held = true;
    old = bench_get_start(&b, here, key);
    wait_loads(1);
    cache_invalidate(there, key);
    cr_assert(live_until(b.loop, heard_some, &news_here));
    b.world.held = false;
    cr_assert(live_until(b.loop, bench_get_over, old));
    expect_value(old, "one");
    cr_expect_null(cache_peek(here, key));
    cr_expect_eq(stored()->reply.type, REDIS_NIL);
    b.world.value = "two";
    expect_value(bench_get(&b, here, key), "two");
}

Test(cache, a_fill_after_an_unheard_invalidation_does_not_reach_redis)
{
    struct cache_get *old;
    struct cache *deaf;

    make_caches();
    /* the change comes from a process whose message is lost: only the version is new */
    deaf = cache_create(b.loop, &conf, other_redis);
    b.world.held = true;
    old = bench_get_start(&b, here, key);
    wait_loads(1);
    redis_unsubscribe(b.redis, here);
    cache_invalidate(deaf, key);
    flush_redis(other_redis);
    b.world.held = false;
    cr_assert(live_until(b.loop, bench_get_over, old));
    cr_expect_eq(stored()->reply.type, REDIS_NIL);
    cache_destroy(deaf);
}

/* ---- past its lifetime ---- */

static bool no_longer_fresh(void *arg)
{
    return cache_peek(arg, key) == NULL;
}

Test(cache, an_old_value_is_served_while_the_source_is_away)
{
    const struct cache_get *g;

    conf.ttl_ms = 20;
    make_caches();
    bench_get(&b, here, key);
    flush_redis(b.redis); /* which has it from now on, fresh for twice as long */
    cr_assert(live_until(b.loop, no_longer_fresh, here));
    live_turns(b.loop, 60);

    b.world.err = &ERR_CODE_UNAVAILABLE;
    g = bench_get(&b, here, key);
    expect_value(g, "one");
    cr_expect(g->stale);
    g = bench_get(&b, there, key); /* which never had it: Redis did */
    expect_value(g, "one");
    cr_expect(g->stale);

    b.world.err = &ERR_CODE_INTERNAL;
    cr_expect_str_eq(bench_outcome(&bench_get(&b, here, key)->wait), "internal");
    b.world.err = NULL;
    b.world.value = "two";
    g = bench_get(&b, here, key);
    expect_value(g, "two");
    cr_expect_not(g->stale);
}

Test(cache, nothing_stale_is_served_where_none_is_allowed)
{
    conf.ttl_ms = 20;
    conf.stale_ms = 0;
    make_caches();
    bench_get(&b, here, key);
    flush_redis(b.redis);
    cr_assert(live_until(b.loop, no_longer_fresh, here));
    cr_assert(live_until(b.loop, is_not_stored, NULL));
    b.world.err = &ERR_CODE_UNAVAILABLE;
    cr_expect_str_eq(bench_outcome(&bench_get(&b, here, key)->wait), "unavailable");
}

Test(cache, works_without_redis)
{
    struct cache *alone = cache_create(b.loop, &conf, NULL);

    make_caches();
    expect_value(bench_get(&b, alone, key), "one");
    expect_value(bench_get(&b, alone, key), "one");
    cr_expect_eq(b.world.loads, 1);
    cache_invalidate(alone, key);
    cr_expect_null(cache_peek(alone, key));
    cache_destroy(alone);
}

Test(cache, a_value_too_large_for_the_process_is_found_in_redis)
{
    static char large[1 << 17];

    memset(large, 'x', sizeof large - 1);
    b.world.value = large;
    make_caches();
    expect_value(bench_get(&b, here, key), large);
    cr_assert_null(cache_peek(here, key));
    cr_assert(live_until(b.loop, is_stored, NULL));
    expect_value(bench_get(&b, here, key), large);
    cr_expect_eq(b.world.loads, 1);
}

Test(cache, a_cache_that_is_destroyed_ends_its_flights)
{
    struct cache_get *g;

    make_caches();
    b.world.held = true;
    g = bench_get_start(&b, here, key);
    wait_loads(1);
    cache_invalidate(here, STR("x"));
    cache_destroy(here);
    here = NULL;
    cr_assert(bench_get_over(g));
    cr_expect_str_eq(bench_outcome(&g->wait), "request.cancelled");
}
