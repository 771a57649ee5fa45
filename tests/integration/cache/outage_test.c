// SPDX-License-Identifier: Apache-2.0
/* A Redis of our own that is stopped, frozen and started again. */
#include "bench.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

#define INSTANCE "test-redis-outage"

static struct bench b;
static struct arena a;

static void begin(void)
{
    arena_init(&a);
    bench_server(&b, "redis", INSTANCE);
    bench_begin(
        &b,
        arena_printf(&a, "redis://127.0.0.1:%d", live_server_port("redis", INSTANCE)).p);
    bench_up(&b);
    b.world.value = "one";
}

static void end(void)
{
    bench_end(&b);
    bench_server_done(&b, "redis", INSTANCE);
    arena_fini(&a);
}

TestSuite(redis_outage, .init = begin, .fini = end);

static pid_t server_pid(void)
{
    const char *path = arena_printf(&a, "%s/.dev/state/" INSTANCE "/redis/pid",
                                    live_setting("VIADUCT_SOURCE"))
                           .p;
    FILE *file = fopen(path, "r");
    int pid = 0;

    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%d", &pid), 1);
    (void)fclose(file);
    return pid;
}

static bool is_down(void *arg)
{
    return !redis_up(arg);
}

Test(redis_outage, commands_fail_at_once_and_work_again_when_it_is_back)
{
    const struct redis_cmd *c;

    cr_assert_str_eq(bench_outcome(&bench_run(&b, "SET k v")->wait), "ok");
    cr_assert(live_server("stop", "redis", INSTANCE));
    c = bench_run(&b, "GET k"); /* perhaps before the loss is known */
    cr_assert_str_eq(bench_outcome(&c->wait), "unavailable");
    cr_assert(live_until(b.loop, is_down, b.redis));
    c = bench_start(&b, "GET k");
    cr_assert(bench_cmd_over((void *)(uintptr_t)c), "without a turn of the loop");
    cr_assert_str_eq(bench_outcome(&c->wait), "unavailable");
    cr_assert_gt(c->wait.err->retry_after_ms, 0);
    cr_assert(live_server("start", "redis", INSTANCE));
    bench_up(&b);
    cr_assert_str_eq(bench_outcome(&bench_run(&b, "PING")->wait), "ok");
}

/* Patient enough for a busy machine that is not frozen. */
static struct redis *impatient(void)
{
    return redis_create(
        b.loop,
        &(struct redis_conf){.url = b.url, .max_in_flight = 100, .timeout_ms = 1500});
}

Test(redis_outage, a_frozen_redis_costs_a_timeout_and_is_given_up)
{
    struct redis *patient = b.redis;
    pid_t pid = server_pid();
    struct redis_cmd *c[2];
    bool ended, given_up;

    b.redis = impatient();
    bench_up(&b);
    cr_assert_eq(kill(pid, SIGSTOP), 0);
    c[0] = bench_start(&b, "PING");
    c[1] = bench_start(&b, "PING");
    ended = live_until(b.loop, bench_cmd_over, c[0]) &&
            live_until(b.loop, bench_cmd_over, c[1]);
    given_up = live_until(b.loop, is_down, b.redis);
    cr_assert_eq(kill(pid, SIGCONT), 0); /* whatever came out of it */
    cr_assert(ended);
    cr_assert(given_up, "a connection that does not answer is not kept");
    for (int i = 0; i < 2; i++)
        cr_assert_str_eq(bench_outcome(&c[i]->wait), "unavailable");
    bench_up(&b);
    cr_assert_str_eq(bench_outcome(&bench_run(&b, "PING")->wait), "ok");
    redis_destroy(b.redis);
    b.redis = patient;
}

static bool not_here(void *cache)
{
    return cache_peek(cache, STR("k")) == NULL;
}

Test(redis_outage, the_cache_goes_on_without_redis_and_trusts_nothing_it_kept)
{
    const struct cache_conf conf = {
        .name = "outage", .local_bytes = 1 << 16, .ttl_ms = 600000, .stale_ms = 600000};
    struct cache *c = cache_create(b.loop, &conf, b.redis);
    const struct cache_get *g;
    static struct news news;

    bench_listen(&b, b.redis, conf.name, &news);
    bench_get(&b, c, STR("k"));
    cr_assert_not_null(cache_peek(c, STR("k")));
    cr_assert(live_server("stop", "redis", INSTANCE));
    cr_assert(live_until(b.loop, not_here, c));
    b.world.value = "two";
    g = bench_get(&b, c, STR("k"));
    cr_assert(str_eq(g->value, STR("two")));
    cr_assert_not_null(cache_peek(c, STR("k")), "it is kept meanwhile");
    cr_assert(live_server("start", "redis", INSTANCE));
    cr_assert(live_until(b.loop, not_here, c), "messages may have been missed");
    cache_destroy(c);
}

static bool is_gone(void *arg)
{
    (void)arg;
    return bench_run(&b, "EXISTS cache:owed:k")->reply.i == 0;
}

Test(redis_outage, an_invalidation_while_it_is_away_is_told_when_it_is_back)
{
    const struct cache_conf conf = {
        .name = "owed", .local_bytes = 1 << 16, .ttl_ms = 600000, .stale_ms = 0};
    struct redis *patient = b.redis;
    struct cache *c;
    pid_t pid = server_pid();
    bool down;

    b.redis = impatient();
    bench_up(&b);
    c = cache_create(b.loop, &conf, b.redis);
    bench_get(&b, c, STR("k"));
    cr_assert_not(is_gone(NULL)); /* asked behind the fill */

    cr_assert_eq(kill(pid, SIGSTOP), 0);
    bench_start(&b, "PING");
    down = live_until(b.loop, is_down, b.redis);
    cache_invalidate(c, STR("k"));
    cr_assert_eq(kill(pid, SIGCONT), 0);
    cr_assert(down);
    bench_up(&b);
    cr_assert(live_until(b.loop, is_gone, NULL));
    cache_destroy(c);
    redis_destroy(b.redis);
    b.redis = patient;
}
