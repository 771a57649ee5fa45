// SPDX-License-Identifier: Apache-2.0
/* Which partitions are ours, how far they are done, and when they pause. */
#include "kit/base/log.h"
#include "kit/base/mem.h"
#include "kit/kafka/consumer.h"

#include <stdlib.h>

struct kafka_partition *kafka_partition_find(struct kafka_consumer *c, const char *topic,
                                             int32_t id)
{
    LIST_EACH (link, &c->partitions) {
        struct kafka_partition *p = CONTAINER_OF(link, struct kafka_partition, link);

        if (p->id == id && strcmp(p->topic, topic) == 0)
            return p;
    }
    return NULL;
}

/* Before the partition is assigned, so that no message goes into the main queue. */
static rd_kafka_queue_t *own_queue(struct kafka_consumer *c, const char *topic,
                                   int32_t id)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_partition(c->client.rk, topic, id);

    if (!queue)
        mem_die("kafka: no queue for %s [%d]", topic, (int)id);
    rd_kafka_queue_forward(queue, NULL);
    kafka_client_hear(&c->client, queue);
    return queue;
}

static void gain(struct kafka_consumer *c, const char *topic, int32_t id)
{
    struct kafka_partition *p = MEM_NEW(struct kafka_partition);

    p->topic = mem_strdup(topic);
    p->id = id;
    p->next = -1;
    p->queue = own_queue(c, topic, id);
    kafka_window_init(&p->window);
    list_init(&p->link);
    list_push(&c->partitions, &p->link);
}

static void orphan(struct list *messages, const struct kafka_partition *p)
{
    LIST_EACH (link, messages) {
        struct kafka_open *m = CONTAINER_OF(link, struct kafka_open, link);

        if (m->partition == p) {
            m->partition = NULL;
            m->slot = NULL;
        }
    }
}

static void lose(struct kafka_consumer *c, struct kafka_partition *p)
{
    kafka_client_deaf(p->queue);
    rd_kafka_queue_destroy(p->queue);
    orphan(&c->open, p);
    orphan(&c->dropped, p);
    list_remove(&p->link);
    c->n_slots -= p->window.count;
    kafka_window_fini(&p->window);
    free(p->topic);
    free(p);
}

void kafka_partitions_lose(struct kafka_consumer *c)
{
    while (!list_empty(&c->partitions))
        lose(c, CONTAINER_OF(c->partitions.next, struct kafka_partition, link));
}

/* ---- rebalance ------------------------------------------------------------------- */

static void say(const struct kafka_consumer *c, const char *what,
                const rd_kafka_topic_partition_list_t *list)
{
    LOG_INFO(NULL, "kafka.partitions", KV("client", c->client.client_id),
             KV("group", c->conf.group), KV("change", what), KV("count", list->cnt));
}

static void check(rd_kafka_error_t *error)
{
    if (!error)
        return;
    LOG_WARN(NULL, "kafka.assign_failed", KV("error", rd_kafka_error_name(error)));
    rd_kafka_error_destroy(error);
}

static void assigned(struct kafka_consumer *c, rd_kafka_topic_partition_list_t *list)
{
    say(c, "assigned", list);
    for (int i = 0; i < list->cnt; i++)
        gain(c, list->elems[i].topic, list->elems[i].partition);
    check(rd_kafka_incremental_assign(c->client.rk, list));
}

static void revoked(struct kafka_consumer *c, rd_kafka_topic_partition_list_t *list)
{
    say(c, rd_kafka_assignment_lost(c->client.rk) ? "lost" : "revoked", list);
    for (int i = 0; i < list->cnt; i++) {
        struct kafka_partition *p =
            kafka_partition_find(c, list->elems[i].topic, list->elems[i].partition);

        if (p)
            lose(c, p);
    }
    check(rd_kafka_incremental_unassign(c->client.rk, list));
}

void kafka_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t what,
                     rd_kafka_topic_partition_list_t *list, void *consumer)
{
    struct kafka_consumer *c = consumer;

    if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        assigned(c, list);
    } else if (what == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        revoked(c, list);
    } else {
        LOG_WARN(NULL, "kafka.rebalance_failed", KV("error", rd_kafka_err2name(what)));
        kafka_partitions_lose(c);
        rd_kafka_assign(rk, NULL);
    }
}

/* ---- offsets --------------------------------------------------------------------- */

void kafka_store_offset(struct kafka_consumer *c, struct kafka_partition *p, int64_t next)
{
    rd_kafka_topic_partition_list_t *one = rd_kafka_topic_partition_list_new(1);
    rd_kafka_resp_err_t err;

    p->next = next;
    rd_kafka_topic_partition_list_add(one, p->topic, p->id)->offset = next;
    err = rd_kafka_offsets_store(c->client.rk, one);
    /* __STATE: the partition was taken from us a moment ago; its next owner reads again
     */
    if (err && err != RD_KAFKA_RESP_ERR__STATE)
        LOG_WARN(NULL, "kafka.offset_not_stored", KV("topic", p->topic),
                 KV("partition", p->id), KV("error", rd_kafka_err2name(err)));
    rd_kafka_topic_partition_list_destroy(one);
}

int64_t kafka_lag(struct kafka_consumer *c)
{
    int64_t lag = 0;

    LIST_EACH (link, &c->partitions) {
        struct kafka_partition *p = CONTAINER_OF(link, struct kafka_partition, link);
        int64_t low, high;

        /* answered from memory, as of the last fetch */
        if (p->next >= 0 &&
            !rd_kafka_get_watermark_offsets(c->client.rk, p->topic, p->id, &low, &high) &&
            high > p->next)
            lag += high - p->next;
    }
    return lag;
}
