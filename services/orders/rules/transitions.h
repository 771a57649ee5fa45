// SPDX-License-Identifier: Apache-2.0
/* What an order may do, by status: one table, no I/O. */
#ifndef ORDERS_RULES_TRANSITIONS_H
#define ORDERS_RULES_TRANSITIONS_H

#include "proto/orders.h"
#include "proto/roles.h"

enum order_action { ORDER_PAY, ORDER_SHIP, ORDER_DELIVER, ORDER_CANCEL, ORDER_REFUND };

struct transition {
    const char *name; /* "pay" */
    enum order_status from[2];
    size_t n_from;
    enum order_status to;
    bool restock;             /* its pieces go back to the stock */
    bool by_owner;            /* who placed it may do this */
    enum permission by_right; /* who has this may do it to anybody's; PERM_NONE: nobody */
};

const struct transition *transition_of(enum order_action a);
bool transition_allowed(const struct transition *t, enum order_status from);

#endif
