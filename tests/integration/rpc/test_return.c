// SPDX-License-Identifier: Apache-2.0
/* A replica that answered nothing for a while, and is back: it is used again, as the
 * others are. */
#include "kit/guard/breaker.h"
#include "kit/obs/metrics.h"
#include "tests/support/port/port.h"
#include "tests/support/proxy/proxy.h"
#include "tests/support/rpc/rig.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* A call tells of silence from a second on. FEW: of two random ones of three, thrice one.
 */
enum { REPLICAS = 3, LOST = 2, CALLS = 60, FEW = 100, DEADLINE_MS = 1500 };

static struct {
    struct rig_server *servers[REPLICAS];
    struct proxy *proxies[REPLICAS];
    char urls[REPLICAS][60];
} t;

static int64_t breaker(int replica)
{
    char target[80];

    (void)snprintf(target, sizeof target, "rig@%s", t.urls[replica]);
    return metric_value(
        metrics_gauge("viaduct_breaker_state", "", "target", target, NULL));
}

static bool all_are_up(void *unused)
{
    (void)unused;
    return metric_value(metrics_gauge("viaduct_hop_replicas", "", "upstream", "rig",
                                      "state", "up", NULL)) == REPLICAS;
}

static void open_all(void)
{
    char all[200], at[60];
    size_t n = 0;

    rig_init();
    for (int i = 0; i < REPLICAS; i++) {
        int port = free_port();

        (void)snprintf(at, sizeof at, "tcp://127.0.0.1:%d", port);
        t.servers[i] = rig_server_start(&(struct rig_conf){.url = at});
        t.proxies[i] = proxy_start(port);
        (void)snprintf(t.urls[i], sizeof t.urls[i], "tcp://127.0.0.1:%d",
                       proxy_port(t.proxies[i]));
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? "," : "", t.urls[i]);
    }
    rig_connect(all);
    cr_assert(rig_until(all_are_up, NULL));
}

static void close_all(void)
{
    rig_disconnect();
    for (int i = 0; i < REPLICAS; i++) {
        rig_server_stop(t.servers[i]);
        proxy_stop(t.proxies[i]);
    }
}

/* ---- calls ------------------------------------------------------------------ */

static struct rig_outcome outcomes[CALLS];

static void begin_calls(int64_t number, int64_t timeout_ms)
{
    for (int i = 0; i < CALLS; i++)
        rig_begin(&(struct rig_call){.method = &RIG_SLEEP,
                                     .number = number,
                                     .timeout_ms = timeout_ms},
                  &outcomes[i]);
}

static void do_calls(int64_t number, int64_t timeout_ms)
{
    begin_calls(number, timeout_ms);
    cr_assert(rig_until(rig_all_ended, NULL));
}

static bool all_begun(void *n)
{
    return atomic_load(&rig_counts->begun) >= *(unsigned *)n;
}

static bool is_half_open(void *replica)
{
    return breaker(*(int *)replica) == BREAKER_HALF_OPEN;
}

/* Until its breaker has opened, and then lets probes through. */
static void fall_silent(int replica)
{
    for (int i = 0; i < 10; i++)
        do_calls(1, 0);
    proxy_lose_all(t.proxies[replica], true);
    do_calls(1, DEADLINE_MS);
    cr_assert_neq(breaker(replica), BREAKER_CLOSED);
    cr_assert(rig_until(is_half_open, &replica));
}

static void lose_one(int replica)
{
    fall_silent(replica);
    proxy_lose_all(t.proxies[replica], false);
    cr_assert(rig_until(all_are_up, NULL));
}

/* One at a time: the others are never busy. */
static void call_until_well(int replica)
{
    for (int i = 0; i < FEW && breaker(replica) != BREAKER_CLOSED; i++)
        rig_do(&(struct rig_call){.method = &RIG_ECHO}, &outcomes[0]);
    cr_assert_eq(breaker(replica), BREAKER_CLOSED, "still: %lld",
                 (long long)breaker(replica));
}

/* A call a look: until it has been heard there is no probe. */
static bool called_until_well(void *unused)
{
    static struct rig_outcome o;

    (void)unused;
    if (rig_running == 0)
        rig_begin(&(struct rig_call){.method = &RIG_ECHO}, &o);
    return breaker(LOST) == BREAKER_CLOSED;
}

/* ---- the cases -------------------------------------------------------------- */

Test(rpc_return, a_replica_that_is_well_again_has_its_share_at_once)
{
    unsigned all;

    open_all();
    lose_one(LOST);
    call_until_well(LOST);
    all = atomic_load(&rig_counts->begun) + CALLS;
    begin_calls(60000, 0);
    cr_assert(rig_until(all_begun, &all));
    cr_assert_geq(rig_server_in_flight(t.servers[LOST]), (unsigned)CALLS / REPLICAS / 2);
    close_all();
}

/* Else the ones that opened first leave all calls to the last one, for a deadline more.
 */
Test(rpc_return, when_all_fall_silent_one_deadline_is_enough_to_know)
{
    open_all();
    lose_one(LOST);
    call_until_well(LOST);
    for (int i = 0; i < REPLICAS; i++)
        proxy_lose_all(t.proxies[i], true);
    do_calls(1, DEADLINE_MS);
    for (int i = 0; i < REPLICAS; i++)
        cr_assert_neq(breaker(i), BREAKER_CLOSED, "replica %d", i);
    close_all();
}

Test(rpc_return, no_call_is_the_price_of_finding_one_still_silent)
{
    open_all();
    fall_silent(LOST);
    for (int i = 0; i < FEW; i++) {
        rig_do(&(struct rig_call){.method = &RIG_ECHO, .timeout_ms = DEADLINE_MS},
               &outcomes[0]);
        cr_assert_null(outcomes[0].code, "call %d: %s", i, outcomes[0].code->name);
    }
    close_all();
}

/* Its connection lives on, as after a pause of its process: a PING tells. */
Test(rpc_return, one_that_speaks_again_on_its_connection_is_probed)
{
    open_all();
    for (int i = 0; i < 10; i++)
        do_calls(1, 0);
    proxy_delay(t.proxies[LOST], 60000);
    do_calls(1, DEADLINE_MS);
    cr_assert_neq(breaker(LOST), BREAKER_CLOSED);
    proxy_delay(t.proxies[LOST], 0);
    cr_assert(rig_until(is_half_open, &(int){LOST}));
    cr_assert(rig_until(called_until_well, NULL));
    close_all();
}
