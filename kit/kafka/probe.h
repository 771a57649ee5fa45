// SPDX-License-Identifier: Apache-2.0
/*
 * Knows whether a broker answers (private to kit/kafka). librdkafka says when connections
 * break, but not when they are back, and an idle one looks like a broken one; so a thread
 * asks for metadata each second. It is a thread because the call blocks: the admin API's
 * DescribeCluster would not, but librdkafka 2.8 aborts the process when a broker that is
 * just starting answers it without brokers.
 */
#ifndef KIT_KAFKA_PROBE_H
#define KIT_KAFKA_PROBE_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdbool.h>

struct kafka_probe;

/* Keeps *up true while a broker answers. */
struct kafka_probe *kafka_probe_start(rd_kafka_t *rk, atomic_bool *up);
/* All connections broke just now: no need to wait for the next answer. */
void kafka_probe_down(struct kafka_probe *p);
/* Asks no more and leaves *up alone from now on; does not wait. */
void kafka_probe_stop(struct kafka_probe *p);
/* Waits for its end, at most the time of one question; before the instance is destroyed.
 */
void kafka_probe_join(struct kafka_probe *p);

#endif
