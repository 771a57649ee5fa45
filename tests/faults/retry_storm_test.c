// SPDX-License-Identifier: Apache-2.0
/* The database dies under three replicas, so all of them fail: what the gateway sends in
 * its clients' name is at most a fifth more than they asked for, and when the database is
 * back so is the service. */
#include "tests/faults/faults.h"
#include "tests/support/load/load.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { CLIENTS = 32, REPLICAS = 3, OUTAGE_S = 10 };

static struct {
    struct faults faults;
    const char *token, *path;
    atomic_ulong asked, ok, refused, odd;
} t;

static size_t next(void *arg, unsigned i, char *out, size_t room)
{
    (void)arg;
    (void)i;
    atomic_fetch_add(&t.asked, 1);
    return load_write(out, room, "GET", t.path, t.token, NULL, NULL);
}

static void answered(void *arg, unsigned i, const struct load_answer *a)
{
    (void)arg;
    (void)i;
    atomic_fetch_add(a->status == 200                       ? &t.ok
                     : a->status == 503 || a->status == 504 ? &t.refused
                                                            : &t.odd,
                     1);
}

static double called(void)
{
    double sum = 0;

    for (int i = 0; i < REPLICAS; i++)
        sum += stack_metric(stack_replica_admin(&t.faults.stack, STACK_ORDERS, i),
                            "viaduct_hop_served_total{method=\"orders.get\"");
    return sum;
}

static bool all_well(void *load)
{
    unsigned long refused = atomic_load(&t.refused);

    load_go_on(load, CLIENTS);
    return atomic_load(&t.refused) == refused;
}

Test(retry_storm, does_not_happen)
{
    struct load_conf conf = {.connections = CLIENTS, .next = next, .answered = answered};
    struct member m;
    struct load *l;
    double asked, sent;

    faults_open_with(&t.faults,
                     (struct stack_conf){.replicas = {[STACK_ORDERS] = REPLICAS}});
    for (int i = 1; i < REPLICAS; i++)
        stack_start_replica(&t.faults.stack, STACK_ORDERS, i);
    faults_wait_replicas(&t.faults, "orders", REPLICAS);
    m = api_member(&t.faults.api);
    t.token = m.token;
    t.path = api_text(&t.faults.api, "/v1/orders/%s",
                      faults_order(&t.faults.api, m.token, faults_product(&t.faults, 1)));
    conf.port = t.faults.stack.gateway_port;
    l = load_start(&conf);
    load_go_on(l, CLIENTS);
    faults_server("stop", "postgres");
    sent = called();
    asked = (double)atomic_load(&t.asked);
    (void)sleep(OUTAGE_S); /* as long as the outage is */
    asked = (double)atomic_load(&t.asked) - asked;
    sent = called() - sent;
    (void)fprintf(stderr, "asked %.0f, sent %.0f (%.2f)\n", asked, sent, sent / asked);
    cr_assert_leq(sent, 1.2 * asked + CLIENTS);
    faults_server("start", "postgres");
    wait_until(all_well, l, 60, "the service to be back");
    load_stop(l);
    cr_assert_eq(t.odd, 0);
    faults_close(&t.faults);
}
