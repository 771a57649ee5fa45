// SPDX-License-Identifier: Apache-2.0
/*
 * What can be called over the hop: one row per method, made from proto's method tables.
 * Method numbers are part of the protocol: never reused, never renumbered.
 */
#ifndef KIT_WIRE_METHOD_H
#define KIT_WIRE_METHOD_H

#include "kit/wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

struct rpc_method {
    uint16_t id;
    const char *name;    /* "orders.create": logs, metrics */
    const char *service; /* "orders": the upstream that has it */
    const struct wire_msg *in, *out;
    bool idempotent;     /* may be sent again when its outcome is unknown */
    uint32_t timeout_ms; /* at most; the flow's own deadline may be nearer */
};

/* #define USERS_METHODS(M) M(0x0101, USERS_GET, "users.get", user_ref, user, true, 2000)
 */
#define RPC_METHOD_DECLARE(num, symbol, nam, req, rep, again, ms) \
    extern const struct rpc_method symbol;
#define RPC_METHOD_DEFINE(svc, num, symbol, nam, req, rep, again, ms) \
    const struct rpc_method symbol = {num, nam, svc, &req##_msg, &rep##_msg, again, ms};

#endif
