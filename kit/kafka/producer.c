// SPDX-License-Identifier: Apache-2.0
/*
 * The producer. Each message has a node in `open` from kafka_produce() to its report.
 * A breaker (circuit.h) says no while messages are late.
 * After a fatal error of librdkafka (the idempotent session is lost) the instance is
 * replaced: what was open is reported as not sent, and its owner sends it again.
 */
#include "kit/base/clock.h"
#include "kit/base/log.h"
#include "kit/base/mem.h"
#include "kit/kafka/circuit.h"
#include "kit/kafka/client.h"
#include "kit/obs/metrics.h"

#include <stdlib.h>

enum {
    OPEN_MAX = 10000,
    ROOM_AT = OPEN_MAX / 2,
    SLICE_MS = 20,
};

static const struct kafka_setting settings[] = {
    {"enable.idempotence", "true"},
    {"queue.buffering.max.messages", "10000"}, /* OPEN_MAX */
    {"queue.buffering.max.kbytes", "65536"},
    {"linger.ms", "2"},
    /* Longer than a broker's restart: a message that is given up and sent again later
     * loses its place behind those of its key. */
    {"message.timeout.ms", "300000"},
    {"partitioner", "murmur2_random"}, /* as other languages' clients do it */
    {0},
};

struct open_message {
    struct list link;
    struct kafka_pass pass;
    void (*report)(void *arg, bool ok);
    void *arg;
};

struct kafka_producer {
    struct kafka_client client;
    struct kafka_circuit circuit;
    struct list open;   /* in librdkafka's hands, oldest first */
    struct list failed; /* refused by it for good; reported in the next turn */
    unsigned n_open;
    bool fatal; /* to be remade in the next turn */
    bool wants_room;
    void (*room)(void *arg);
    void *room_arg;
    struct loop_task later;
    struct metric *sent, *lost, *open_now;
};

static void finish(struct kafka_producer *p, struct open_message *m, bool ok)
{
    list_remove(&m->link);
    p->n_open--;
    metric_add(ok ? p->sent : p->lost, 1);
    metric_set(p->open_now, p->n_open);
    m->report(m->arg, ok);
    free(m);
}

static void finish_all(struct kafka_producer *p, struct list *messages)
{
    struct list taken, *link;

    list_init(&taken);
    list_splice(&taken, messages); /* a report may produce again */
    while ((link = list_pop(&taken))) {
        struct open_message *m = CONTAINER_OF(link, struct open_message, link);

        kafka_circuit_forget(&p->circuit, &m->pass);
        finish(p, m, false);
    }
}

static void offer_room(struct kafka_producer *p)
{
    if (!p->wants_room || p->fatal || p->n_open > ROOM_AT ||
        !kafka_circuit_has_room(&p->circuit))
        return;
    p->wants_room = false;
    if (p->room)
        p->room(p->room_arg);
}

/* ---- what librdkafka tells us ---------------------------------------------------- */

static void serve_reports(struct kafka_producer *p, rd_kafka_event_t *ev)
{
    const rd_kafka_message_t *reported;

    while ((reported = rd_kafka_event_message_next(ev))) {
        struct open_message *m = reported->_private;
        bool ok = rd_kafka_message_status(reported) == RD_KAFKA_MSG_STATUS_PERSISTED;

        kafka_circuit_report(&p->circuit, &m->pass, ok);
        finish(p, m, ok);
    }
}

static void serve_error(struct kafka_producer *p, rd_kafka_event_t *ev)
{
    rd_kafka_resp_err_t err = rd_kafka_event_error(ev);

    kafka_client_error(&p->client, err, rd_kafka_event_error_string(ev));
    if (err != RD_KAFKA_RESP_ERR__FATAL)
        return;
    p->fatal = true;
    loop_soon(p->client.loop, &p->later);
}

