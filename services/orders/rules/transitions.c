// SPDX-License-Identifier: Apache-2.0
/* The transition table. */
#include "orders/rules/transitions.h"

static const struct transition transitions[] = {
    [ORDER_PAY] =
        {"pay", {ORDER_PENDING}, 1, ORDER_PAID, false, true, PERM_ORDERS_FULFIL},
    [ORDER_SHIP] =
        {"ship", {ORDER_PAID}, 1, ORDER_SHIPPED, false, false, PERM_ORDERS_FULFIL},
    [ORDER_DELIVER] = {"deliver",
                       {ORDER_SHIPPED},
                       1,
                       ORDER_DELIVERED,
                       false,
                       false,
                       PERM_ORDERS_FULFIL},
    [ORDER_CANCEL] =
        {"cancel", {ORDER_PENDING}, 1, ORDER_CANCELLED, true, true, PERM_ORDERS_FULFIL},
    [ORDER_REFUND] = {"refund",
                      {ORDER_PAID, ORDER_DELIVERED},
                      2,
                      ORDER_REFUNDED,
                      false,
                      false,
                      PERM_ORDERS_FULFIL},
};

const struct transition *transition_of(enum order_action a)
{
    return &transitions[a];
}

bool transition_allowed(const struct transition *t, enum order_status from)
{
    for (size_t i = 0; i < t->n_from; i++)
        if (t->from[i] == from)
            return true;
    return false;
}
