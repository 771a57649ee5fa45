// SPDX-License-Identifier: Apache-2.0
/*
 * The outbox relay: events that were committed with the rows they tell about go to Kafka,
 * at least once, in commit-visible order per key, and are marked published only by a
 * delivery report. One relay per database works at a time: the holder of a session
 * advisory lock, on a connection of its own; the others wait for it to die. States:
 * connecting -> waiting for the lock -> reading -> producing -> marking -> reading...; at
 * any death the unmarked rows are simply read again, and the receivers know an event by
 * its id.
 *
 * Table (each service's migration makes it):
 *   outbox(seq bigint generated always as identity primary key, id uuid not null unique,
 *          type text not null, key text not null, body bytea not null (msgpack),
 *          traceparent text, created_at timestamptz not null default now(),
 *          published_at timestamptz)
 *   with a partial index on (seq) where published_at is null.
 * Kafka: topic, key, value = body, headers: id, type, traceparent, created_at.
 */
#ifndef KIT_OUTBOX_OUTBOX_H
#define KIT_OUTBOX_OUTBOX_H

#include "kit/base/err.h"
#include "kit/kafka/kafka.h"
#include "kit/loop/loop.h"

struct outbox_relay;

struct outbox_conf {
    const char *conninfo;
    const char *topic; /* "viaduct.events" */
    int64_t poll_ms;   /* when idle and nobody nudges: 200 */
    unsigned batch;    /* rows per round: 500 */
    int64_t keep_ms;   /* published rows are deleted after this */
};

struct outbox_relay *outbox_relay_create(struct loop *l, const struct outbox_conf *conf,
                                         struct kafka_producer *producer);
void outbox_relay_destroy(struct outbox_relay *r);
/* Rows were just committed by this process: look now (coalesced). */
void outbox_relay_nudge(struct outbox_relay *r);

#endif
