// SPDX-License-Identifier: Apache-2.0
/*
 * Domain events: bodies of the outbox rows and of the messages on viaduct.events. They
 * name things and people by id; who needs more (an address, the lines of an order) asks
 * the service that owns it, so no personal data is kept in Kafka.
 */
#ifndef PROTO_EVENTS_H
#define PROTO_EVENTS_H

#include "proto/orders.h"

#define EVENTS_TOPIC "viaduct.events"

#define USER_REGISTERED(F, T) F(T, uuid, user_id, REQUIRED, 0, 0, "who")
WIRE_MESSAGE(user_registered, USER_REGISTERED)

#define ORDER_PLACED(F, T)                              \
    F(T, uuid, order_id, REQUIRED, 0, 0, "which order") \
    F(T, uuid, user_id, REQUIRED, 0, 0, "who ordered")
WIRE_MESSAGE(order_placed, ORDER_PLACED)

#define ORDER_MOVED(F, T)                               \
    F(T, uuid, order_id, REQUIRED, 0, 0, "which order") \
    F(T, enum(order_status), status, REQUIRED, 0, 0, "where it stands now")
WIRE_MESSAGE(order_moved, ORDER_MOVED)

/* The type names in outbox.type and in the message header `type`. */
#define EVENT_USER_REGISTERED "user.registered"
#define EVENT_ORDER_PLACED    "order.placed"
#define EVENT_ORDER_MOVED     "order.moved"

#endif
