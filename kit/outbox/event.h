// SPDX-License-Identifier: Apache-2.0
/* The parameters of a statement that writes an outbox row: id, type, body, traceparent.
 */
#ifndef KIT_OUTBOX_EVENT_H
#define KIT_OUTBOX_EVENT_H

#include "kit/flow/flow.h"
#include "kit/pg/pg.h"

void outbox_params(struct flow *f, struct pg_query *q, const char *type,
                   const struct wire_msg *m, const void *event);

#endif
