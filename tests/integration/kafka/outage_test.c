// SPDX-License-Identifier: Apache-2.0
/* A broker of our own, stopped and started while messages are on their way. */
#include "broker.h"
#include "kit/guard/breaker.h"
#include "kit/obs/metrics.h"
#include "tests/support/live/live.h"

#include <criterion/criterion.h>

#define INSTANCE "test-kafka-outage"

static struct bench b;
static struct inbox in;

static struct arena arena;
static int lock;

static void begin(void)
{
    lock = live_lock(INSTANCE);
    cr_assert(live_server("start", "kafka", INSTANCE));
    arena_init(&arena);
    bench_begin(
        &b, arena_printf(&arena, "127.0.0.1:%d", live_server_port("kafka", INSTANCE)).p);
}

static void end(void)
{
    bench_end(&b);
    arena_fini(&arena);
    cr_assert(live_server("stop", "kafka", INSTANCE));
    live_unlock(lock);
}

TestSuite(kafka_outage, .init = begin, .fini = end);

static bool producer_up(void *arg)
{
    return kafka_producer_up(arg);
}

static bool both_down(void *arg)
{
    (void)arg;
    return !kafka_producer_up(b.producer) && !kafka_consumer_up(in.consumer);
}

/* What was not yet confirmed comes again after the outage. */
static bool all_came(void *arg)
{
    const struct inbox *i = arg;
    unsigned n = 0;

    while (n < 200 && i->times[n] > 0)
        n++;
    return n == 200;
}

Test(kafka_outage, messages_produced_while_the_broker_is_away_arrive_once_when_it_is_back)
{
    in.mode = INBOX_DONE;
    inbox_open(&in, &b, 100);
    bench_send_all(&b, 0, 50, NULL);
    in.wanted = 50;
    cr_assert(live_until(b.loop, inbox_full, &in));

    bench_send(&b, 50, 50, NULL); /* some of these are on their way when it stops */
    cr_assert(live_server("stop", "kafka", INSTANCE));
    bench_send(&b, 100, 100, NULL);
    cr_assert(live_until(b.loop, both_down, NULL));

    cr_assert(live_server("start", "kafka", INSTANCE));
    cr_assert(live_until(b.loop, bench_reported, &b));
    cr_expect_eq(b.sent.ok, 200u, "%u arrived, %u failed", b.sent.ok, b.sent.failed);
    cr_assert(live_until(b.loop, all_came, &in), "%u came, repeated ones among them",
              in.n);
    cr_assert(live_until(b.loop, producer_up, b.producer));
    inbox_close(&in);
}

static double breaker_metric(void)
{
    return (double)metric_value(
        metrics_gauge("viaduct_breaker_state", "", "target", "kafka", NULL));
}

static bool breaker_is(void *arg)
{
    return breaker_metric() == *(double *)arg;
}

static void count_room(void *arg)
{
    ++*(unsigned *)arg;
}

static bool had_room(void *arg)
{
    return *(unsigned *)arg > 0;
}

static void refused(void *arg, bool ok)
{
    (void)arg;
    (void)ok;
    cr_assert_fail("there is no report of what was not taken");
}

static bool takes_one(void)
{
    return kafka_produce(b.producer, b.topic, STR("k"), STR("0"), NULL, 0, refused, NULL);
}

Test(kafka_outage, the_breaker_opens_while_the_broker_is_away_and_a_probe_closes_it)
{
    static double open = BREAKER_OPEN, closed = BREAKER_CLOSED;
    unsigned room = 0;

    bench_send_all(&b, 0, 10, NULL);
    cr_assert_eq(breaker_metric(), closed);
    kafka_producer_on_room(b.producer, count_room, &room);
    cr_assert(live_server("stop", "kafka", INSTANCE));
    bench_send(&b, 10, 1, NULL); /* one is enough */
    cr_assert(live_until(b.loop, breaker_is, &open));
    cr_assert_not(takes_one(), "open: it stays with its owner");
    cr_assert_eq(room, 0u);

    cr_assert(live_server("start", "kafka", INSTANCE));
    cr_assert(live_until(b.loop, bench_reported, &b), "what it had is delivered");
    do { /* as the relay does: what room there is, it takes */
        cr_assert(live_until(b.loop, had_room, &room));
        room = 0;
        bench_send_some(&b, 20, 5);
        cr_assert(live_until(b.loop, bench_reported, &b));
    } while (breaker_metric() != closed);
    bench_send_all(&b, 30, 10, NULL);
    cr_expect_eq(b.sent.failed, 0u);
}

Test(kafka_outage, reports_what_it_could_not_send_when_it_ends)
{
    bench_send_all(&b, 0, 1, NULL);
    cr_assert(live_server("stop", "kafka", INSTANCE));
    bench_send(&b, 1, 10, NULL);
    kafka_producer_destroy(b.producer, 200);
    b.producer = NULL;
    cr_expect_eq(b.sent.ok, 1u);
    cr_expect_eq(b.sent.failed, 10u);
}
