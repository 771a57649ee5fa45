// SPDX-License-Identifier: Apache-2.0
/*
 * Replicas come and go while 64 clients never pause: 1 -> 3 -> 2 of the orders service,
 * then every service is restarted, one replica after the other. No request fails, and new
 * replicas get their share.
 */
#include "tests/faults/faults.h"
#include "tests/support/load/load.h"

#include "kit/base/clock.h"

#include <stdio.h>

enum { CLIENTS = 64, REPLICAS = 3, SOON_S = 30 };

/* By chance alone a share of so many varies by 2 % (one sigma, of three), so that a fifth
 * is never chance: neither that a fair sample misses it, nor that an unfair one keeps it.
 */
enum { SAMPLE = 5000, SAMPLES = 6 };

/* What a client asks for, by its number. */
enum { READ_ORDER, PLACE_ORDER, READ_USER, LIST_JOBS, ASKS };

static struct {
    struct faults faults;
    const char *token, *order, *body;
    unsigned long good;
    char bad[1000]; /* the first answer that is none */
} t;

/* ---- the load ------------------------------------------------------------------- */

static size_t next(void *arg, unsigned i, char *out, size_t room)
{
    const char *const paths[] = {t.order, "/v1/orders", "/v1/users/me",
                                 "/v1/jobs?limit=1"};
    bool places = i % ASKS == PLACE_ORDER;

    (void)arg;
    return load_write(out, room, places ? "POST" : "GET", paths[i % ASKS], t.token, NULL,
                      places ? t.body : NULL);
}

static void answered(void *arg, unsigned i, const struct load_answer *a)
{
    (void)arg;
    if (a->status == (i % ASKS == PLACE_ORDER ? 201 : 200))
        t.good++;
    else if (!t.bad[0])
        (void)snprintf(t.bad, sizeof t.bad, "client %u: %d %s", i, a->status, a->body);
}

/* ---- who answers ---------------------------------------------------------------- */

static double served(int replica)
{
    return stack_metric(stack_replica_admin(&t.faults.stack, STACK_ORDERS, replica),
                        "viaduct_hop_served_total{method=\"orders.");
}

static bool serves(void *arg)
{
    return served(*(const int *)arg) > 0;
}

/* Since `before`; their sum. */
static double served_since(const double *before, int replicas, double *now)
{
    double sum = 0;

    for (int i = 0; i < replicas; i++) {
        now[i] = served(i) - before[i];
        sum += now[i];
    }
    return sum;
}

static bool is_fair(const struct load *l, int replicas)
{
    double before[REPLICAS], now[REPLICAS], sum;
    bool fair = true;

    for (int i = 0; i < replicas; i++)
        before[i] = served(i);
    do
        load_go_on(l, CLIENTS);
    while ((sum = served_since(before, replicas, now)) < SAMPLE);
    for (int i = 0; i < replicas; i++)
        if (now[i] < 0.8 * sum / replicas || now[i] > 1.2 * sum / replicas) {
            (void)fprintf(stderr, "replica %d of %d answered %.0f of %.0f\n", i, replicas,
                          now[i], sum);
            fair = false;
        }
    return fair;
}

/* A replica that has just started is slower for a moment, and gets less. */
static void assert_fair(const struct load *l, int replicas)
{
    for (int i = 0; i < SAMPLES; i++)
        if (is_fair(l, replicas))
            return;
    cr_assert_fail("the shares stay further apart than 20 %%");
}

static void assert_well(const char *when)
{
    cr_assert(!t.bad[0], "%s: %s", when, t.bad);
}

/* ---- the changes ---------------------------------------------------------------- */

static void one_to_three_to_two(const struct load *l)
{
    for (int i = 1; i < REPLICAS; i++) {
        int64_t begun_us;

        stack_start_replica(&t.faults.stack, STACK_ORDERS, i);
        begun_us = clock_mono_us();
        wait_until(serves, &i, SOON_S, "traffic to a new replica");
        (void)fprintf(stderr, "traffic to replica %d within %lld ms\n", i,
                      (long long)(clock_mono_us() - begun_us) / 1000);
    }
    assert_fair(l, REPLICAS);
    assert_well("1 -> 3");
    stack_stop_replica(&t.faults.stack, STACK_ORDERS, REPLICAS - 1);
    assert_fair(l, REPLICAS - 1);
    assert_well("3 -> 2");
}

static void restart(const struct load *l, enum stack_part part, const char *service)
{
    for (int i = 0; i < 2; i++) {
        stack_stop_replica(&t.faults.stack, part, i);
        load_go_on(l, CLIENTS);
        stack_start_replica(&t.faults.stack, part, i);
        faults_wait_replicas(&t.faults, service, 2);
    }
    assert_well(service);
}

static void open_all(void)
{
    struct stack_conf conf = {
        .replicas = {[STACK_USERS] = 2, [STACK_ORDERS] = REPLICAS, [STACK_JOBS] = 2}};
    struct member m;
    const char *product;

    faults_open_with(&t.faults, conf);
    stack_start_replica(&t.faults.stack, STACK_USERS, 1);
    stack_start_replica(&t.faults.stack, STACK_JOBS, 1);
    faults_wait_replicas(&t.faults, "users", 2);
    faults_wait_replicas(&t.faults, "jobs", 2);
    m = api_member(&t.faults.api);
    product = faults_product(&t.faults, 1000000000);
    t.token = m.token;
    t.body = api_text(&t.faults.api,
                      "{\"items\":[{\"product_id\":\"%s\",\"quantity\":1}]}", product);
    t.order = api_text(&t.faults.api, "/v1/orders/%s",
                       faults_order(&t.faults.api, m.token, product));
}

Test(replicas_change, under_load_and_no_request_fails)
{
    struct load_conf conf = {.connections = CLIENTS, .next = next, .answered = answered};
    struct load *l;

    open_all();
    conf.port = t.faults.stack.gateway_port;
    l = load_start(&conf);
    load_go_on(l, CLIENTS);
    one_to_three_to_two(l);
    restart(l, STACK_USERS, "users");
    restart(l, STACK_ORDERS, "orders");
    restart(l, STACK_JOBS, "jobs");
    load_stop(l);
    assert_well("at the end");
    (void)fprintf(stderr, "%lu answers\n", t.good);
    faults_close(&t.faults);
}
