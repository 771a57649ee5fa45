// SPDX-License-Identifier: Apache-2.0
/*
 * One of three replicas of the orders service is killed, twenty times, a random one,
 * while 500 requests are under way: a third of them reads, a third orders without a key,
 * a third orders with an Idempotency-Key. Each order has a product and quantity of its
 * own, so the database tells how often it was placed.
 */
#include "tests/faults/faults.h"
#include "tests/support/load/load.h"
#include "tests/support/stack/db.h"

#include "kit/base/id.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CLIENTS = 500,
    ORDERS_MAX = 8000, /* of one client; a quantity is at most 10000 */
    ROUNDS = 20,
    BETWEEN = 600, /* answers from one kill to the restart, and to the next kill */
    REPLICAS = 3,
};

enum kind { READ, KEYLESS, KEYED };

struct client {
    enum kind kind;
    const char *product;
    int orders;                      /* asked for; also the quantity of the last */
    unsigned short seen[ORDERS_MAX]; /* status by quantity - 1 */
    unsigned short found[ORDERS_MAX];
};

static struct {
    struct faults faults;
    struct client clients[CLIENTS];
    const char *token, *path; /* of the order that is read */
    unsigned long statuses[3][600];
    char odd[1000]; /* an answer nobody wants */
} t;

/* ---- the load ------------------------------------------------------------------- */

static size_t next(void *arg, unsigned i, char *out, size_t room)
{
    struct client *c = &t.clients[i];
    char key[100], json[200];

    (void)arg;
    if (c->kind == READ)
        return load_write(out, room, "GET", t.path, t.token, NULL, NULL);
    if (c->orders == ORDERS_MAX)
        return 0;
    c->orders++;
    (void)snprintf(key, sizeof key, "Idempotency-Key: %u-%d\r\n", i, c->orders);
    (void)snprintf(json, sizeof json,
                   "{\"items\":[{\"product_id\":\"%s\",\"quantity\":%d}]}", c->product,
                   c->orders);
    return load_write(out, room, "POST", "/v1/orders", t.token,
                      c->kind == KEYED ? key : NULL, json);
}

static bool is_wanted(enum kind kind, const struct load_answer *a)
{
    return a->status == (kind == READ ? 200 : 201) ||
           (kind == KEYLESS && a->status == 502 && strstr(a->body, "unknown_outcome"));
}

static void answered(void *arg, unsigned i, const struct load_answer *a)
{
    struct client *c = &t.clients[i];

    (void)arg;
    t.statuses[c->kind][a->status]++;
    if (c->kind != READ)
        c->seen[c->orders - 1] = (unsigned short)a->status;
    if (!is_wanted(c->kind, a) && !t.odd[0])
        (void)snprintf(t.odd, sizeof t.odd, "kind %d: %d %s", (int)c->kind, a->status,
                       a->body);
}

/* ---- the kills ------------------------------------------------------------------ */

static void kill_one(const struct load *l)
{
    int replica = (int)(random_u32() % REPLICAS);

    program_kill(stack_replica(&t.faults.stack, STACK_ORDERS, replica));
    load_go_on(l, BETWEEN);
    stack_start_replica(&t.faults.stack, STACK_ORDERS, replica);
    faults_wait_replicas(&t.faults, "orders", REPLICAS);
    load_go_on(l, BETWEEN);
}

/* ---- the proof ------------------------------------------------------------------ */

/* "CLIENT QUANTITY COUNT" */
static void take_found(void *arg, const char *row)
{
    char *end;
    long client = strtol(row, &end, 10), quantity = strtol(end, &end, 10);

    (void)arg;
    t.clients[client].found[quantity - 1] = (unsigned short)strtol(end, NULL, 10);
}

static void check_client(int i, unsigned long *unknown)
{
    const struct client *c = &t.clients[i];

    for (int n = 0; n < c->orders; n++) {
        if (c->seen[n] == 502 && c->kind == KEYLESS) {
            cr_assert_leq(c->found[n], 1, "order %d of %d: %d times", n, i, c->found[n]);
            ++*unknown;
            continue;
        }
        cr_assert_eq(c->found[n], 1,
                     "order %d of client %d (kind %d, answered %d): %d times", n, i,
                     (int)c->kind, c->seen[n], c->found[n]);
    }
}

static void check(void)
{
    unsigned long unknown = 0;

    cr_assert(!t.odd[0], "%s", t.odd);
    db_each("VIADUCT_ORDERS_PG",
            "SELECT name || ' ' || quantity || ' ' || count(*) FROM order_items "
            "WHERE name ~ '^[0-9]+$' GROUP BY name, quantity",
            take_found, NULL);
    for (int i = 0; i < CLIENTS; i++)
        check_client(i, &unknown);
    (void)fprintf(stderr, "reads %lu, keyless %lu and %lu unknown, keyed %lu\n",
                  t.statuses[READ][200], t.statuses[KEYLESS][201], unknown,
                  t.statuses[KEYED][201]);
}

static void make_clients(void)
{
    struct member m = api_member(&t.faults.api);
    const char *product = faults_product(&t.faults, 1);

    t.token = m.token;
    t.path = api_text(&t.faults.api, "/v1/orders/%s",
                      faults_order(&t.faults.api, m.token, product));
    for (int i = 0; i < CLIENTS; i++) {
        struct client *c = &t.clients[i];

        c->kind = (enum kind)(i % 3);
        if (c->kind != READ)
            c->product = faults_product_called(
                &t.faults, api_text(&t.faults.api, "%d", i), 1000000000);
    }
}

Test(replica_killed, twenty_times_under_500_requests_and_nothing_is_done_twice)
{
    struct load_conf conf = {.connections = CLIENTS, .next = next, .answered = answered};
    struct load *l;

    /* Two replicas that do the work of three may become slow on a small machine, and
     * shedding is right then; here the question is what a loss does. */
    static const char *const env[] = {"VIADUCT_HOP_IN_FLIGHT_MIN=500", NULL};

    faults_open_with(&t.faults, (struct stack_conf){
                                    .replicas = {[STACK_ORDERS] = REPLICAS}, .env = env});
    for (int i = 1; i < REPLICAS; i++)
        stack_start_replica(&t.faults.stack, STACK_ORDERS, i);
    faults_wait_replicas(&t.faults, "orders", REPLICAS);
    make_clients();
    conf.port = t.faults.stack.gateway_port;
    l = load_start(&conf);
    load_go_on(l, BETWEEN);
    for (int i = 0; i < ROUNDS; i++)
        kill_one(l);
    load_stop(l);
    check();
    faults_close(&t.faults);
}
