// SPDX-License-Identifier: Apache-2.0
/* What GET /v1/users/{id}/overview answers: the one message that only the gateway knows.
 */
#ifndef GATEWAY_FLOWS_OVERVIEW_H
#define GATEWAY_FLOWS_OVERVIEW_H

#include "proto/jobs.h"
#include "proto/orders.h"
#include "proto/users.h"

#define OVERVIEW(F, T)                                                               \
    F(T, obj(user), user, OPTIONAL, 0, 0, "left out when it is not available")       \
    F(T, list(order), orders, OPTIONAL, 0, 100, "the newest, without their items")   \
    F(T, list(job), jobs, OPTIONAL, 0, 100, "the newest; only in your own overview") \
    F(T, flag, partial, REQUIRED, 0, 0, "something is missing, see unavailable")     \
    F(T, strs, unavailable, REQUIRED, 0, 3, "what is missing: user, orders, jobs")
WIRE_MESSAGE(overview_reply, OVERVIEW)

#endif
