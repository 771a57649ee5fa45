// SPDX-License-Identifier: Apache-2.0
#include "kit/rpc/budget.h"

#include <criterion/criterion.h>

enum { SECOND = 1000000 };

static int take_all(struct rpc_budget *b, int64_t now_us)
{
    int n = 0;

    while (n < 100000 && rpc_budget_take(b, now_us))
        n++;
    return n;
}

Test(rpc_budget, a_fresh_one_allows_a_second_of_retries)
{
    struct rpc_budget b;

    rpc_budget_init(&b, 0);
    cr_assert_eq(take_all(&b, 0), 3);
}

Test(rpc_budget, calls_earn_a_fifth_of_a_retry_each)
{
    struct rpc_budget b;

    rpc_budget_init(&b, 0);
    take_all(&b, 0);
    for (int i = 0; i < 100; i++)
        rpc_budget_call(&b);
    cr_assert_eq(take_all(&b, 0), 20);
}

Test(rpc_budget, time_alone_earns_three_a_second)
{
    struct rpc_budget b;
    int retries = 0;

    rpc_budget_init(&b, 0);
    take_all(&b, 0);
    for (int64_t now = 0; now <= 10 * SECOND; now += SECOND / 10)
        retries += take_all(&b, now);
    cr_assert_eq(retries, 30);
}

Test(rpc_budget, idle_time_is_not_saved_up)
{
    struct rpc_budget b;

    rpc_budget_init(&b, 0);
    cr_assert_eq(take_all(&b, INT64_C(3600) * SECOND), 3);
}

Test(rpc_budget, a_storm_adds_no_more_than_a_fifth)
{
    struct rpc_budget b;
    int retries = 0;

    rpc_budget_init(&b, 0);
    take_all(&b, 0);
    for (int i = 0; i < 10000; i++) { /* 1000 calls a second, all of them failing */
        rpc_budget_call(&b);
        retries += rpc_budget_take(&b, i * INT64_C(1000));
    }
    cr_assert_leq(retries, 2000 + 30);
    cr_assert_geq(retries, 2000);
}

Test(rpc_budget, busy_times_save_up_to_a_cap)
{
    struct rpc_budget b;

    rpc_budget_init(&b, 0);
    for (int i = 0; i < 100000; i++)
        rpc_budget_call(&b);
    cr_assert_eq(take_all(&b, 0), RPC_BUDGET_MAX);
}
