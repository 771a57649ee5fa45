// SPDX-License-Identifier: Apache-2.0
/* Producer and consumer on the real broker. */
#include "broker.h"
#include "kit/base/clock.h"
#include "tests/support/live/live.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>

static struct bench b;
static struct inbox in, other;

static void begin(void)
{
    bench_begin(&b, live_setting("VIADUCT_KAFKA"));
}

static void end(void)
{
    bench_end(&b);
}

TestSuite(kafka, .init = begin, .fini = end);

static void receive(struct inbox *box, unsigned n)
{
    box->wanted = n;
    cr_assert(live_until(b.loop, inbox_full, box), "%u of %u came", box->n, n);
}

/* Longer than the pause after which a dropped message comes again. */
static void nothing_more_comes(struct inbox *box)
{
    unsigned n = box->n;

    live_turns(b.loop, 1500);
    cr_assert_eq(box->n, n, "%u more came", box->n - n);
}

Test(kafka, carries_key_value_and_headers)
{
    in.mode = INBOX_KEEP;
    inbox_open(&in, &b, 10);
    bench_send_all(&b, 7, 1, "the-key");
    cr_assert_eq(b.sent.ok, 1u);
    receive(&in, 1);
    cr_expect(str_eq(in.open[0]->key, STR("the-key")));
    cr_expect(str_eq(in.open[0]->value, STR("7")));
    cr_expect(str_eq(in.open[0]->topic, str_of(b.topic)));
    cr_expect(str_eq(in.type, STR("test.sent")));
    cr_expect_null(kafka_message_header(in.open[0], "absent").p);
    kafka_done(in.open[0]);
    inbox_close(&in);
}

Test(kafka, keeps_the_order_of_a_key)
{
    in.mode = INBOX_DONE;
    inbox_open(&in, &b, 1000);
    bench_send_all(&b, 0, 500, "one");
    receive(&in, 500);
    for (int i = 0; i < 500; i++)
        cr_assert_eq(in.order[i], i);
    inbox_close(&in);
}

Test(kafka, hands_out_every_message_once_through_many_pauses)
{
    in.mode = INBOX_DONE;
    inbox_open(&in, &b, 16);
    bench_send_all(&b, 0, 5000, NULL);
    receive(&in, 5000);
    for (int i = 0; i < 5000; i++)
        cr_assert_eq(in.times[i], 1u, "%d came %u times", i, in.times[i]);
    inbox_close(&in);
}

Test(kafka, hands_out_no_more_than_max_open)
{
    in.mode = INBOX_KEEP;
    inbox_open(&in, &b, 8);
    bench_send_all(&b, 0, 200, NULL);
    receive(&in, 8);
    nothing_more_comes(&in);
    while (in.n < 200) {
        unsigned before = in.n;

        while (in.n_open)
            kafka_done(in.open[--in.n_open]);
        receive(&in, before + 1);
        live_turns(b.loop, 20);
        cr_assert_leq(in.n_open, 8u);
    }
    inbox_close(&in);
}

Test(kafka, comes_again_to_the_next_consumer_when_it_was_not_done)
{
    in.mode = INBOX_KEEP;
    inbox_open(&in, &b, 100);
    bench_send_all(&b, 0, 10, "one");
    receive(&in, 10);
    /* 0, 1 and 2 are done, in another order; 3 is not, so 4 must come again though it is
     * done */
    kafka_done(in.open[4]);
    kafka_done(in.open[2]);
    kafka_done(in.open[0]);
    kafka_done(in.open[1]);
    inbox_close(&in);

    other.mode = INBOX_DONE;
    inbox_open(&other, &b, 100);
    receive(&other, 7);
    nothing_more_comes(&other);
    for (int i = 0; i < 10; i++)
        cr_expect_eq(other.times[i], i < 3 ? 0u : 1u, "%d came %u times", i,
                     other.times[i]);
    inbox_close(&other);
}

Test(kafka, stores_offsets_when_it_leaves)
{
    in.mode = INBOX_DONE;
    inbox_open(&in, &b, 100);
    bench_send_all(&b, 0, 20, NULL);
    receive(&in, 20);
    inbox_close(&in);

    other.mode = INBOX_DONE;
    inbox_open(&other, &b, 100);
    bench_send_all(&b, 20, 1, NULL);
    receive(&other, 1);
    nothing_more_comes(&other);
    cr_expect_eq(other.times[20], 1u);
    inbox_close(&other);
}

