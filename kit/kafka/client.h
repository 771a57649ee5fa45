// SPDX-License-Identifier: Apache-2.0
/*
 * What producer and consumer share (private to kit/kafka): one librdkafka instance with
 * its queues tied to the loop. librdkafka's threads write 8 bytes into an eventfd when a
 * queue gets its first element; the loop then drains. A tick each second serves the
 * queues too, as a net under a lost wake-up, and asks the cluster to describe itself:
 * that answer is `up`.
 */
#ifndef KIT_KAFKA_CLIENT_H
#define KIT_KAFKA_CLIENT_H

#include "kit/kafka/kafka.h"
#include "kit/kafka/probe.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

struct kafka_client;

struct kafka_setting {
    const char *name, *value;
};

struct kafka_client_def {
    rd_kafka_type_t type;
    const struct kafka_setting *settings; /* ends with {0} */
    void (*setup)(struct kafka_client *c, rd_kafka_conf_t *conf);
    rd_kafka_queue_t *(*queue)(rd_kafka_t *rk);
    /* Serves at most `max` elements of the queue without blocking; how many there were.
     */
    unsigned (*serve)(struct kafka_client *c, unsigned max);
    /* The answer to kafka_client_make_topics(). */
    void (*topics_made)(struct kafka_client *c, bool ok);
    void (*tick)(struct kafka_client *c);
};

struct kafka_client {
    const struct kafka_client_def *def;
    struct loop *loop;
    char *brokers, *client_id;
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue; /* messages, reports, errors */
    rd_kafka_queue_t *admin; /* answers of admin calls */
    int wake_fd;
    struct loop_fd *wake;
    struct loop_timer tick;
    struct loop_task again;
    struct kafka_probe *probe;
    atomic_bool up; /* a broker answers; read by any thread */
};

/* client_init makes the descriptors, client_open the librdkafka instance; a client can be
 * closed and opened again. */
void kafka_client_init(struct kafka_client *c, struct loop *l,
                       const struct kafka_client_def *def, const struct kafka_conf *conf);
MUST_CHECK const struct err *kafka_client_open(struct arena *a, struct kafka_client *c);
/* Lets go of the instance; a helper thread ends it, waited for at most timeout_ms. */
void kafka_client_close(struct kafka_client *c, int timeout_ms);
void kafka_client_fini(struct kafka_client *c);

/* What comes into this queue wakes the loop too, until kafka_client_deaf(). */
void kafka_client_hear(struct kafka_client *c, rd_kafka_queue_t *queue);
void kafka_client_deaf(rd_kafka_queue_t *queue);

/* Says an error that librdkafka reports, and takes down `up` when no broker is left. */
void kafka_client_error(struct kafka_client *c, rd_kafka_resp_err_t err,
                        const char *text);

/* Sets one option; a bad one is a broken table and ends the process. */
void kafka_client_set(rd_kafka_conf_t *conf, const char *name, const char *value);

/* topics is NULL-terminated; one that is there already is fine. */
void kafka_client_make_topics(struct kafka_client *c, const char *const *topics,
                              int partitions);

#endif
