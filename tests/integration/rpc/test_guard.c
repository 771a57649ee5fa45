// SPDX-License-Identifier: Apache-2.0
/* What stands before a call: limit, zones, a second try beside the first. */
#include "kit/base/clock.h"
#include "kit/obs/metrics.h"
#include "tests/support/rpc/rig.h"

#include <criterion/criterion.h>
#include <stdio.h>

static bool up_are(void *n)
{
    return metric_value(metrics_gauge("viaduct_hop_replicas", "", "upstream", "rig",
                                      "state", "up", NULL)) == *(int *)n;
}

static void wait_up(int n)
{
    cr_assert(rig_until(up_are, &n));
}

static bool all_begun(void *n)
{
    return atomic_load(&rig_counts->begun) >= *(unsigned *)n;
}

struct pair {
    struct rig_server *a, *b;
};

/* Two servers, `a` in zone east and `b` in west; both have connected. */
static struct pair connect_two(const struct rpc_client_conf *conf)
{
    struct pair p;
    char urls[400];

    rig_init();
    p.a = rig_server_start(&(struct rig_conf){.url = rig_ipc("a"), .zone = "east"});
    p.b = rig_server_start(&(struct rig_conf){.url = rig_ipc("b"), .zone = "west"});
    snprintf(urls, sizeof urls, "%s,%s", rig_server_url(p.a), rig_server_url(p.b));
    rig_connect_as(urls, conf);
    wait_up(2);
    return p;
}

static void end_two(struct pair p)
{
    rig_disconnect();
    rig_server_stop(p.a);
    rig_server_stop(p.b);
}

/* ---- zones ------------------------------------------------------------------ */

Test(rpc_guard, the_near_zone_has_all_calls)
{
    enum { N = 40 };
    static struct rig_outcome o[N];
    struct pair p = connect_two(&(struct rpc_client_conf){.zone = "west"});
    unsigned all = N;

    for (int i = 0; i < N; i++)
        rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .number = 60000}, &o[i]);
    cr_assert(rig_until(all_begun, &all));
    cr_assert_eq(rig_server_in_flight(p.a), 0u);
    cr_assert_eq(rig_server_in_flight(p.b), (unsigned)N);
    end_two(p);
}

Test(rpc_guard, without_a_zone_of_our_own_all_are_near)
{
    enum { N = 40 };
    static struct rig_outcome o[N];
    struct pair p = connect_two(&(struct rpc_client_conf){.zone = ""});
    unsigned all = N;

    for (int i = 0; i < N; i++)
        rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .number = 60000}, &o[i]);
    cr_assert(rig_until(all_begun, &all));
    cr_assert_eq(rig_server_in_flight(p.a), (unsigned)N / 2);
    cr_assert_eq(rig_server_in_flight(p.b), (unsigned)N / 2);
    end_two(p);
}

Test(rpc_guard, the_far_zone_takes_over_when_the_near_one_drains)
{
    struct pair p = connect_two(&(struct rpc_client_conf){.zone = "west"});
    struct rig_outcome o;

    rig_server_drain(p.b);
    wait_up(1);
    for (int i = 0; i < 20; i++) {
        rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = "far"}, &o);
        cr_assert_str_eq(o.text, "far");
    }
    end_two(p);
}

/* ---- the limit -------------------------------------------------------------- */

static const struct rpc_client_conf TEN = {.in_flight = 10};

static unsigned fill(struct rig_outcome *o, int n, enum priority priority)
{
    unsigned refused = 0;

    for (int i = 0; i < n; i++) {
        rig_begin(&(struct rig_call){.method = &RIG_SLEEP,
                                     .number = 60000,
                                     .priority = priority},
                  &o[i]);
        if (o[i].ended) {
            cr_assert_eq(o[i].code, &ERR_CODE_SHED);
            cr_assert_gt(o[i].retry_after_ms, 0);
            refused++;
        }
    }
    return refused;
}

