// SPDX-License-Identifier: Apache-2.0
/* What the orders service answers: method by method. */
#ifndef ORDERS_API_HANDLERS_H
#define ORDERS_API_HANDLERS_H

#include "kit/rpc/server.h"

extern const struct rpc_handler orders_handlers[];

/* orders.export, a stream; the others are steps of the rules. */
enum step order_export(struct flow *f);

#endif
