// SPDX-License-Identifier: Apache-2.0
/*
 * Kafka through librdkafka. Its threads only wake the loop (eventfd on the final queue);
 * every callback below runs in the loop. Producer: idempotent, bounded queue, a message
 * counts as sent only with a PERSISTED delivery report. Consumer: auto commit on, auto
 * offset store off: kafka_done() stores a message's offset when its work is safe
 * elsewhere.
 */
#ifndef KIT_KAFKA_KAFKA_H
#define KIT_KAFKA_KAFKA_H

#include "kit/base/err.h"
#include "kit/loop/loop.h"

struct kafka_producer;
struct kafka_consumer;

struct kafka_header {
    struct str name, value;
};

struct kafka_conf {
    const char *brokers;   /* host:port,... */
    const char *client_id; /* "viaduct-orders" */
};

/* ---- producer -------------------------------------------------------------------- */
MUST_CHECK const struct err *kafka_producer_create(struct arena *a, struct loop *l,
                                                   const struct kafka_conf *conf,
                                                   struct kafka_producer **out);
/* Waits at most timeout_ms for open deliveries, serving their reports. */
void kafka_producer_destroy(struct kafka_producer *p, int timeout_ms);

/* Copies everything. `report(arg, ok)` comes exactly once, in the loop, later; ok only
 * when the broker has persisted it. false: the queue is full, the breaker is open (a
 * message had no report for 5 s) or the producer is being remade; nothing was taken and
 * no report will come; stop, and go on when `room` is called. */
MUST_CHECK bool kafka_produce(struct kafka_producer *p, const char *topic, struct str key,
                              struct str value, const struct kafka_header *headers,
                              size_t n_headers, void (*report)(void *arg, bool ok),
                              void *arg);
void kafka_producer_on_room(struct kafka_producer *p, void (*room)(void *arg), void *arg);
/* A broker is connected. */
bool kafka_producer_up(const struct kafka_producer *p);

/* ---- consumer -------------------------------------------------------------------- */
struct kafka_message {
    struct str topic, key, value;
    int32_t partition;
    int64_t offset;
    struct kafka_consumer *consumer;
    void *native; /* private */
};
struct str kafka_message_header(const struct kafka_message *m, const char *name);

struct kafka_consumer_conf {
    struct kafka_conf base;
    const char *group;
    const char *const *topics; /* NULL-terminated; made on the broker when missing */
    int partitions;            /* of topics that are made */
    /* Handed out and not done. Others wait here, a thousand at most; then partitions
     * pause. */
    unsigned max_open;
    /* The handler owns the message until it calls kafka_done or kafka_drop. */
    void (*message)(void *arg, struct kafka_message *m);
    void *arg;
};
MUST_CHECK const struct err *kafka_consumer_create(struct arena *a, struct loop *l,
                                                   const struct kafka_consumer_conf *conf,
                                                   struct kafka_consumer **out);
/* Leaves the group under a hard deadline. Open messages are dropped: they come again. */
void kafka_consumer_destroy(struct kafka_consumer *c, int timeout_ms);
bool kafka_consumer_up(const struct kafka_consumer *c);

/* Its work is safe elsewhere: the offset may move past it once all earlier ones of its
 * partition are done too. Frees m. */
void kafka_done(struct kafka_message *m);
/* Gives it up without storing its offset: it is delivered again, here after a short pause
 * or to the next owner. Frees m. */
void kafka_drop(struct kafka_message *m);

#endif
