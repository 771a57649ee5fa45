// SPDX-License-Identifier: Apache-2.0
/* One librdkafka instance on the loop: settings, wake-ups, the tick, the probe, the end.
 */
#include "kit/kafka/client.h"

#include "kit/base/clock.h"
#include "kit/base/log.h"
#include "kit/base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    TICK_MS = 1000,
    MAKE_TOPICS_MS = 10000,
    TURN_MAX =
        128, /* elements per loop turn, so that a burst does not hold up the others */
    ERROR_MAX = 256,
    SYSLOG_ERR = 3, /* librdkafka's levels are those of syslog, whose header clashes */
};

static const struct kafka_setting common_settings[] = {
    {"socket.keepalive.enable", "true"},  {"reconnect.backoff.ms", "100"},
    {"reconnect.backoff.max.ms", "1000"}, /* a broker that is back is noticed at once */
    {"log.connection.close", "false"},    {0},
};

void kafka_client_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[ERROR_MAX];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK)
        mem_die("kafka: %s=%s: %s", name, value, why);
}

static void set_all(rd_kafka_conf_t *conf, const struct kafka_setting *settings)
{
    for (const struct kafka_setting *s = settings; s->name; s++)
        kafka_client_set(conf, s->name, s->value);
}

/* Called by librdkafka's threads. */
static void write_log(const rd_kafka_t *rk, int level, const char *facility,
                      const char *text)
{
    enum log_level at = level <= SYSLOG_ERR ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG;

    LOG_AT(at, NULL, "kafka.client", KV("client", rd_kafka_name(rk)),
           KV("facility", facility), KV("text", text));
}

static rd_kafka_conf_t *make_conf(struct kafka_client *c)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    kafka_client_set(conf, "bootstrap.servers", c->brokers);
    kafka_client_set(conf, "client.id", c->client_id);
    set_all(conf, common_settings);
    set_all(conf, c->def->settings);
    rd_kafka_conf_set_opaque(conf, c);
    rd_kafka_conf_set_log_cb(conf, write_log);
    if (c->def->setup)
        c->def->setup(c, conf);
    return conf;
}

/* ---- admin calls ----------------------------------------------------------------- */

static rd_kafka_AdminOptions_t *admin_options(struct kafka_client *c,
                                              rd_kafka_admin_op_t op, int timeout_ms)
{
    char why[ERROR_MAX];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(c->rk, op);

    if (rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why, sizeof why))
        mem_die("kafka: admin time-out: %s", why);
    return options;
}

void kafka_client_error(struct kafka_client *c, rd_kafka_resp_err_t err, const char *text)
{
    /* a lost connection is in the client's own log already */
    bool known =
        err == RD_KAFKA_RESP_ERR__TRANSPORT || err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    enum log_level level = known ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN;

    LOG_AT(level, NULL, "kafka.error", KV("client", c->client_id),
           KV("error", rd_kafka_err2name(err)), KV("text", text));
    if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        kafka_probe_down(c->probe); /* it would find out too, but later */
}

void kafka_client_make_topics(struct kafka_client *c, const char *const *topics,
                              int partitions)
{
    rd_kafka_NewTopic_t *wanted[64];
    char why[ERROR_MAX];
    size_t n = 0;
    rd_kafka_AdminOptions_t *options;

    for (; topics[n]; n++) {
        if (n == sizeof wanted / sizeof *wanted)
            mem_die("kafka: too many topics");
        /* -1: the broker's own replication factor */
        wanted[n] = rd_kafka_NewTopic_new(topics[n], partitions, -1, why, sizeof why);
        if (!wanted[n])
            mem_die("kafka: topic %s: %s", topics[n], why);
    }
    options = admin_options(c, RD_KAFKA_ADMIN_OP_CREATETOPICS, MAKE_TOPICS_MS);
    rd_kafka_CreateTopics(c->rk, wanted, n, options, c->admin);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy_array(wanted, n);
}

static bool topics_are_there(rd_kafka_event_t *ev)
{
    size_t n;
    const rd_kafka_topic_result_t **results;
    bool all = rd_kafka_event_error(ev) == RD_KAFKA_RESP_ERR_NO_ERROR;

    if (!all)
        return false;
    results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(ev), &n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_resp_err_t err = rd_kafka_topic_result_error(results[i]);

        if (err == RD_KAFKA_RESP_ERR_NO_ERROR ||
            err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue;
        LOG_WARN(NULL, "kafka.topic_refused",
                 KV("topic", rd_kafka_topic_result_name(results[i])),
                 KV("error", rd_kafka_err2name(err)));
        all = false;
    }
    return all;
}

static void serve_admin(struct kafka_client *c)
{
    rd_kafka_event_t *ev;

    while ((ev = rd_kafka_queue_poll(c->admin, 0))) {
        rd_kafka_event_type_t type = rd_kafka_event_type(ev);

        if (type == RD_KAFKA_EVENT_CREATETOPICS_RESULT && c->def->topics_made)
            c->def->topics_made(c, topics_are_there(ev));
        rd_kafka_event_destroy(ev);
    }
}

