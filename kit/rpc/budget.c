// SPDX-License-Identifier: Apache-2.0
/* The retry budget's arithmetic, in thousandths of a retry. */
#include "kit/rpc/budget.h"

enum { RETRY = 1000, FULL = RPC_BUDGET_MAX * RETRY };

static void add(struct rpc_budget *b, int64_t millitokens)
{
    b->millitokens += millitokens;
    if (b->millitokens > FULL)
        b->millitokens = FULL;
}

void rpc_budget_init(struct rpc_budget *b, int64_t now_us)
{
    *b = (struct rpc_budget){RPC_BUDGET_PER_SECOND * RETRY, now_us};
}

void rpc_budget_call(struct rpc_budget *b)
{
    add(b, RETRY * RPC_BUDGET_PERCENT / 100);
}

/* The time's share is only for when calls are few: it fills no further than one second's.
 */
static void refill(struct rpc_budget *b, int64_t now_us)
{
    int64_t most = RPC_BUDGET_PER_SECOND * RETRY;
    int64_t earned = (now_us - b->filled_us) * RPC_BUDGET_PER_SECOND / 1000;

    if (earned <= 0)
        return;
    b->filled_us = now_us;
    if (b->millitokens >= most)
        return;
    add(b, earned < most - b->millitokens ? earned : most - b->millitokens);
}

bool rpc_budget_take(struct rpc_budget *b, int64_t now_us)
{
    refill(b, now_us);
    if (b->millitokens < RETRY)
        return false;
    b->millitokens -= RETRY;
    return true;
}
