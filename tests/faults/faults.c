// SPDX-License-Identifier: Apache-2.0
/* Servers and stack of the fault tests. */
#include "tests/faults/faults.h"

#include "kit/base/id.h"
#include "tests/support/stack/db.h"

#include <stdio.h>
#include <stdlib.h>

static void run(const char *command)
{
    int status = system(command); /* fixed words and our own paths only */

    cr_assert_eq(status, 0, "%s: %d", command, status);
}

void faults_server(const char *action, const char *server)
{
    char command[512];

    (void)snprintf(command, sizeof command, "%s/tools/dev/servers.sh %s %s %s",
                   getenv("VIADUCT_SOURCE"), action, server,
                   getenv("VIADUCT_FAULT_SERVERS"));
    run(command);
}

void faults_open(struct faults *t)
{
    faults_open_with(t, (struct stack_conf){0});
}

void faults_open_with(struct faults *t, struct stack_conf conf)
{
    char path[600];

    conf.logs = getenv("VIADUCT_FAULT_LOGS");

    faults_server("wipe", "all");
    faults_server("start", "all");
    (void)snprintf(path, sizeof path, "%s/.dev/state/%s/env", getenv("VIADUCT_SOURCE"),
                   getenv("VIADUCT_FAULT_SERVERS"));
    stack_load_env(path);
    stack_start_with(&t->stack, &conf);
    api_open(&t->api, t->stack.url);
    t->admin = api_login(&t->api, "admin@example.com", "admin-password");
}

void faults_close(struct faults *t)
{
    stack_stop(&t->stack);
    api_close(&t->api);
    faults_server("wipe", "all");
}

const char *faults_product(struct faults *t, int stock)
{
    return faults_product_called(t, "Thing", stock);
}

const char *faults_product_called(struct faults *t, const char *name, int stock)
{
    struct str sku = uuid_str(&t->api.arena, uuid_new());
    struct answer a = api_call(&t->api, "POST", "/v1/products", t->admin,
                               api_text(&t->api,
                                        "{\"sku\":\"%s\",\"name\":\"%s\",\"price\":100,"
                                        "\"currency\":\"EUR\",\"stock\":%d}",
                                        sku.p, name, stock));

    cr_assert_eq(a.status, 201, "%s", a.body.p);
    return answer_get(&t->api, &a, "/id");
}

const char *faults_order(struct api *api, const char *token, const char *product)
{
    struct answer a = api_call(
        api, "POST", "/v1/orders", token,
        api_text(api, "{\"items\":[{\"product_id\":\"%s\",\"quantity\":1}]}", product));

    return a.status == 201 ? answer_get(api, &a, "/id") : NULL;
}

static bool jobs_done(void *arg)
{
    const long *n = arg;

    return db_number("VIADUCT_JOBS_PG",
                     "SELECT count(*) FROM jobs WHERE state <> 'succeeded'") == 0 &&
           db_number("VIADUCT_JOBS_PG", "SELECT count(*) FROM jobs") >= *n;
}

void faults_wait_jobs_done(long n, int timeout_s)
{
    wait_until(jobs_done, &n, timeout_s, "every job to be done");
}

struct wanted {
    int admin, n;
    char up[100], breaker[100];
};

static bool has_replicas(void *arg)
{
    const struct wanted *w = arg;
    return stack_metric(w->admin, w->up) == w->n &&
           stack_metric(w->admin, w->breaker) == 0;
}

void faults_wait_replicas(struct faults *t, const char *service, int n)
{
    struct wanted w = {.admin = t->stack.admin[STACK_GATEWAY],
                       .n = n * STACK_GATEWAY_LOOPS};

    (void)snprintf(w.up, sizeof w.up,
                   "viaduct_hop_replicas{state=\"up\",upstream=\"%s\"}", service);
    (void)snprintf(w.breaker, sizeof w.breaker, "viaduct_breaker_state{target=\"%s@",
                   service);
    wait_until(has_replicas, &w, 30, "the gateway's replicas");
}
