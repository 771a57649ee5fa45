// SPDX-License-Identifier: Apache-2.0
/* What a job of each kind needs to know; the payload column holds it as msgpack. They
 * name people by id only: addresses stay in the users service. */
#ifndef JOBS_RULES_PAYLOADS_H
#define JOBS_RULES_PAYLOADS_H

#include "proto/jobs.h"

#define MAIL_TEMPLATE(V)       \
    V(MAIL_WELCOME, "welcome") \
    V(MAIL_ORDER_CONFIRMATION, "order_confirmation")
WIRE_ENUM(mail_template, MAIL_TEMPLATE)

#define EMAIL_PAYLOAD(F, T)                                           \
    F(T, enum(mail_template), template, REQUIRED, 0, 0, "which mail") \
    F(T, uuid, user_id, REQUIRED, 0, 0, "to whom")                    \
    F(T, uuid, order_id, OPTIONAL, 0, 0, "about which order")
WIRE_MESSAGE(email_payload, EMAIL_PAYLOAD)

/* A report's payload is its report_create. */

/* The message on viaduct.jobs.<kind>: the ledger has all the rest. */
#define JOB_READY(F, T) F(T, uuid, id, REQUIRED, 0, 0, "which job")
WIRE_MESSAGE(job_ready, JOB_READY)

enum { PAYLOAD_MAX_BYTES = 4096 };

/* Packs into the arena. */
struct str payload_pack(struct arena *a, const struct wire_msg *m, const void *in);

#endif
