// SPDX-License-Identifier: Apache-2.0
/* The consumer: topics made, subscribed, messages handed out, done or dropped, the end.
 */
#include "kit/kafka/consumer.h"

#include "kit/base/clock.h"
#include "kit/base/log.h"
#include "kit/base/mem.h"
#include "kit/obs/metrics.h"

#include <stdlib.h>

enum {
    DROP_PAUSE_MS = 500,
    MAKE_AGAIN_MS = 1000,
    SLICE_MS = 20,
    TURN_MAX = 128,
    SLOTS_MAX = 65536, /* offsets done behind one that is not: a few bytes each */
};

static const struct kafka_setting settings[] = {
    {"enable.auto.commit", "true"},
    {"auto.commit.interval.ms", "1000"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "earliest"},
    {"partition.assignment.strategy", "cooperative-sticky"},
    {"session.timeout.ms", "6000"},
    {"heartbeat.interval.ms", "2000"},
    {"fetch.wait.max.ms", "100"},
    {"queued.max.messages.kbytes", "1024"}, /* of a partition */
    {"queued.min.messages", "500"},
    {"topic.metadata.refresh.interval.ms", "30000"},
    {0},
};

static struct kafka_consumer *of(struct kafka_client *client)
{
    return CONTAINER_OF(client, struct kafka_consumer, client);
}

/* ---- a message's way ------------------------------------------------------------- */

static void free_message(struct kafka_open *m)
{
    list_remove(&m->link);
    rd_kafka_message_destroy(m->message.native);
    free(m);
}

static void free_open(struct kafka_consumer *c, struct kafka_open *m)
{
    c->n_open--;
    free_message(m);
    if (c->more)
        loop_soon(c->client.loop, &c->take);
}

static void hand_out(struct kafka_consumer *c, struct kafka_open *m)
{
    list_push(&c->open, &m->link);
    c->conf.message(c->conf.arg, &m->message);
}

static void received(struct kafka_consumer *c, rd_kafka_message_t *native)
{
    const char *topic = rd_kafka_topic_name(native->rkt);
    struct kafka_partition *p = kafka_partition_find(c, topic, native->partition);
    struct kafka_open *m;

    if (!p) { /* taken from us while it was on its way */
        rd_kafka_message_destroy(native);
        return;
    }
    m = MEM_NEW(struct kafka_open);
    m->message = (struct kafka_message){
        .topic = str_of(topic), /* lives as long as the native message */
        .key = {native->key, native->key_len},
        .value = {native->payload ? native->payload : "", native->len},
        .partition = native->partition,
        .offset = native->offset,
        .consumer = c,
        .native = native,
    };
    m->partition = p;
    m->slot = kafka_window_open(&p->window, native->offset);
    list_init(&m->link);
    c->n_slots++;
    c->n_open++;
    metric_add(c->received, 1);
    hand_out(c, m);
}

void kafka_done(struct kafka_message *message)
{
    struct kafka_open *m = CONTAINER_OF(message, struct kafka_open, message);
    struct kafka_consumer *c = message->consumer;
    struct kafka_partition *p = m->partition;

    metric_add(c->done, 1);
    if (p) {
        unsigned before = p->window.count;
        int64_t next = kafka_window_done(&p->window, m->slot);

        c->n_slots -= before - p->window.count;
        if (next >= 0)
            kafka_store_offset(c, p, next);
    }
    free_open(c, m);
}

void kafka_drop(struct kafka_message *message)
{
    struct kafka_open *m = CONTAINER_OF(message, struct kafka_open, message);
    struct kafka_consumer *c = message->consumer;

    metric_add(c->drops, 1);
    if (!m->partition) {
        free_open(c, m);
        return;
    }
    m->again_us = clock_mono_us() + DROP_PAUSE_MS * 1000;
    list_remove(&m->link);
    list_push(&c->dropped, &m->link);
    if (!loop_timer_is_set(&c->again))
        loop_timer_set(&c->again, DROP_PAUSE_MS);
}

static struct kafka_open *next_dropped(const struct kafka_consumer *c)
{
    return list_empty(&c->dropped)
               ? NULL
               : CONTAINER_OF(c->dropped.next, struct kafka_open, link);
}

