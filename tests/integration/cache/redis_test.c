// SPDX-License-Identifier: Apache-2.0
/* Commands, scripts and subscriptions on a real Redis. */
#include "bench.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

static struct bench b;
static const char *key; /* of this test alone */

static const char *words(const char *before, const char *after)
{
    return arena_printf(&b.arena, "%s %s%s", before, key, after).p;
}

static void begin(void)
{
    bench_begin(&b, live_setting("VIADUCT_REDIS"));
    key = live_name(&b.arena, "test");
    bench_up(&b);
}

static void end(void)
{
    bench_run(&b, words("DEL", ""));
    bench_end(&b);
}

TestSuite(redis, .init = begin, .fini = end);

Test(redis, replies_have_their_types)
{
    const struct redis_cmd *c = bench_run(&b, words("SET", " hello"));

    cr_expect_eq(c->reply.type, REDIS_STR);
    cr_expect(str_eq(c->reply.s, STR("OK")));
    c = bench_run(&b, words("GET", ""));
    cr_expect(str_eq(c->reply.s, STR("hello")));
    c = bench_run(&b, words("STRLEN", ""));
    cr_expect_eq(c->reply.type, REDIS_INT);
    cr_expect_eq(c->reply.i, 5);
    c = bench_run(&b, words("MGET", " no-such-key"));
    cr_assert_eq(c->reply.type, REDIS_ARRAY);
    cr_assert_eq(c->reply.n, 2u);
    cr_expect(str_eq(c->reply.v[0].s, STR("hello")));
    cr_expect_eq(c->reply.v[1].type, REDIS_NIL);
}

Test(redis, an_error_reply_is_internal)
{
    const struct redis_cmd *c;

    bench_run(&b, words("SET", " hello"));
    c = bench_run(&b, words("INCR", ""));
    cr_expect_eq(c->reply.type, REDIS_ERROR);
    cr_expect_str_eq(bench_outcome(&c->wait), "internal");
    cr_expect_str_eq(bench_outcome(&bench_run(&b, "PING")->wait), "ok");
}

Test(redis, every_command_of_a_turn_gets_its_own_reply)
{
    struct redis_cmd *c[500];

    for (int i = 0; i < 500; i++)
        c[i] = bench_start(&b, arena_printf(&b.arena, "ECHO %d", i).p);
    for (int i = 0; i < 500; i++) {
        cr_assert(live_until(b.loop, bench_cmd_over, c[i]));
        cr_assert(str_eq(c[i]->reply.s, arena_printf(&b.arena, "%d", i)));
    }
}

Test(redis, a_cancelled_command_leaves_its_neighbours_their_replies)
{
    struct redis_cmd *c[30];

    for (int i = 0; i < 30; i++)
        c[i] = bench_start(&b, arena_printf(&b.arena, "ECHO %d", i).p);
    for (int i = 0; i < 30; i += 2)
        flow_cancel(b.flows[i], ERR_STATIC(CANCELLED));
    for (int i = 1; i < 30; i += 2) {
        cr_assert(live_until(b.loop, bench_cmd_over, c[i]));
        cr_assert(str_eq(c[i]->reply.s, arena_printf(&b.arena, "%d", i)));
    }
}

Test(redis, above_the_limit_commands_are_shed)
{
    struct redis *small = redis_create(
        b.loop,
        &(struct redis_conf){.url = b.url, .max_in_flight = 5, .timeout_ms = 5000});
    struct redis *usual = b.redis;
    struct redis_cmd *c[8];

    b.redis = small;
    bench_up(&b);
    for (int i = 0; i < 8; i++)
        c[i] = bench_start(&b, "PING");
    for (int i = 0; i < 8; i++) {
        cr_assert(live_until(b.loop, bench_cmd_over, c[i]));
        cr_expect_str_eq(bench_outcome(&c[i]->wait), i < 5 ? "ok" : "overloaded");
    }
    redis_destroy(small);
    b.redis = usual;
}

/* ---- scripts ---- */

static const struct redis_script add = {
    "redis.call('INCRBY', KEYS[1], ARGV[1]) return {redis.call('GET', KEYS[1]), #ARGV}"};

static const struct redis_cmd *run_add(void)
{
    struct flow *f = bench_flow(&b);
    struct redis_cmd *c = ARENA_NEW(&f->arena, struct redis_cmd);
    struct str keys[] = {str_of(key)}, args[] = {STR("5"), STR("x")};

    redis_start_script(f, c, b.redis, &add, keys, 1, args, 2, false);
    cr_assert(live_until(b.loop, bench_cmd_over, c));
    return c;
}

Test(redis, a_script_runs_whole_then_by_hash_and_after_redis_forgot_it)
{
    static const char *const sums[] = {"5", "10", "15", "20"};

    for (int i = 0; i < 4; i++) {
        const struct redis_cmd *c = run_add();

        cr_assert_str_eq(bench_outcome(&c->wait), "ok");
        cr_assert_eq(c->reply.n, 2u);
        cr_expect(str_eq(c->reply.v[0].s, str_of(sums[i])));
        cr_expect_eq(c->reply.v[1].i, 2);
        if (i == 2) /* run once by hash; every test's Redis may lose its scripts */
            bench_run(&b, "SCRIPT FLUSH");
    }
}

/* ---- subscriptions ---- */