/* ---- the loop -------------------------------------------------------------------- */

static void serve(struct kafka_client *c)
{
    if (!c->rk)
        return;
    serve_admin(c);
    if (c->def->serve(c, TURN_MAX) >= TURN_MAX)
        loop_soon(c->loop, &c->again);
}

static void woken(void *arg, int ready)
{
    struct kafka_client *c = arg;
    uint64_t count;

    (void)ready;
    if (read(c->wake_fd, &count, sizeof count) < 0)
        return; /* somebody else's wake-up; the tick is the net */
    serve(c);
}

static void serve_again(struct loop_task *t)
{
    serve(CONTAINER_OF(t, struct kafka_client, again));
}

static void tick(struct loop_timer *t)
{
    struct kafka_client *c = CONTAINER_OF(t, struct kafka_client, tick);

    loop_timer_set(t, TICK_MS);
    serve(c);
    if (c->def->tick)
        c->def->tick(c);
}

void kafka_client_hear(struct kafka_client *c, rd_kafka_queue_t *queue)
{
    static const uint64_t one = 1;

    rd_kafka_queue_io_event_enable(queue, c->wake_fd, &one, sizeof one);
}

void kafka_client_deaf(rd_kafka_queue_t *queue)
{
    rd_kafka_queue_io_event_enable(queue, -1, NULL, 0);
}

/* ---- life ------------------------------------------------------------------------ */

void kafka_client_init(struct kafka_client *c, struct loop *l,
                       const struct kafka_client_def *def, const struct kafka_conf *conf)
{
    c->def = def;
    c->loop = l;
    c->brokers = mem_strdup(conf->brokers);
    c->client_id = mem_strdup(conf->client_id);
    c->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (c->wake_fd < 0)
        mem_die("kafka: eventfd failed");
    c->wake = loop_fd_create(l, c->wake_fd, woken, c);
    loop_fd_want(c->wake, LOOP_READ);
    loop_timer_init(&c->tick, l, tick);
    loop_timer_set(&c->tick, 0);
    loop_task_init(&c->again, serve_again);
}

const struct err *kafka_client_open(struct arena *a, struct kafka_client *c)
{
    char why[ERROR_MAX];
    rd_kafka_conf_t *conf = make_conf(c);

    c->rk = rd_kafka_new(c->def->type, conf, why, sizeof why);
    if (!c->rk) {
        rd_kafka_conf_destroy(conf); /* a failed rd_kafka_new leaves it to us */
        return err_new(a, &ERR_CODE_INTERNAL, "kafka: %s", why);
    }
    c->queue = c->def->queue(c->rk);
    c->admin = rd_kafka_queue_new(c->rk);
    c->probe = kafka_probe_start(c->rk, &c->up);
    kafka_client_hear(c, c->queue);
    kafka_client_hear(c, c->admin);
    return NULL;
}

struct ending {
    rd_kafka_t *rk;
    struct kafka_probe *probe;
};

static void *end_instance(void *arg)
{
    struct ending *e = arg;

    kafka_probe_join(e->probe);
    rd_kafka_destroy_flags(e->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    free(e);
    return NULL;
}

/* Both may be deep in a connect: not a wait for our loop. */
static void end_in_thread(rd_kafka_t *rk, struct kafka_probe *probe, int timeout_ms)
{
    pthread_t thread;
    struct timespec until;
    int64_t until_us = clock_wall_us() + (int64_t)timeout_ms * 1000;
    struct ending *e = MEM_NEW(struct ending);

    *e = (struct ending){rk, probe};
    if (pthread_create(&thread, NULL, end_instance, e)) {
        end_instance(e);
        return;
    }
    until.tv_sec = until_us / 1000000;
    until.tv_nsec = until_us % 1000000 * 1000;
    if (timeout_ms <= 0 || pthread_timedjoin_np(thread, NULL, &until))
        pthread_detach(thread);
}

void kafka_client_close(struct kafka_client *c, int timeout_ms)
{
    if (!c->rk)
        return;
    loop_task_cancel(&c->again);
    kafka_probe_stop(c->probe);
    kafka_client_deaf(c->queue);
    kafka_client_deaf(c->admin);
    rd_kafka_queue_destroy(c->queue);
    rd_kafka_queue_destroy(c->admin);
    end_in_thread(c->rk, c->probe, timeout_ms);
    c->rk = NULL;
    c->probe = NULL;
    atomic_store(&c->up, false);
}

void kafka_client_fini(struct kafka_client *c)
{
    loop_timer_clear(&c->tick);
    loop_task_cancel(&c->again);
    loop_fd_destroy(c->wake);
    close(c->wake_fd);
    free(c->brokers);
    free(c->client_id);
}
