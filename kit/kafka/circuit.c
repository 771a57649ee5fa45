// SPDX-License-Identifier: Apache-2.0
/* The producer's breaker and its metric. */
#include "kit/kafka/circuit.h"

#include "kit/base/clock.h"
#include "kit/base/log.h"

/* One message that is late is enough: the relay may have no more than that under way. */
static const struct breaker_conf circuit_conf = {
    .window_ms = 10000,
    .min_calls = 1,
    .failure_ratio = 0.5,
    .slow_ratio = 1.1, /* a slow message is one that is late */
    .slow_ms = 1000,
    .dead_ms = KAFKA_LATE_MS,
    .open_ms = 500,
    .open_max_ms = 5000,
    .probes = 3,
};

void kafka_circuit_show(struct kafka_circuit *c)
{
    enum breaker_state now = breaker_state(&c->breaker, clock_mono_us());

    if (now == c->shown)
        return;
    LOG_WARN(NULL, "kafka.breaker", KV("from", breaker_state_name(c->shown)),
             KV("to", breaker_state_name(now)));
    metric_add(c->state, (int64_t)now - (int64_t)c->shown);
    c->shown = now;
}

void kafka_circuit_init(struct kafka_circuit *c)
{
    breaker_init(&c->breaker, &circuit_conf, clock_mono_us());
    c->shown = BREAKER_CLOSED;
    c->state = metrics_gauge("viaduct_breaker_state", "0 closed, 1 half open, 2 open",
                             "target", "kafka", NULL);
}

void kafka_circuit_fini(struct kafka_circuit *c)
{
    metric_add(c->state, -(int64_t)c->shown);
}

bool kafka_circuit_enter(struct kafka_circuit *c, struct kafka_pass *pass)
{
    int64_t now_us = clock_mono_us();
    bool yes = breaker_allow(&c->breaker, now_us);

    *pass = (struct kafka_pass){.since_us = now_us};
    kafka_circuit_show(c);
    return yes;
}

void kafka_circuit_report(struct kafka_circuit *c, struct kafka_pass *pass, bool ok)
{
    int64_t now_us = clock_mono_us();

    if (pass->told)
        return;
    pass->told = true;
    breaker_report(&c->breaker, now_us, !ok, now_us - pass->since_us);
    kafka_circuit_show(c);
}

void kafka_circuit_forget(struct kafka_circuit *c, struct kafka_pass *pass)
{
    if (!pass->told)
        breaker_forget(&c->breaker, clock_mono_us());
    pass->told = true;
}

bool kafka_circuit_is_late(struct kafka_circuit *c, struct kafka_pass *pass)
{
    if (clock_mono_us() - pass->since_us < KAFKA_LATE_MS * INT64_C(1000))
        return false;
    kafka_circuit_report(c, pass, false);
    return true;
}

bool kafka_circuit_has_room(const struct kafka_circuit *c)
{
    return breaker_retry_after_ms(&c->breaker, clock_mono_us()) == 0;
}