struct listener {
    int messages, connects, losses;
    char last[64];
};

static void on_message(void *arg, struct str payload)
{
    struct listener *l = arg;

    cr_expect_gt(l->connects, 0, "resync comes before the first message");
    l->messages++;
    snprintf(l->last, sizeof l->last, "%.*s", STR_FMT(payload));
}

static void on_resync(void *arg, bool connected)
{
    struct listener *l = arg;

    l->connects += connected;
    l->losses += !connected;
}

static bool connected(void *arg)
{
    return ((struct listener *)arg)->connects > 0;
}

static bool heard(void *arg)
{
    return ((struct listener *)arg)->messages > 0;
}

Test(redis, messages_reach_every_listener_of_their_channel)
{
    struct listener one = {0}, two = {0}, other = {0};

    redis_subscribe(b.redis, key, on_message, on_resync, &one);
    redis_subscribe(b.redis, key, on_message, on_resync, &two);
    redis_subscribe(b.redis, words("other", ""), on_message, on_resync, &other);
    cr_assert(live_until(b.loop, connected, &one));
    cr_assert(live_until(b.loop, connected, &two));
    cr_assert(live_until(b.loop, connected, &other));
    bench_run(&b, words("PUBLISH", " news"));
    cr_assert(live_until(b.loop, heard, &one));
    cr_assert(live_until(b.loop, heard, &two));
    cr_expect_str_eq(one.last, "news");
    cr_expect_eq(other.messages, 0);
}

static bool lost_and_back(void *arg)
{
    const struct listener *l = arg;

    return l->losses > 0 && l->connects > 1;
}

/* A user of this test alone, called as its key is; and a client of theirs. */
static struct redis *log_in(const char *database)
{
    const char *port = strrchr(b.url, ':');

    bench_run(&b, words("ACL SETUSER", " on >s3cret ~* &* +@all"));
    return bench_redis(
        &b,
        arena_printf(&b.arena, "redis://%s:s3cret@127.0.0.1%s%s", key, port, database).p);
}

/* Other tests, and other programs, subscribe too: their connections are left alone. */
Test(redis, a_lost_subscription_is_told_and_made_again)
{
    struct redis *theirs = log_in("");
    struct listener l = {0};
    const struct redis_cmd *c;

    redis_subscribe(theirs, key, on_message, on_resync, &l);
    cr_assert(live_until(b.loop, connected, &l));
    c = bench_run(&b, words("CLIENT KILL TYPE pubsub USER", ""));
    cr_assert_eq(c->reply.type, REDIS_INT);
    cr_assert_eq(c->reply.i, 1);
    cr_assert(live_until(b.loop, lost_and_back, &l));
    bench_run(&b, words("PUBLISH", " again"));
    cr_assert(live_until(b.loop, heard, &l));
    cr_expect_str_eq(l.last, "again");
    redis_destroy(theirs);
    bench_run(&b, words("ACL DELUSER", ""));
}

Test(redis, who_unsubscribes_hears_nothing_more)
{
    struct listener l = {0}, stays = {0};

    redis_subscribe(b.redis, key, on_message, on_resync, &l);
    redis_subscribe(b.redis, key, on_message, on_resync, &stays);
    cr_assert(live_until(b.loop, connected, &stays));
    redis_unsubscribe(b.redis, &l);
    bench_run(&b, words("PUBLISH", " news"));
    cr_assert(live_until(b.loop, heard, &stays));
    cr_expect_eq(l.messages, 0);
}

/* ---- logging in ---- */

Test(redis, logs_in_and_selects_its_database)
{
    struct redis *usual = b.redis;
    const struct redis_cmd *c;

    b.redis = log_in("/3");
    bench_up(&b);
    c = bench_run(&b, "ACL WHOAMI");
    cr_expect(str_eq(c->reply.s, str_of(key)));
    c = bench_run(&b, "CLIENT INFO");
    cr_expect_not_null(strstr(c->reply.s.p, " db=3 "));
    redis_destroy(b.redis);
    b.redis = usual;
    bench_run(&b, words("ACL DELUSER", ""));
}

static bool never(void *arg)
{
    return redis_up(arg);
}

Test(redis, is_found_by_name)
{
    struct redis *usual = b.redis;
    const char *port = strrchr(b.url, ':');

    b.redis = bench_redis(&b, arena_printf(&b.arena, "redis://localhost%s", port).p);
    bench_up(&b);
    cr_expect_str_eq(bench_outcome(&bench_run(&b, "PING")->wait), "ok");
    redis_destroy(b.redis);
    b.redis = bench_redis(&b, "redis://no-such-host.invalid");
    cr_expect_str_eq(bench_outcome(&bench_run(&b, "PING")->wait), "unavailable");
    redis_destroy(b.redis); /* while its name is looked up, perhaps */
    b.redis = usual;
}

Test(redis, does_not_come_up_with_a_wrong_password)
{
    const char *port = strrchr(b.url, ':');
    struct redis *r =
        bench_redis(&b, arena_printf(&b.arena, "redis://nobody:x@127.0.0.1%s", port).p);

    cr_assert_not(live_until_ms(b.loop, never, r, 200));
    redis_destroy(r);
}

Test(redis, dies_on_a_url_that_is_none, .signal = SIGABRT)
{
    bench_redis(&b, "http://127.0.0.1");
}