static void serve_event(struct kafka_producer *p, rd_kafka_event_t *ev)
{
    switch (rd_kafka_event_type(ev)) {
    case RD_KAFKA_EVENT_DR: serve_reports(p, ev); break;
    case RD_KAFKA_EVENT_ERROR: serve_error(p, ev); break;
    default: break;
    }
    rd_kafka_event_destroy(ev);
}

static unsigned serve(struct kafka_client *c, unsigned max)
{
    struct kafka_producer *p = CONTAINER_OF(c, struct kafka_producer, client);
    rd_kafka_event_t *ev;
    unsigned n = 0;

    while (n < max && (ev = rd_kafka_queue_poll(c->queue, 0))) {
        serve_event(p, ev);
        n++;
    }
    offer_room(p);
    return n;
}

/* Each second: what is late, and whether a probe may go. */
static void watch_circuit(struct kafka_client *c)
{
    struct kafka_producer *p = CONTAINER_OF(c, struct kafka_producer, client);

    LIST_EACH (it, &p->open)
        if (!kafka_circuit_is_late(&p->circuit,
                                   &CONTAINER_OF(it, struct open_message, link)->pass))
            break;
    kafka_circuit_show(&p->circuit);
    offer_room(p);
}

static void setup(struct kafka_client *c, rd_kafka_conf_t *conf)
{
    (void)c;
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
}

static const struct kafka_client_def producer_def = {
    .type = RD_KAFKA_PRODUCER,
    .settings = settings,
    .setup = setup,
    .queue = rd_kafka_queue_get_main,
    .serve = serve,
    .tick = watch_circuit,
};

/* ---- later in the loop ----------------------------------------------------------- */

static void remake(struct kafka_producer *p)
{
    struct arena a;
    const struct err *err;

    serve(&p->client, OPEN_MAX);
    kafka_client_close(&p->client, 0);
    arena_init(&a);
    err = kafka_client_open(&a, &p->client);
    if (err)
        mem_die("%.*s", STR_FMT(err->detail)); /* the same settings worked before */
    arena_fini(&a);
    LOG_WARN(NULL, "kafka.producer_remade", KV("client", p->client.client_id),
             KV("unsent", (int64_t)p->n_open));
    p->fatal = false;
    finish_all(p, &p->open);
}

static void later(struct loop_task *t)
{
    struct kafka_producer *p = CONTAINER_OF(t, struct kafka_producer, later);

    if (p->fatal)
        remake(p);
    finish_all(p, &p->failed);
    offer_room(p);
}

/* ---- producing ------------------------------------------------------------------- */

static void *unconst(const char *p)
{
    return (void *)(uintptr_t)p; /* librdkafka copies, its union has no const */
}

static rd_kafka_headers_t *make_headers(const struct kafka_header *headers, size_t n)
{
    rd_kafka_headers_t *made = rd_kafka_headers_new(n);

    for (size_t i = 0; i < n; i++)
        rd_kafka_header_add(made, headers[i].name.p, (ssize_t)headers[i].name.n,
                            headers[i].value.p, (ssize_t)headers[i].value.n);
    return made;
}

static rd_kafka_resp_err_t hand_over(struct kafka_producer *p, const char *topic,
                                     struct str key, struct str value,
                                     rd_kafka_headers_t *headers, struct open_message *m)
{
    rd_kafka_vu_t args[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {unconst(key.p), key.n}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {unconst(value.p), value.n}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = m},
    };
    rd_kafka_error_t *error =
        rd_kafka_produceva(p->client.rk, args, sizeof args / sizeof *args);
    rd_kafka_resp_err_t code;

    if (!error)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(headers); /* taken over only on success */
    return code;
}

/* Full or remade soon: the caller keeps its message. Anything else would fail again the
 * same way, and is reported as a loss. */
static bool take_back(struct kafka_producer *p, rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__QUEUE_FULL || code == RD_KAFKA_RESP_ERR__FATAL ||
           (code && p->fatal);
}

