// SPDX-License-Identifier: Apache-2.0
/* One producer and consumers on the real broker, with all that came written down. */
#ifndef TESTS_INTEGRATION_KAFKA_BROKER_H
#define TESTS_INTEGRATION_KAFKA_BROKER_H

#include "kit/kafka/kafka.h"

enum { SEEN_MAX = 10000 };

struct inbox {
    struct kafka_consumer *consumer;
    struct kafka_message *open[SEEN_MAX]; /* handed out, not done */
    unsigned n_open;
    unsigned n;               /* how often a message came */
    unsigned times[SEEN_MAX]; /* by the number in its value */
    int order[SEEN_MAX];      /* numbers as they came */
    unsigned wanted;          /* for inbox_full() */
    enum { INBOX_KEEP, INBOX_DONE, INBOX_DROP_FIRST } mode;
    struct str type; /* header of the last one, copied */
    char type_text[32];
};

struct outcome {
    unsigned ok, failed, wanted;
};

struct bench {
    struct arena arena;
    struct loop *loop;
    const char *topic, *group, *brokers;
    struct kafka_producer *producer;
    struct outcome sent;
};

void bench_begin(struct bench *b, const char *brokers);
void bench_end(struct bench *b);

/* Messages first..first+n-1, the number as text; all of one key when `key`. */
void bench_send(struct bench *b, int first, int n, const char *key);
/* ... as many of them as are taken. */
unsigned bench_send_some(struct bench *b, int first, int n);
/* bench_send, and waits until all have their reports. */
void bench_send_all(struct bench *b, int first, int n, const char *key);
bool bench_reported(void *bench);

void inbox_open(struct inbox *in, struct bench *b, unsigned max_open);
void inbox_close(struct inbox *in);
/* At least `wanted` messages have come. */
bool inbox_full(void *inbox);

#endif
