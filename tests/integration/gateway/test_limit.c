// SPDX-License-Identifier: Apache-2.0
/* Rate limits on the real Redis: exact, shared, all or nothing; and local without it. */
#include "gateway/edge/limit.h"
#include "kit/obs/metrics.h"
#include "proto/errors.h"
#include "tests/support/live/live.h"

#include <criterion/criterion.h>

enum { LIMIT = 5 };

/* Two gateways, as far as limits go. */
struct bench {
    struct arena arena;
    struct loop *loop;
    struct redis *redis[2];
    struct limiter *limiter[2];
};

static bool both_up(void *arg)
{
    const struct bench *b = arg;

    return redis_up(b->redis[0]) && redis_up(b->redis[1]);
}

static void open_bench(struct bench *b, const char *url, const struct limiter_conf *conf)
{
    const struct redis_conf redis = {
        .url = url, .max_in_flight = 1000, .timeout_ms = 10000};

    log_init("test", LOG_LEVEL_ERROR);
    arena_init(&b->arena);
    b->loop = loop_create();
    for (int i = 0; i < 2; i++) {
        b->redis[i] = redis_create(b->loop, &redis);
        b->limiter[i] = limiter_create(b->loop, b->redis[i], conf);
    }
}

static void open_live(struct bench *b, const struct limiter_conf *conf)
{
    open_bench(b, live_setting("VIADUCT_REDIS"), conf);
    cr_assert(live_until(b->loop, both_up, b));
}

static void close_bench(struct bench *b)
{
    for (int i = 0; i < 2; i++) {
        limiter_destroy(b->limiter[i]);
        redis_destroy(b->redis[i]);
    }
    loop_destroy(b->loop);
    arena_fini(&b->arena);
}

/* ---- one call ---- */

struct call {
    struct limiter *limiter;
    enum route_class class;
    unsigned cost;
    struct limit_who who;
    struct limit_take take;
    bool over, allowed;
    int64_t retry_after_ms;
};

static void call_ended(struct flow *f, const struct err *e)
{
    struct call *c = f->owner;

    c->over = true;
    c->allowed = e == NULL;
    if (e) {
        cr_expect_eq(e->code, &ERR_CODE_RATE_LIMITED);
        c->retry_after_ms = e->retry_after_ms;
    }
}

static enum step judged(struct flow *f)
{
    struct call *c = f->owner;
    const struct err *e = limit_judge(f, &c->take);

    return e ? flow_fail(f, e) : flow_done(f);
}

static enum step begin(struct flow *f)
{
    struct call *c = f->owner;

    limit_start(f, &c->take, c->limiter, c->class, c->cost, &c->who);
    return flow_await(f, judged);
}

static void start(struct bench *b, struct call *c)
{
    c->take = (struct limit_take){0};
    c->over = false;
    flow_start(flow_create(b->loop, 60000, call_ended, c), begin);
}

static bool is_over(void *arg)
{
    return ((struct call *)arg)->over;
}

static bool allowed(struct bench *b, struct call *c)
{
    start(b, c);
    cr_assert(live_until(b->loop, is_over, c));
    return c->allowed;
}

static struct call api_call(struct bench *b, int gateway, const char *ip)
{
    return (struct call){.limiter = b->limiter[gateway], .who = {.ip = str_of(ip)}};
}

/* ---- cases ---- */

static const struct limiter_conf by_ip = {.rules = {[LIMIT_IP] = {LIMIT, 60}},
                                          .loops = 2};

Test(limit, lets_exactly_the_limit_through)
{
    struct bench b;
    struct call c;

    open_live(&b, &by_ip);
    c = api_call(&b, 0, live_name(&b.arena, "ip"));
    for (int i = 0; i < LIMIT; i++) {
        cr_expect(allowed(&b, &c));
        cr_expect_eq(c.take.answers[LIMIT_IP].remaining, LIMIT - 1 - i);
    }
    for (int i = 0; i < 3; i++)
        cr_expect_not(allowed(&b, &c));
    cr_expect(c.retry_after_ms > 0 && c.retry_after_ms <= 60000);
    close_bench(&b);
}

Test(limit, is_the_same_for_all_gateways_at_once)
{
    struct bench b;
    struct call calls[40];
    int through = 0;
    const char *ip;

    open_live(&b, &by_ip);
    ip = live_name(&b.arena, "ip");
    for (int i = 0; i < 40; i++) {
        calls[i] = api_call(&b, i % 2, ip);
        start(&b, &calls[i]);
    }
    for (int i = 0; i < 40; i++) {
        cr_assert(live_until(b.loop, is_over, &calls[i]));
        through += calls[i].allowed;
    }
    cr_expect_eq(through, LIMIT);
    close_bench(&b);
}

