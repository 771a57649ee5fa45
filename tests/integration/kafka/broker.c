// SPDX-License-Identifier: Apache-2.0
/* Producers and consumers of the Kafka tests. */
#include "broker.h"

#include "tests/support/live/live.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARTITIONS = 3, END_MS = 15000 };

void bench_begin(struct bench *b, const char *brokers)
{
    const struct kafka_conf conf = {brokers, "viaduct-test"};

    *b = (struct bench){.brokers = brokers};
    arena_init(&b->arena);
    b->loop = loop_create();
    b->topic = live_name(&b->arena, "test-topic");
    b->group = live_name(&b->arena, "test-group");
    cr_assert_null(kafka_producer_create(&b->arena, b->loop, &conf, &b->producer));
}

void bench_end(struct bench *b)
{
    kafka_producer_destroy(b->producer, END_MS);
    loop_destroy(b->loop);
    arena_fini(&b->arena);
}

static void reported(void *arg, bool ok)
{
    struct outcome *o = arg;

    if (ok)
        o->ok++;
    else
        o->failed++;
}

static bool send_one(struct bench *b, int number, const char *key)
{
    const struct kafka_header headers[] = {{STR("type"), STR("test.sent")}};
    char text[16];
    int len = snprintf(text, sizeof text, "%d", number);
    struct str value = {text, (size_t)len};
    bool taken = kafka_produce(b->producer, b->topic, key ? str_of(key) : value, value,
                               headers, 1, reported, &b->sent);

    b->sent.wanted += taken;
    return taken;
}

void bench_send(struct bench *b, int first, int n, const char *key)
{
    for (int i = first; i < first + n; i++)
        cr_assert(send_one(b, i, key));
}

unsigned bench_send_some(struct bench *b, int first, int n)
{
    unsigned taken = 0;

    for (int i = first; i < first + n; i++)
        taken += send_one(b, i, NULL);
    return taken;
}

bool bench_reported(void *bench)
{
    const struct bench *b = bench;

    return b->sent.ok + b->sent.failed == b->sent.wanted;
}

void bench_send_all(struct bench *b, int first, int n, const char *key)
{
    bench_send(b, first, n, key);
    cr_assert(live_until(b->loop, bench_reported, b), "%u of %u reported",
              b->sent.ok + b->sent.failed, b->sent.wanted);
}

static void note(struct inbox *in, const struct kafka_message *m)
{
    char text[16];
    struct str type = kafka_message_header(m, "type");
    int number;

    cr_assert_lt(m->value.n, sizeof text);
    memcpy(text, m->value.p, m->value.n);
    text[m->value.n] = 0;
    number = (int)strtol(text, NULL, 10);
    in->times[number]++;
    in->order[in->n++] = number;
    cr_assert_lt(type.n, sizeof in->type_text);
    memcpy(in->type_text, type.p, type.n);
    in->type = (struct str){in->type_text, type.n};
}

static void came(void *arg, struct kafka_message *m)
{
    struct inbox *in = arg;

    note(in, m);
    if (in->mode == INBOX_DONE || (in->mode == INBOX_DROP_FIRST && in->n > 1))
        kafka_done(m);
    else if (in->mode == INBOX_DROP_FIRST)
        kafka_drop(m);
    else
        in->open[in->n_open++] = m;
}

void inbox_open(struct inbox *in, struct bench *b, unsigned max_open)
{
    const char *const topics[] = {b->topic, NULL};
    const struct kafka_consumer_conf conf = {
        .base = {b->brokers, "viaduct-test"},
        .group = b->group,
        .topics = topics,
        .partitions = PARTITIONS,
        .max_open = max_open,
        .message = came,
        .arg = in,
    };

    cr_assert_null(kafka_consumer_create(&b->arena, b->loop, &conf, &in->consumer));
}

void inbox_close(struct inbox *in)
{
    kafka_consumer_destroy(in->consumer, END_MS);
    in->consumer = NULL;
    in->n_open = 0;
}

bool inbox_full(void *inbox)
{
    const struct inbox *in = inbox;

    return in->n >= in->wanted;
}