/* NULL: not now. */
static struct open_message *make_open(struct kafka_producer *p,
                                      void (*report)(void *arg, bool ok), void *arg)
{
    struct open_message *m;
    struct kafka_pass pass;

    if (p->fatal || p->n_open >= OPEN_MAX || !kafka_circuit_enter(&p->circuit, &pass)) {
        p->wants_room = true;
        return NULL;
    }
    m = MEM_NEW(struct open_message);
    *m = (struct open_message){.report = report, .arg = arg, .pass = pass};
    list_init(&m->link);
    return m;
}

static void keep_open(struct kafka_producer *p, struct open_message *m,
                      rd_kafka_resp_err_t code, const char *topic)
{
    p->n_open++;
    metric_set(p->open_now, p->n_open);
    list_push(code ? &p->failed : &p->open, &m->link);
    if (!code)
        return;
    LOG_ERROR(NULL, "kafka.refused", KV("topic", topic),
              KV("error", rd_kafka_err2name(code)));
    loop_soon(p->client.loop, &p->later);
}

bool kafka_produce(struct kafka_producer *p, const char *topic, struct str key,
                   struct str value, const struct kafka_header *headers, size_t n_headers,
                   void (*report)(void *arg, bool ok), void *arg)
{
    struct open_message *m = make_open(p, report, arg);
    rd_kafka_resp_err_t code;

    if (!m)
        return false;
    code = hand_over(p, topic, key, value, make_headers(headers, n_headers), m);
    if (take_back(p, code)) {
        p->wants_room = true;
        kafka_circuit_forget(&p->circuit, &m->pass);
        free(m);
        return false;
    }
    keep_open(p, m, code, topic);
    return true;
}

void kafka_producer_on_room(struct kafka_producer *p, void (*room)(void *arg), void *arg)
{
    p->room = room;
    p->room_arg = arg;
}

bool kafka_producer_up(const struct kafka_producer *p)
{
    return atomic_load(&p->client.up);
}

/* ---- life ------------------------------------------------------------------------ */

static void find_metrics(struct kafka_producer *p)
{
    const char *name = "viaduct_kafka_reports_total";
    const char *help = "Delivery reports of messages";

    p->sent = metrics_counter(name, help, "outcome", "persisted", NULL);
    p->lost = metrics_counter(name, help, "outcome", "failed", NULL);
    p->open_now = metrics_gauge("viaduct_kafka_open_messages",
                                "Messages without their delivery report yet", NULL);
}

const struct err *kafka_producer_create(struct arena *a, struct loop *l,
                                        const struct kafka_conf *conf,
                                        struct kafka_producer **out)
{
    struct kafka_producer *p = MEM_NEW(struct kafka_producer);
    const struct err *err;

    list_init(&p->open);
    list_init(&p->failed);
    loop_task_init(&p->later, later);
    find_metrics(p);
    kafka_circuit_init(&p->circuit);
    kafka_client_init(&p->client, l, &producer_def, conf);
    err = kafka_client_open(a, &p->client);
    if (err) {
        kafka_client_fini(&p->client);
        free(p);
        return err;
    }
    *out = p;
    return NULL;
}

static void wait_for_reports(struct kafka_producer *p, int64_t until_us)
{
    while (!list_empty(&p->open) && clock_mono_us() < until_us) {
        rd_kafka_event_t *ev = rd_kafka_queue_poll(p->client.queue, SLICE_MS);

        if (ev)
            serve_event(p, ev);
    }
}

void kafka_producer_destroy(struct kafka_producer *p, int timeout_ms)
{
    int64_t until_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    int64_t left_ms;

    if (!p)
        return;
    p->room = NULL;
    wait_for_reports(p, until_us);
    p->fatal = true; /* from now on nothing is taken */
    finish_all(p, &p->open);
    finish_all(p, &p->failed);
    loop_task_cancel(&p->later);
    left_ms = (until_us - clock_mono_us()) / 1000;
    kafka_client_close(&p->client, left_ms > 0 ? (int)left_ms : 0);
    kafka_client_fini(&p->client);
    kafka_circuit_fini(&p->circuit);
    free(p);
}
