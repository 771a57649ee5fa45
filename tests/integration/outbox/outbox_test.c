// SPDX-License-Identifier: Apache-2.0
/* The relay between a real PostgreSQL and a real Kafka. */
#include "kit/outbox/outbox.h"

#include "kit/base/id.h"
#include "tests/support/database/database.h"
#include "tests/support/live/live.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { EVENTS_MAX = 5000, HOUR_MS = 3600000, END_MS = 3000 };

static const char ddl[] =
    "CREATE TABLE outbox(seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " id uuid NOT NULL UNIQUE, type text NOT NULL, key text NOT NULL, body bytea NOT "
    "NULL,"
    " traceparent text, created_at timestamptz NOT NULL DEFAULT now(),"
    " published_at timestamptz);"
    "CREATE INDEX ON outbox (seq) WHERE published_at IS NULL";

static struct database db;
static struct arena arena;
static struct loop *loop;
static const char *topic;
static struct kafka_producer *producer;
static struct kafka_consumer *consumer;

/* What came, by the number in the body. */
static unsigned came[EVENTS_MAX], n_came, wanted;
static int order[EVENTS_MAX * 2];
static char last_id[64], last_type[64], last_trace[64], last_at[64], last_key[64];

static void copy(char *to, struct str s)
{
    (void)snprintf(to, 64, "%.*s", (int)s.n, s.p ? s.p : "");
}

static void event_came(void *arg, struct kafka_message *m)
{
    char body[16] = {0};
    int number;

    (void)arg;
    memcpy(body, m->value.p, m->value.n);
    number = (int)strtol(body, NULL, 10);
    came[number]++;
    order[n_came++] = number;
    copy(last_id, kafka_message_header(m, "id"));
    copy(last_type, kafka_message_header(m, "type"));
    copy(last_trace, kafka_message_header(m, "traceparent"));
    copy(last_at, kafka_message_header(m, "created_at"));
    copy(last_key, m->key);
    kafka_done(m);
}

static void consume(void)
{
    const char *const topics[] = {topic, NULL};
    const struct kafka_consumer_conf conf = {
        .base = {live_setting("VIADUCT_KAFKA"), "outbox-test"},
        .group = topic,
        .topics = topics,
        .partitions = 3,
        .max_open = 100,
        .message = event_came,
    };

    cr_assert_null(kafka_consumer_create(&arena, loop, &conf, &consumer));
}

static void begin(void)
{
    const struct kafka_conf kafka = {live_setting("VIADUCT_KAFKA"), "outbox-test"};

    arena_init(&arena);
    database_create(&db, "VIADUCT_JOBS_PG");
    database_run(&db, "%s", ddl);
    loop = loop_create();
    topic = live_name(&arena, "outbox");
    cr_assert_null(kafka_producer_create(&arena, loop, &kafka, &producer));
    consume();
}

static void end(void)
{
    kafka_consumer_destroy(consumer, END_MS);
    kafka_producer_destroy(producer, END_MS);
    live_turns(loop, 1);
    loop_destroy(loop);
    database_drop(&db);
    arena_fini(&arena);
}

TestSuite(outbox, .init = begin, .fini = end);

static struct outbox_relay *relay_with(int64_t poll_ms, unsigned batch, int64_t keep_ms)
{
    const struct outbox_conf conf = {
        .conninfo = db.conninfo,
        .topic = topic,
        .poll_ms = poll_ms,
        .batch = batch,
        .keep_ms = keep_ms,
    };

    return outbox_relay_create(loop, &conf, producer);
}

static struct outbox_relay *relay(void)
{
    return relay_with(20, 50, HOUR_MS);
}

/* Rows first..last, all of one key. */
static void add(int first, int last, const char *key)
{
    database_run(
        &db,
        "INSERT INTO outbox (id, type, key, body) "
        "SELECT gen_random_uuid(), 'test.happened', '%s', convert_to(n::text, 'UTF8') "
        "FROM generate_series(%d, %d) n",
        key, first, last);
}

static bool all_came(void *arg)
{
    (void)arg;
    return n_came >= wanted;
}

static void wait_for(unsigned n)
{
    wanted = n;
    cr_assert(live_until(loop, all_came, NULL), "%u of %u came", n_came, n);
}

static bool all_marked(void *arg)
{
    (void)arg;
    return database_number(&db,
                           "SELECT count(*) FROM outbox WHERE published_at IS NULL") == 0;
}

static void expect_each_once(int first, int last)
{
    for (int i = first; i <= last; i++)
        cr_expect_eq(came[i], 1u, "%d came %u times", i, came[i]);
}