static void hand_out_dropped(struct kafka_consumer *c)
{
    int64_t now_us = clock_mono_us();
    struct kafka_open *m;

    while ((m = next_dropped(c)) && (!m->partition || m->again_us <= now_us)) {
        if (!m->partition) {
            free_open(c, m);
            continue;
        }
        list_remove(&m->link);
        hand_out(c, m);
    }
    if (m)
        loop_timer_set_at(&c->again, m->again_us);
}

struct str kafka_message_header(const struct kafka_message *m, const char *name)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t size;

    if (rd_kafka_message_headers(m->native, &headers) ||
        rd_kafka_header_get_last(headers, name, &value, &size))
        return (struct str){0};
    return (struct str){value, size};
}

/* ---- serving the queue ----------------------------------------------------------- */

static void take_one(struct kafka_consumer *c, rd_kafka_message_t *m)
{
    if (!m->err) {
        received(c, m);
        return;
    }
    kafka_client_error(&c->client, m->err, rd_kafka_message_errstr(m));
    rd_kafka_message_destroy(m);
}

static bool has_room(const struct kafka_consumer *c)
{
    return c->n_open < c->conf.max_open && c->n_slots < SLOTS_MAX;
}

/* Partitions take turns, one message each. A queue that was found empty tells when it is
 * no more: until then it is left alone, as its lock is shared with librdkafka's threads.
 */
static unsigned take_messages(struct kafka_consumer *c, unsigned max)
{
    unsigned n = 0, before;

    do {
        before = n;
        LIST_EACH (link, &c->partitions) {
            struct kafka_partition *p = CONTAINER_OF(link, struct kafka_partition, link);
            rd_kafka_message_t *m = NULL;

            if (n < max && has_room(c))
                m = rd_kafka_consume_queue(p->queue, 0);
            if (!m)
                continue;
            n++;
            take_one(c, m);
        }
    } while (n > before && n < max && has_room(c));
    c->more = n >= max || !has_room(c);
    return n;
}

static unsigned serve(struct kafka_client *client, unsigned max)
{
    struct kafka_consumer *c = of(client);
    rd_kafka_message_t *m;
    unsigned n = 0;

    while (n < max && (m = rd_kafka_consumer_poll(client->rk, 0))) {
        n++;
        take_one(c, m);
    }
    return n + take_messages(c, max - n);
}

/* A task, so that a handler is never called from within kafka_done(). */
static void take_again(struct loop_task *t)
{
    struct kafka_consumer *c = CONTAINER_OF(t, struct kafka_consumer, take);

    if (take_messages(c, TURN_MAX) == TURN_MAX)
        loop_soon(c->client.loop, t);
}

static void on_error(rd_kafka_t *rk, int err, const char *reason, void *arg)
{
    (void)rk;
    kafka_client_error(&((struct kafka_consumer *)arg)->client, err, reason);
}

static void setup(struct kafka_client *client, rd_kafka_conf_t *conf)
{
    struct kafka_consumer *c = of(client);

    kafka_client_set(conf, "group.id", c->conf.group);
    rd_kafka_conf_set_opaque(conf, c);
    rd_kafka_conf_set_rebalance_cb(conf, kafka_rebalance);
    rd_kafka_conf_set_error_cb(conf, on_error);
}

/* ---- topics, then the subscription ----------------------------------------------- */

static void subscribe(struct kafka_consumer *c)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(8);
    rd_kafka_resp_err_t err;

    for (const char *const *t = c->conf.topics; *t; t++)
        rd_kafka_topic_partition_list_add(topics, *t, RD_KAFKA_PARTITION_UA);
    err = rd_kafka_subscribe(c->client.rk, topics);
    if (err)
        mem_die("kafka: subscribe: %s",
                rd_kafka_err2str(err)); /* a topic name is wrong */
    rd_kafka_topic_partition_list_destroy(topics);
    c->subscribed = true;
}

static void topics_made(struct kafka_client *client, bool ok)
{
    struct kafka_consumer *c = of(client);

    if (ok)
        subscribe(c);
    else
        loop_timer_set(&c->again, MAKE_AGAIN_MS);
}

static void again(struct loop_timer *t)
{
    struct kafka_consumer *c = CONTAINER_OF(t, struct kafka_consumer, again);

    if (!c->subscribed)
        kafka_client_make_topics(&c->client, c->conf.topics, c->conf.partitions);
    hand_out_dropped(c);
}