Test(kafka, hands_out_a_dropped_message_again_after_a_pause)
{
    int64_t dropped_us;

    in.mode = INBOX_DROP_FIRST;
    inbox_open(&in, &b, 100);
    bench_send_all(&b, 0, 1, NULL);
    receive(&in, 1);
    dropped_us = clock_mono_us();
    receive(&in, 2);
    cr_expect_geq(clock_mono_us() - dropped_us, 300000, "not at once");
    cr_expect_eq(in.times[0], 2u);
    nothing_more_comes(&in);
    inbox_close(&in);
}

Test(kafka, moves_partitions_to_a_second_consumer_without_losing_a_message)
{
    static struct inbox first, second;

    first.mode = second.mode = INBOX_DONE;
    inbox_open(&first, &b, 50);
    bench_send_all(&b, 0, 300, NULL);
    receive(&first, 300);
    inbox_open(&second, &b, 50);
    for (int i = 300; second.n == 0 && i < 9000; i += 30) {
        bench_send_all(&b, i, 30, NULL);
        live_turns(b.loop, 200);
    }
    cr_assert_gt(second.n, 0u, "the second one got partitions");
    inbox_close(&first); /* all go to the second */
    first.wanted = (unsigned)b.sent.wanted - first.n;
    second.wanted = first.wanted;
    cr_assert(live_until(b.loop, inbox_full, &second));
    for (unsigned i = 0; i < b.sent.wanted; i++)
        cr_assert_geq(first.times[i] + second.times[i], 1u, "%u was lost", i);
    inbox_close(&second);
}

Test(kafka, survives_messages_that_are_done_after_their_partition_was_lost)
{
    in.mode = INBOX_KEEP;
    inbox_open(&in, &b, 1000);
    bench_send_all(&b, 0, 90, NULL);
    receive(&in, 90);
    other.mode = INBOX_DONE;
    inbox_open(&other, &b, 1000);
    receive(&other, 1); /* it has a partition now, whose messages were the first one's */
    while (in.n_open) {
        if (in.n_open % 2)
            kafka_done(in.open[--in.n_open]);
        else
            kafka_drop(in.open[--in.n_open]);
    }
    live_turns(b.loop, 1000);
    inbox_close(&in);
    inbox_close(&other);
}

static bool producer_up(void *arg)
{
    return kafka_producer_up(arg);
}

Test(kafka, knows_that_the_broker_is_there)
{
    cr_expect(live_until(b.loop, producer_up, b.producer));
}

/* Asks for all topics, as asking for this one would make it. */
static bool topic_is_there(void *client)
{
    const struct rd_kafka_metadata *m;
    bool there = false;

    if (rd_kafka_metadata(client, 1, NULL, &m, 10000))
        return false;
    for (int i = 0; i < m->topic_cnt; i++)
        there |= strcmp(m->topics[i].topic, b.topic) == 0;
    rd_kafka_metadata_destroy(m);
    return there;
}

/* Or a message for it makes it as the broker sees fit. */
static void wait_topic(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *client;
    char why[200];

    cr_assert_eq(rd_kafka_conf_set(conf, "bootstrap.servers", b.brokers, why, sizeof why),
                 RD_KAFKA_CONF_OK, "%s", why);
    client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    cr_assert_not_null(client, "%s", why);
    cr_assert(live_until(b.loop, topic_is_there, client), "nobody makes the topic");
    rd_kafka_destroy(client);
}

Test(kafka, makes_the_topic_with_the_partitions_asked_for)
{
    static bool seen[3];

    in.mode = INBOX_KEEP;
    inbox_open(&in, &b, 1000);
    wait_topic();
    bench_send_all(&b, 0, 200, NULL);
    receive(&in, 200);
    for (unsigned i = 0; i < in.n_open; i++) {
        cr_assert_lt(in.open[i]->partition, 3);
        seen[in.open[i]->partition] = true;
    }
    cr_expect(seen[0] && seen[1] && seen[2]);
    inbox_close(&in);
}

Test(kafka, leaves_in_the_middle_of_a_stream_and_loses_nothing)
{
    enum { ROUNDS = 8, EACH = 500 };
    static struct inbox boxes[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        boxes[i].mode = INBOX_DONE;
        inbox_open(&boxes[i], &b, 1000);
        bench_send(&b, i * EACH, EACH, NULL);
        receive(&boxes[i], 1);
        inbox_close(&boxes[i]);
    }
    other.mode = INBOX_DONE;
    inbox_open(&other, &b, 1000);
    bench_send_all(&b, ROUNDS * EACH, 3, NULL);
    live_turns(b.loop, 100);
    for (int i = 0; i < ROUNDS * EACH; i++) {
        for (int round = 0; round < ROUNDS; round++)
            in.times[i] += boxes[round].times[i];
        while (!in.times[i] && !other.times[i])
            receive(&other, other.n + 1);
    }
    inbox_close(&other);
}