Test(limit, counts_identities_apart)
{
    struct bench b;
    struct call one, other;

    open_live(&b, &by_ip);
    one = api_call(&b, 0, live_name(&b.arena, "ip"));
    other = api_call(&b, 0, live_name(&b.arena, "ip"));
    for (int i = 0; i < LIMIT; i++)
        cr_expect(allowed(&b, &one));
    cr_expect_not(allowed(&b, &one));
    cr_expect(allowed(&b, &other));
    close_bench(&b);
}

/* A call that the stricter policy refuses must not use up the other. */
Test(limit, refused_calls_count_against_no_policy)
{
    static const struct limiter_conf conf = {
        .rules = {[LIMIT_IP] = {LIMIT, 60}, [LIMIT_SIGN_IN] = {1, 60}}, .loops = 1};
    struct bench b;
    struct call c;

    open_live(&b, &conf);
    c = api_call(&b, 0, live_name(&b.arena, "ip"));
    c.class = ROUTE_SIGN_IN;
    cr_expect(allowed(&b, &c));
    for (int i = 0; i < 20; i++)
        cr_expect_not(allowed(&b, &c));
    cr_expect(c.take.answers[LIMIT_SIGN_IN].refused);
    cr_expect_not(c.take.answers[LIMIT_IP].refused);
    c.class = ROUTE_API;
    for (int i = 1; i < LIMIT; i++)
        cr_expect(allowed(&b, &c), "call %d", i);
    cr_expect_not(allowed(&b, &c));
    close_bench(&b);
}

Test(limit, a_user_is_limited_wherever_the_calls_come_from)
{
    static const struct limiter_conf conf = {
        .rules = {[LIMIT_IP] = {1000, 60}, [LIMIT_USER] = {LIMIT, 60}}, .loops = 1};
    const struct caller user = {.user = uuid_new()};
    struct bench b;

    open_live(&b, &conf);
    for (int i = 0; i <= LIMIT; i++) {
        struct call c = api_call(&b, i % 2, live_name(&b.arena, "ip"));

        c.who.caller = &user;
        cr_expect_eq(allowed(&b, &c), i < LIMIT);
    }
    close_bench(&b);
}

Test(limit, zero_is_no_limit)
{
    static const struct limiter_conf conf = {.loops = 1};
    struct bench b;
    struct call c;

    open_live(&b, &conf);
    c = api_call(&b, 0, live_name(&b.arena, "ip"));
    for (int i = 0; i < 50; i++)
        cr_expect(allowed(&b, &c));
    cr_expect_null(limit_header(&b.arena, &c.take).p);
    close_bench(&b);
}

Test(limit, is_said_in_header_fields)
{
    static const struct limiter_conf conf = {
        .rules = {[LIMIT_IP] = {LIMIT, 60}, [LIMIT_USER] = {9, 60}}, .loops = 1};
    const struct caller user = {.user = uuid_new()};
    struct bench b;
    struct call c;

    open_live(&b, &conf);
    c = api_call(&b, 0, live_name(&b.arena, "ip"));
    c.who.caller = &user;
    cr_assert(allowed(&b, &c));
    cr_expect(str_eq(limit_policy_header(&b.arena, &c.take),
                     STR("\"ip\";q=5;w=60, \"user\";q=9;w=60")));
    cr_expect(str_eq(limit_header(&b.arena, &c.take),
                     STR("\"ip\";r=4;t=60, \"user\";r=8;t=60")));
    close_bench(&b);
}

Test(limit, without_redis_each_loop_keeps_its_share)
{
    struct bench b;
    struct call c;

    open_bench(&b, "redis://127.0.0.1:1", &by_ip);
    c = api_call(&b, 0, "192.0.2.1");
    for (int i = 0; i < 3; i++) /* half of five, rounded up */
        cr_expect(allowed(&b, &c));
    cr_expect_not(allowed(&b, &c));
    cr_expect(c.retry_after_ms > 0);
    close_bench(&b);
}

/* ---- before anybody is asked ---- */

static enum step try_to_ask(struct flow *f)
{
    struct call *c = f->owner;
    const struct err *e = limit_may_ask(f, c->limiter, c->who.ip);

    return e ? flow_fail(f, e) : flow_done(f);
}

static bool may_ask(struct bench *b, struct call *c)
{
    c->over = false;
    flow_start(flow_create(b->loop, 60000, call_ended, c), try_to_ask);
    cr_assert(c->over);
    return c->allowed;
}