static void tick(struct kafka_client *client)
{
    struct kafka_consumer *c = of(client);

    metric_set(c->lag, kafka_lag(c));
}

static const struct kafka_client_def consumer_def = {
    .type = RD_KAFKA_CONSUMER,
    .settings = settings,
    .setup = setup,
    .queue = rd_kafka_queue_get_consumer,
    .serve = serve,
    .topics_made = topics_made,
    .tick = tick,
};

/* ---- life ------------------------------------------------------------------------ */

static const char **copy_topics(const char *const *topics)
{
    size_t n = 0;
    const char **copy;

    while (topics[n])
        n++;
    copy = mem_alloc((n + 1) * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = mem_strdup(topics[i]);
    return copy;
}

static void find_metrics(struct kafka_consumer *c)
{
    const char *name = "viaduct_kafka_messages_total";
    const char *help = "Messages handed out, done, and given up to come again";
    const char *group = c->conf.group;

    c->received = metrics_counter(name, help, "group", group, "what", "received", NULL);
    c->done = metrics_counter(name, help, "group", group, "what", "done", NULL);
    c->drops = metrics_counter(name, help, "group", group, "what", "dropped", NULL);
    c->lag = metrics_gauge("viaduct_kafka_lag", "Messages behind in our partitions",
                           "group", group, NULL);
}

static void free_consumer(struct kafka_consumer *c)
{
    for (const char *const *t = c->conf.topics; *t; t++)
        free((void *)(uintptr_t)*t);
    free((void *)(uintptr_t)c->conf.topics);
    free((void *)(uintptr_t)c->conf.group);
    free(c);
}

const struct err *kafka_consumer_create(struct arena *a, struct loop *l,
                                        const struct kafka_consumer_conf *conf,
                                        struct kafka_consumer **out)
{
    struct kafka_consumer *c = MEM_NEW(struct kafka_consumer);
    const struct err *err;

    c->conf = *conf;
    c->conf.group = mem_strdup(conf->group);
    c->conf.topics = copy_topics(conf->topics);
    list_init(&c->partitions);
    list_init(&c->open);
    list_init(&c->dropped);
    loop_task_init(&c->take, take_again);
    loop_timer_init(&c->again, l, again);
    find_metrics(c);
    kafka_client_init(&c->client, l, &consumer_def, &conf->base);
    err = kafka_client_open(a, &c->client);
    if (err) {
        kafka_client_fini(&c->client);
        free_consumer(c);
        return err;
    }
    rd_kafka_poll_set_consumer(c->client.rk);
    loop_timer_set(&c->again, 0);
    *out = c;
    return NULL;
}

bool kafka_consumer_up(const struct kafka_consumer *c)
{
    return atomic_load(&c->client.up);
}

/* Serves the group's last words: a rebalance callback, the commit of stored offsets.
 * Messages may still come; rd_kafka_queue_poll_callback() would abort on one. */
static void leave_group(struct kafka_consumer *c, int64_t until_us)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(c->client.rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(c->client.rk, queue);

    while (!error && !rd_kafka_consumer_closed(c->client.rk) &&
           clock_mono_us() < until_us) {
        rd_kafka_message_t *m = rd_kafka_consume_queue(queue, SLICE_MS);

        if (m)
            rd_kafka_message_destroy(m);
    }
    if (error)
        rd_kafka_error_destroy(error);
    rd_kafka_queue_destroy(queue);
}

static void free_messages(struct list *messages)
{
    while (!list_empty(messages))
        free_message(CONTAINER_OF(messages->next, struct kafka_open, link));
}

void kafka_consumer_destroy(struct kafka_consumer *c, int timeout_ms)
{
    int64_t until_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    int64_t left_ms;

    if (!c)
        return;
    loop_timer_clear(&c->again);
    loop_task_cancel(&c->take);
    leave_group(c, until_us);
    kafka_partitions_lose(c);
    loop_task_cancel(&c->take);
    free_messages(&c->open);
    free_messages(&c->dropped);
    left_ms = (until_us - clock_mono_us()) / 1000;
    kafka_client_close(&c->client, left_ms > 0 ? (int)left_ms : 0);
    kafka_client_fini(&c->client);
    free_consumer(c);
}
