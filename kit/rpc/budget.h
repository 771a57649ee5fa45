// SPDX-License-Identifier: Apache-2.0
/*
 * Retry budget: a token bucket that calls fill and retries empty, so that retries add at
 * most RPC_BUDGET_PERCENT to the load, or RPC_BUDGET_PER_SECOND when there is little of
 * it. (As Finagle and gRPC do, so that a failing service is not stormed.) Pure: the
 * caller gives the time. One thread.
 */
#ifndef KIT_RPC_BUDGET_H
#define KIT_RPC_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RPC_BUDGET_PERCENT = 20,
    RPC_BUDGET_PER_SECOND = 3,
    RPC_BUDGET_MAX = 500, /* retries that a busy time may leave for a bad moment */
};

struct rpc_budget {
    int64_t millitokens; /* a retry takes 1000 */
    int64_t filled_us;
};

void rpc_budget_init(struct rpc_budget *b, int64_t now_us);
/* A call was begun (not a retry). */
void rpc_budget_call(struct rpc_budget *b);
/* May one be made again now? */
bool rpc_budget_take(struct rpc_budget *b, int64_t now_us);

#endif