Test(limit, an_address_may_show_twice_as_many_strange_tokens_as_it_may_call)
{
    static const struct limiter_conf none = {.rules = {{0}}, .loops = 1};
    struct bench b;
    struct call c, other;

    open_bench(&b, "redis://127.0.0.1:1", &by_ip);
    c = api_call(&b, 0, "192.0.2.1");
    other = api_call(&b, 0, "192.0.2.2");
    for (int i = 0; i < 2 * LIMIT; i++)
        cr_expect(may_ask(&b, &c));
    cr_expect_not(may_ask(&b, &c));
    cr_expect(c.retry_after_ms > 0);
    cr_expect(may_ask(&b, &other));
    limiter_set(b.limiter[0], &none);
    cr_expect(may_ask(&b, &c), "without a limit of addresses");
    close_bench(&b);
}

/* ---- identities and costs ---- */

Test(limit, keys_and_tenants_are_identities_too)
{
    static const struct limiter_conf conf = {
        .rules =
            {[LIMIT_USER] = {100, 60}, [LIMIT_KEY] = {2, 60}, [LIMIT_TENANT] = {3, 60}},
        .loops = 1};
    struct bench b;
    struct caller one = {.user = uuid_new()}, other = {.user = uuid_new()};
    struct call c;

    open_live(&b, &conf);
    one.key_id = str_of(live_name(&b.arena, "key"));
    other.key_id = str_of(live_name(&b.arena, "key"));
    one.tenant = other.tenant = uuid_new();
    c = (struct call){.limiter = b.limiter[0], .who = {.caller = &one}};
    cr_expect(allowed(&b, &c));
    cr_expect(allowed(&b, &c));
    cr_expect_not(allowed(&b, &c));
    cr_expect(c.take.answers[LIMIT_KEY].refused);
    c.who.caller = &other;
    cr_expect(allowed(&b, &c));
    cr_expect_not(allowed(&b, &c));
    cr_expect(c.take.answers[LIMIT_TENANT].refused);
    cr_expect_not(c.take.answers[LIMIT_KEY].refused);
    close_bench(&b);
}

Test(limit, a_dear_call_uses_up_more)
{
    struct bench b;
    struct call c;

    open_live(&b, &by_ip);
    c = api_call(&b, 0, live_name(&b.arena, "ip"));
    c.cost = 3;
    cr_expect(allowed(&b, &c));
    cr_expect_eq(c.take.answers[LIMIT_IP].remaining, 2);
    cr_expect_not(allowed(&b, &c));
    c.cost = 2;
    cr_expect(allowed(&b, &c));
    close_bench(&b);
}

/* Or a limit set low would shut the route for ever. */
Test(limit, a_call_dearer_than_the_limit_takes_all_of_it)
{
    struct bench b;
    struct call c;

    open_live(&b, &by_ip);
    c = api_call(&b, 0, live_name(&b.arena, "ip"));
    c.cost = 20;
    cr_expect(allowed(&b, &c));
    cr_expect_eq(c.take.answers[LIMIT_IP].remaining, 0);
    close_bench(&b);
}

/* Windows are of real time: this waits for a condition that comes with it. */
Test(limit, what_has_left_the_window_may_be_used_again)
{
    static const struct limiter_conf conf = {.rules = {[LIMIT_IP] = {LIMIT, 1}},
                                             .loops = 1};
    struct bench b;
    struct call c;
    int again = 0;

    open_live(&b, &conf);
    c = api_call(&b, 0, live_name(&b.arena, "ip"));
    for (int i = 0; i < LIMIT; i++)
        cr_expect(allowed(&b, &c));
    for (int tries = 0; tries < 100000 && again < LIMIT; tries++)
        again += allowed(&b, &c);
    cr_expect_eq(again, LIMIT);
    close_bench(&b);
}

Test(limit, other_numbers_count_from_the_next_call_on)
{
    static const struct limiter_conf more = {.rules = {[LIMIT_IP] = {LIMIT + 2, 60}},
                                             .loops = 1};
    struct bench b;
    struct call c;

    open_live(&b, &by_ip);
    c = api_call(&b, 0, live_name(&b.arena, "ip"));
    for (int i = 0; i < LIMIT; i++)
        cr_expect(allowed(&b, &c));
    cr_expect_not(allowed(&b, &c));
    limiter_set(b.limiter[0], &more);
    cr_expect(allowed(&b, &c));
    cr_expect(allowed(&b, &c));
    cr_expect_not(allowed(&b, &c));
    cr_expect(str_eq(limit_policy_header(&b.arena, &c.take), STR("\"ip\";q=7;w=60")));
    close_bench(&b);
}

/* ---- leases ---- */

enum { HOT = 1000 };

static const struct limiter_conf hot = {.rules = {[LIMIT_IP] = {HOT, 60}}, .loops = 2};