Test(rpc_guard, beyond_the_limit_bulk_is_refused_first_and_the_vital_last)
{
    static struct rig_outcome o[60];
    struct rig_server *s;

    rig_init();
    s = rig_server_start(&(struct rig_conf){.url = rig_ipc("limit")});
    rig_connect_as(rig_server_url(s), &TEN);
    cr_assert_eq(fill(o, 20, PRIORITY_BULK), 13u);
    cr_assert_eq(fill(o + 20, 20, PRIORITY_NORMAL), 18u);
    cr_assert_eq(fill(o + 40, 20, PRIORITY_VITAL), 19u);
    rig_disconnect();
    rig_server_stop(s);
}

Test(rpc_guard, room_comes_back_with_every_end)
{
    struct rig_server *s;
    struct rig_outcome o;

    rig_init();
    s = rig_server_start(&(struct rig_conf){.url = rig_ipc("limit")});
    rig_connect_as(rig_server_url(s), &TEN);
    for (int i = 0; i < 50; i++) {
        rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = "ok"}, &o);
        cr_assert_null(o.code);
        rig_do(&(struct rig_call){.method = &RIG_FAIL}, &o);
        cr_assert_eq(o.code, &RIG_OUT_OF_STOCK);
        rig_do(&(struct rig_call){.method = &RIG_SLEEP, .number = 9000, .timeout_ms = 1},
               &o);
        cr_assert_eq(o.code, &ERR_CODE_DEADLINE);
    }
    rig_disconnect();
    rig_server_stop(s);
}

static double limit_of(const char *service)
{
    return (double)metric_value(
        metrics_gauge("viaduct_hop_limit", "", "upstream", service, NULL));
}

/* Rounds of the same method, so that it is known how long that takes: by this machine as
 * it is, on average. */
static int64_t sleep_rounds(int rounds, int n, int64_t ms)
{
    static struct rig_outcome o[60];
    int64_t begun_us = clock_mono_us();

    for (int i = 0; i < rounds; i++) {
        for (int j = 0; j < n; j++)
            rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .number = ms}, &o[j]);
        cr_assert(rig_until(rig_all_ended, NULL));
    }
    return (clock_mono_us() - begun_us) / 1000 / rounds;
}

static bool limit_is(void *arg)
{
    return limit_of("rig") == *(double *)arg;
}

/* Of another service, which nobody serves. */
static const struct rpc_method OTHER = {
    0x0a01, "other.echo", "other", &rig_text_msg, &rig_text_msg, true, 1000};

Test(rpc_guard, a_full_upstream_leaves_the_others_their_slots)
{
    static struct rig_outcome o[20];
    struct rig_server *s;
    struct arena a;

    rig_init();
    arena_init(&a);
    s = rig_server_start(&(struct rig_conf){.url = rig_ipc("limit")});
    rig_connect_as(rig_server_url(s), &TEN);
    cr_assert_null(rpc_client_add(rig_client, &a, "other", "tcp://127.0.0.1:1"));
    fill(o, 20, PRIORITY_NORMAL);
    rig_begin(&(struct rig_call){.method = &OTHER}, &o[0]);
    cr_assert_eq(o[0].code, &ERR_CODE_UNAVAILABLE, "not shed: it has its own limit");
    rig_disconnect();
    rig_server_stop(s);
    arena_fini(&a);
}

