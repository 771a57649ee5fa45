// SPDX-License-Identifier: Apache-2.0
/* First steps of what can be done with orders; f->in and f->out are the method's
 * messages. */
#ifndef ORDERS_RULES_ORDERS_H
#define ORDERS_RULES_ORDERS_H

#include "kit/flow/flow.h"

enum step order_create(struct flow *f);
enum step order_get(struct flow *f);
enum step order_list(struct flow *f);
enum step order_period(struct flow *f);
enum step order_pay(struct flow *f);
enum step order_ship(struct flow *f);
enum step order_deliver(struct flow *f);
enum step order_cancel(struct flow *f);
enum step order_refund(struct flow *f);

#endif
