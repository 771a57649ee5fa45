// SPDX-License-Identifier: Apache-2.0
/*
 * Inside of the consumer (private to kit/kafka). Each partition has a queue of its own,
 * from which we take only while fewer than max_open messages are open; the rest waits in
 * librdkafka, which stops fetching when it has enough. (rd_kafka_pause_partitions would
 * throw that away, and block the loop.) The consumer's main queue is served all the time:
 * it has the group's business. A message is `open` from being handed out to kafka_done();
 * a dropped one waits in `dropped` to be handed out again, so a drop costs no second read
 * and no copy of its neighbours. When a partition goes to another owner its open messages
 * lose their partition: doing or dropping them then only frees them.
 */
#ifndef KIT_KAFKA_CONSUMER_H
#define KIT_KAFKA_CONSUMER_H

#include "kit/kafka/client.h"
#include "kit/kafka/window.h"

struct metric;

struct kafka_partition {
    struct list link;
    char *topic;
    int32_t id;
    rd_kafka_queue_t *queue;
    int64_t next; /* the offset stored last, -1: none yet */
    struct kafka_window window;
};

struct kafka_open {
    struct kafka_message message;      /* what the handler sees */
    struct list link;                  /* in open or dropped */
    struct kafka_partition *partition; /* NULL: lost */
    struct kafka_slot *slot;
    int64_t again_us; /* of a dropped one */
};

struct kafka_consumer {
    struct kafka_client client;
    struct kafka_consumer_conf conf; /* group and topics are copies */
    struct list partitions;          /* assigned to us */
    struct list open, dropped;
    unsigned n_open;  /* in open and dropped */
    unsigned n_slots; /* of all windows */
    bool subscribed;
    bool more; /* a queue may have messages that were left there for want of room */
    struct loop_task take;   /* there is room again */
    struct loop_timer again; /* for dropped messages and for topics not made yet */
    struct metric *received, *done, *drops, *lag;
};

/* consumer_assign.c: the group gives and takes partitions. */
void kafka_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t what,
                     rd_kafka_topic_partition_list_t *list, void *consumer);
struct kafka_partition *kafka_partition_find(struct kafka_consumer *c, const char *topic,
                                             int32_t id);
/* Takes all partitions from us. */
void kafka_partitions_lose(struct kafka_consumer *c);
void kafka_store_offset(struct kafka_consumer *c, struct kafka_partition *p,
                        int64_t next);
/* Messages behind in all partitions that are ours. */
int64_t kafka_lag(struct kafka_consumer *c);

#endif
