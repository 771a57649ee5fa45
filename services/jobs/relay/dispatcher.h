// SPDX-License-Identifier: Apache-2.0
/*
 * Queued jobs that are due get a message on viaduct.jobs.<kind>. Any number of
 * dispatchers may work side by side: a row is taken by moving its dispatch_at into the
 * future, which is also the net under a message that gets lost. While Kafka is away rows
 * stay where they are.
 */
#ifndef JOBS_RELAY_DISPATCHER_H
#define JOBS_RELAY_DISPATCHER_H

#include "kit/kafka/kafka.h"
#include "kit/loop/loop.h"

struct dispatcher;
struct jobs_env;

struct dispatcher_conf {
    int64_t poll_ms;  /* when nobody nudges */
    int64_t again_ms; /* a job still queued after this is sent again */
};

struct dispatcher *dispatcher_create(struct loop *l, const struct dispatcher_conf *conf,
                                     const struct jobs_env *env,
                                     struct kafka_producer *producer);
/* Before the producer. */
void dispatcher_destroy(struct dispatcher *d);
/* A job was queued just now; a struct dispatcher. */
void dispatcher_nudge(void *dispatcher);

#endif