Test(outbox, an_event_arrives_with_its_headers_and_is_marked)
{
    struct outbox_relay *r = relay();

    database_run(
        &db, "INSERT INTO outbox (id, type, key, body, traceparent, created_at) VALUES "
             "('01890000-0000-7000-8000-000000000001', 'order.placed', 'the-key', '7', "
             "'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', "
             "'2026-01-02T03:04:05.678Z')");
    wait_for(1);
    cr_expect_str_eq(last_id, "01890000-0000-7000-8000-000000000001");
    cr_expect_str_eq(last_type, "order.placed");
    cr_expect_str_eq(last_key, "the-key");
    cr_expect_str_eq(last_trace,
                     "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    cr_expect_str_eq(last_at, "2026-01-02T03:04:05.678000Z");
    cr_expect(live_until(loop, all_marked, NULL));
    outbox_relay_destroy(r);
}

Test(outbox, events_of_a_key_arrive_in_their_order_over_many_batches)
{
    struct outbox_relay *r = relay();

    add(0, 999, "one");
    wait_for(1000);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(order[i], i);
    cr_expect(live_until(loop, all_marked, NULL));
    outbox_relay_destroy(r);
}

Test(outbox, a_nudge_is_quicker_than_the_next_look)
{
    struct outbox_relay *r = relay_with(HOUR_MS, 50, HOUR_MS);

    add(0, 0, "one");
    outbox_relay_nudge(r);
    wait_for(1);
    for (int i = 1; i < 20; i++) { /* also while it is busy with the one before */
        add(i, i, "one");
        outbox_relay_nudge(r);
    }
    wait_for(20);
    expect_each_once(0, 19);
    outbox_relay_destroy(r);
}

Test(outbox, one_relay_works_at_a_time_and_another_takes_over)
{
    struct outbox_relay *first = relay(), *second;

    add(0, 49, "one");
    wait_for(50);
    second = relay();
    add(50, 99, "one");
    wait_for(100);
    expect_each_once(0, 99);
    cr_expect_eq(database_number(&db,
                                 "SELECT count(*) FROM pg_locks WHERE locktype = "
                                 "'advisory' AND granted AND database = (SELECT oid "
                                 "FROM pg_database WHERE datname = current_database())"),
                 1);
    outbox_relay_destroy(first);
    add(100, 149, "one");
    wait_for(150);
    cr_expect(live_until(loop, all_marked, NULL));
    for (int i = 100; i < 150; i++)
        cr_expect_geq(came[i], 1u, "%d was lost", i);
    outbox_relay_destroy(second);
}

Test(outbox, goes_on_after_its_connection_was_cut)
{
    struct outbox_relay *r = relay();

    for (int round = 0; round < 5; round++) {
        add(round * 100, round * 100 + 99, "one");
        live_turns(loop, 10 * round);
        database_run(&db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                          "datname = current_database() AND pid <> pg_backend_pid()");
    }
    wanted = 500;
    cr_assert(live_until(loop, all_marked, NULL));
    wait_for(500);
    for (int i = 0; i < 500; i++)
        cr_expect_geq(came[i], 1u, "%d was lost", i);
    outbox_relay_destroy(r);
}

Test(outbox, keeps_what_it_was_sending_for_its_successor)
{
    struct outbox_relay *r = relay();

    add(0, 499, "one");
    live_turns(loop, 50);
    outbox_relay_destroy(r); /* with reports still to come */
    r = relay();
    cr_assert(live_until(loop, all_marked, NULL));
    wait_for(500);
    for (int i = 0; i < 500; i++)
        cr_expect_geq(came[i], 1u, "%d was lost", i);
    outbox_relay_destroy(r);
}

static bool old_ones_gone(void *arg)
{
    (void)arg;
    return database_number(&db, "SELECT count(*) FROM outbox") == 1;
}

Test(outbox, removes_published_rows_that_are_old)
{
    struct outbox_relay *r = relay_with(20, 50, 60000);

    database_run(&db,
                 "INSERT INTO outbox (id, type, key, body, published_at) "
                 "SELECT gen_random_uuid(), 't', 'k', '0', now() - interval '2 minutes' "
                 "FROM generate_series(1, 2500)");
    add(7, 7, "one");
    wait_for(1);
    cr_expect(live_until(loop, old_ones_gone, NULL));
    cr_expect_eq(came[0], 0u, "a published row is not sent again");
    outbox_relay_destroy(r);
}

Test(outbox, is_not_held_up_by_a_row_that_another_transaction_has_not_committed_yet)
{
    struct outbox_relay *r = relay();

    database_run(&db, "SELECT setval(pg_get_serial_sequence('outbox', 'seq'), 100)");
    add(1, 1, "late");
    wait_for(1);
    /* a lower number becomes visible after a higher one was published */
    database_run(&db,
                 "INSERT INTO outbox (seq, id, type, key, body) OVERRIDING SYSTEM VALUE "
                 "VALUES (50, gen_random_uuid(), 't', 'k', '2')");
    wait_for(2);
    expect_each_once(1, 2);
    outbox_relay_destroy(r);
}
