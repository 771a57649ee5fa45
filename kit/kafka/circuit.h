// SPDX-License-Identifier: Apache-2.0
/*
 * The breaker in front of the producer (private to kit/kafka). librdkafka keeps a message
 * for minutes before it gives up, so what counts against the brokers is a message that
 * has no report after KAFKA_LATE_MS; its report, when it comes at last, counts no more.
 * What waits in librdkafka meanwhile is what was produced in those seconds; everything
 * later stays where it is safe, in outbox and ledger, until a probe has been persisted.
 */
#ifndef KIT_KAFKA_CIRCUIT_H
#define KIT_KAFKA_CIRCUIT_H

#include "kit/guard/breaker.h"
#include "kit/obs/metrics.h"

enum { KAFKA_LATE_MS = 5000 };

struct kafka_circuit {
    struct breaker breaker;
    enum breaker_state shown; /* as last given to the metric */
    struct metric *state;
};

/* Of one message, from kafka_circuit_enter to its end. */
struct kafka_pass {
    int64_t since_us;
    bool told; /* the breaker has its verdict */
};

void kafka_circuit_init(struct kafka_circuit *c);
void kafka_circuit_fini(struct kafka_circuit *c);

/* May a message be produced? true is followed by one of the next two. */
bool kafka_circuit_enter(struct kafka_circuit *c, struct kafka_pass *pass);
void kafka_circuit_report(struct kafka_circuit *c, struct kafka_pass *pass, bool ok);
/* It says nothing about the brokers. */
void kafka_circuit_forget(struct kafka_circuit *c, struct kafka_pass *pass);

/* Is it late? Tells the breaker, once. */
bool kafka_circuit_is_late(struct kafka_circuit *c, struct kafka_pass *pass);
/* Would a message be let through now? */
bool kafka_circuit_has_room(const struct kafka_circuit *c);
/* Time alone changes it too: to the metric. */
void kafka_circuit_show(struct kafka_circuit *c);

#endif