static int64_t counted(const char *by)
{
    return metric_value(metrics_counter("viaduct_limit_calls_total",
                                        "Calls that were counted", "by", by, NULL));
}

/* Calls of both gateways by turns until both refuse; how many came through. */
static int exhaust(struct bench *b, const char *ip)
{
    struct call c[] = {api_call(b, 0, ip), api_call(b, 1, ip)};
    int through = 0;

    for (int refused = 0; refused < 2;) {
        refused = 0;
        for (int i = 0; i < 2; i++) {
            bool yes = allowed(b, &c[i]);

            through += yes;
            refused += !yes;
        }
    }
    return through;
}

Test(limit, a_hot_identity_is_let_through_without_asking)
{
    struct bench b;
    struct call c;
    int64_t last = HOT;

    open_live(&b, &hot);
    c = api_call(&b, 0, live_name(&b.arena, "ip"));
    for (int i = 0; i < HOT / 4; i++) {
        cr_assert(allowed(&b, &c));
        cr_expect_eq(c.take.answers[LIMIT_IP].remaining, last - 1, "call %d", i);
        last = c.take.answers[LIMIT_IP].remaining;
    }
    cr_expect_gt(counted("lease"), HOT / 8);
    cr_expect_lt(counted("redis"), HOT / 8);
    close_bench(&b);
}

Test(limit, leases_of_two_gateways_let_exactly_the_limit_through)
{
    struct bench b;

    open_live(&b, &hot);
    cr_expect_eq(exhaust(&b, live_name(&b.arena, "ip")), HOT);
    cr_expect_gt(counted("lease"), 0);
    close_bench(&b);
}

/* Permits that one gateway holds and does not use come back when their time is over. */
Test(limit, permits_that_were_not_used_are_given_back)
{
    struct bench b;
    struct call one, other;
    const char *ip;
    int through = 0;

    open_live(&b, &hot);
    ip = live_name(&b.arena, "ip");
    one = api_call(&b, 0, ip);
    other = api_call(&b, 1, ip);
    for (; counted("lease") == 0; through++)
        cr_assert(allowed(&b, &one)); /* it holds the rest of a lease now */
    for (int tries = 0; tries < 1000000 && through < HOT; tries++)
        through += allowed(&b, &other);
    cr_expect_eq(through, HOT);
    cr_expect_not(allowed(&b, &other));
    cr_expect_not(allowed(&b, &one));
    close_bench(&b);
}

Test(limit, permits_of_a_gateway_that_stops_come_back_at_once)
{
    struct bench b;
    struct call one, other;
    const char *ip;
    int through = 0;

    open_live(&b, &hot);
    ip = live_name(&b.arena, "ip");
    one = api_call(&b, 0, ip);
    other = api_call(&b, 1, ip);
    for (; counted("lease") == 0; through++)
        cr_assert(allowed(&b, &one));
    limiter_drain(b.limiter[0]);
    cr_expect(allowed(&b, &one)); /* asks, behind what was given back */
    through++;
    cr_expect(allowed(&b, &other));
    through++;
    cr_expect_eq(other.take.answers[LIMIT_IP].remaining, HOT - through);
    close_bench(&b);
}

/* Nobody can say how many a gateway that died has used: all, then. */
Test(limit, permits_of_a_gateway_that_died_count_as_used)
{
    struct bench b;
    struct call one, other;
    const char *ip;
    int held, through = 0;

    open_live(&b, &hot);
    ip = live_name(&b.arena, "ip");
    one = api_call(&b, 0, ip);
    other = api_call(&b, 1, ip);
    for (; counted("lease") == 0; through++)
        cr_assert(allowed(&b, &one));
    held = (int)one.take.answers[LIMIT_IP].remaining;
    limiter_destroy(b.limiter[0]);
    b.limiter[0] = NULL;
    cr_assert(allowed(&b, &other));
    held -= (int)other.take.answers[LIMIT_IP].remaining + 1;
    cr_expect_gt(held, 0);
    for (int tries = 0; tries < 50 || other.allowed; tries++)
        through += allowed(&b, &other);
    cr_expect_eq(through + 1 + held, HOT);
    close_bench(&b);
}

Test(limit, sign_in_has_no_leases)
{
    static const struct limiter_conf conf = {
        .rules = {[LIMIT_IP] = {100000, 60}, [LIMIT_SIGN_IN] = {100000, 60}}, .loops = 1};
    struct bench b;
    struct call c;

    open_live(&b, &conf);
    c = api_call(&b, 0, live_name(&b.arena, "ip"));
    c.class = ROUTE_SIGN_IN;
    for (int i = 0; i < 100; i++)
        cr_expect(allowed(&b, &c));
    cr_expect_eq(counted("lease"), 0);
    close_bench(&b);
}
