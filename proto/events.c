// SPDX-License-Identifier: Apache-2.0
/* The tables of proto/events.h as data. */
#include "proto/events.h"

WIRE_DEFINE(user_registered, USER_REGISTERED)
WIRE_DEFINE(order_placed, ORDER_PLACED)
WIRE_DEFINE(order_moved, ORDER_MOVED)
