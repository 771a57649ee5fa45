// SPDX-License-Identifier: Apache-2.0
/*
 * One round of the relay: rows on their way to Kafka, and which of them arrived (private
 * to kit/outbox). A round outlives its relay when reports are still to come.
 */
#ifndef KIT_OUTBOX_ROUND_H
#define KIT_OUTBOX_ROUND_H

#include <stdbool.h>
#include <stdint.h>

struct round;

/* finished(owner, r) comes once, in the loop, when every row that was sent has its report
 * and round_sealed() was called. */
struct round *round_create(unsigned rows_max,
                           void (*finished)(void *owner, struct round *r), void *owner);
void round_destroy(struct round *r);
/* The relay is going: frees itself after the last report, and tells nobody. */
void round_abandon(struct round *r);

/* A row leaves; its token is the argument of round_report. */
void *round_row(struct round *r, int64_t seq);
/* kafka_produce() refused it. */
void round_row_back(struct round *r);
void round_report(void *token, bool ok);
/* No more rows will be added. */
void round_sealed(struct round *r);

unsigned round_sent(const struct round *r);
/* The rows that are in Kafka. */
const int64_t *round_persisted(const struct round *r, unsigned *n);

#endif