Test(rpc_guard, a_service_that_slows_down_falls_to_the_floor_and_no_other_with_it)
{
    static struct rig_outcome o[60];
    const struct rpc_client_conf conf = {.in_flight = 60, .in_flight_min = 16};
    struct rig_server *s;
    struct arena a;
    double floor = 16;
    int64_t usual_ms;

    rig_init();
    arena_init(&a);
    s = rig_server_start(&(struct rig_conf){.url = rig_ipc("limit")});
    rig_connect_as(rig_server_url(s), &conf);
    cr_assert_null(rpc_client_add(rig_client, &a, "other", "tcp://127.0.0.1:1"));
    usual_ms = sleep_rounds(75, 12, 20); /* more than ten windows: that is known */
    for (int i = 0; i < 60 && !limit_is(&floor); i++)
        sleep_rounds(1, 12, 100 + 4 * usual_ms);
    /* the gauge tells whole calls, and a part of one lets one in */
    sleep_rounds(4, 12, 100 + 4 * usual_ms);
    cr_assert(rig_until(limit_is, &floor), "it is %f", limit_of("rig"));
    cr_assert_eq(limit_of("other"), 60);
    cr_assert_eq(fill(o, 50, PRIORITY_VITAL), 34u);
    rig_begin(&(struct rig_call){.method = &OTHER}, &o[0]);
    cr_assert_eq(o[0].code, &ERR_CODE_UNAVAILABLE, "not shed: it has its own limit");
    rig_disconnect();
    rig_server_stop(s);
    arena_fini(&a);
}

/* ---- hedging ---------------------------------------------------------------- */

static int64_t hedges(void)
{
    return metric_value(
        metrics_counter("viaduct_hop_hedges_total", "", "upstream", "rig", NULL));
}

static bool hedged(void *n)
{
    return hedges() >= *(int *)n;
}

static const struct rpc_client_conf HEDGING = {.hedge_ms = 5};

Test(rpc_guard, a_slow_read_is_asked_twice_and_answered_once)
{
    struct pair p = connect_two(&HEDGING);
    struct rig_outcome o;
    unsigned both = 2;

    rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .text = "one", .number = 2000},
              &o);
    cr_assert(rig_until(all_begun, &both));
    cr_assert(rig_until(rig_all_ended, NULL));
    cr_assert_str_eq(o.text, "one");
    cr_assert_eq(hedges(), 1);
    cr_assert_eq(atomic_load(&rig_counts->begun), both);
    end_two(p);
}

Test(rpc_guard, a_slow_write_is_never_asked_twice)
{
    struct pair p = connect_two(&HEDGING);
    struct rig_outcome o;

    rig_do(&(struct rig_call){.method = &RIG_WORK, .text = "one", .number = 100}, &o);
    cr_assert_str_eq(o.text, "one");
    cr_assert_eq(hedges(), 0);
    cr_assert_eq(atomic_load(&rig_counts->begun), 1u);
    end_two(p);
}

Test(rpc_guard, hedging_stays_within_the_retry_budget)
{
    enum { N = 50 };
    static struct rig_outcome o[N];
    struct pair p = connect_two(&HEDGING);
    int64_t begun_us = clock_mono_us(), seconds;

    for (int i = 0; i < N; i++)
        rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .number = 300}, &o[i]);
    cr_assert(rig_until(rig_all_ended, NULL));
    seconds = (clock_mono_us() - begun_us) / 1000000 + 1; /* each brings three more */
    cr_assert_leq(hedges(), 3 + N / 5 + 3 * seconds);
    for (int i = 0; i < N; i++)
        cr_assert_null(o[i].code);
    end_two(p);
}

Test(rpc_guard, a_hedged_call_survives_the_loss_of_either_try)
{
    struct pair p = connect_two(&HEDGING);
    struct rig_outcome o;
    int one = 1;

    rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .text = "on", .number = 500}, &o);
    cr_assert(rig_until(hedged, &one));
    rig_server_stop(p.a);
    cr_assert(rig_until(rig_all_ended, NULL));
    cr_assert_null(o.code);
    cr_assert_str_eq(o.text, "on");
    rig_disconnect();
    rig_server_stop(p.b);
}

Test(rpc_guard, a_hedged_call_can_be_given_up)
{
    struct pair p = connect_two(&HEDGING);
    struct rig_outcome o;
    int one = 1;

    rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .number = 60000}, &o);
    cr_assert(rig_until(hedged, &one));
    flow_cancel(o.flow, ERR_STATIC(CANCELLED));
    cr_assert(o.ended);
    rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .number = 60000}, &o);
    one = 2;
    cr_assert(rig_until(hedged, &one));
    end_two(p); /* with both tries out */
}
