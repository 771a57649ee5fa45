// SPDX-License-Identifier: Apache-2.0
/* The orders service dies while 16 clients place 2,000 orders: what was acknowledged with
 * 201 is in the database with its event, and its mail arrives. */
#include "tests/faults/faults.h"
#include "tests/support/stack/db.h"
#include "tests/support/stack/mail.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CLIENTS = 16, EACH = 125, KILLS = 5 };

struct client {
    pthread_t thread;
    struct api api;
    const char *token, *product;
    const char *orders[EACH]; /* acknowledged ones */
    int n;
};

static atomic_int placed;

/* As a client does that wants its order: again after a failure, a little later. */
static const char *place_one(struct client *c)
{
    const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};

    for (int tries = 0; tries < 1200; tries++) {
        const char *id = faults_order(&c->api, c->token, c->product);

        if (id)
            return id;
        (void)nanosleep(&pause, NULL);
    }
    abort();
}

static void *place(void *arg)
{
    struct client *c = arg;

    for (int i = 0; i < EACH; i++) {
        c->orders[c->n++] = place_one(c);
        atomic_fetch_add(&placed, 1);
    }
    return NULL;
}

/* ---- sets of ids
 * ------------------------------------------------------------------------ */

struct ids {
    char (*v)[37];
    size_t n, room;
};

static void add_id(void *arg, const char *id)
{
    struct ids *s = arg;

    if (s->n == s->room) {
        s->room = s->room ? 2 * s->room : 1024;
        s->v = realloc(s->v, s->room * sizeof *s->v);
        cr_assert_not_null(s->v);
    }
    (void)snprintf(s->v[s->n++], sizeof *s->v, "%s", id);
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool has_id(const struct ids *s, const char *id)
{
    return s->n > 0 && bsearch(id, s->v, s->n, sizeof *s->v, compare_ids) != NULL;
}

static struct ids sorted_ids(const char *variable, const char *sql)
{
    struct ids s = {0};

    db_each(variable, sql, add_id, &s);
    if (s.n > 0)
        qsort(s.v, s.n, sizeof *s.v, compare_ids);
    return s;
}

/* The first id of one of our orders that stands in the mail. */
struct mailed {
    const struct ids *orders;
    struct ids found;
};

static void find_order(void *arg, const char *text)
{
    struct mailed *m = arg;

    for (const char *p = text; (p = strchr(p, '-')); p++) {
        char id[37];

        if (p - text < 8)
            continue;
        (void)snprintf(id, sizeof id, "%s", p - 8);
        if (has_id(m->orders, id)) {
            add_id(&m->found, id);
            return;
        }
    }
}

static void check(const struct client *clients)
{
    struct ids orders = sorted_ids("VIADUCT_ORDERS_PG", "SELECT id FROM orders");
    struct ids events = sorted_ids("VIADUCT_ORDERS_PG",
                                   "SELECT key FROM outbox WHERE type = 'order.placed'");
    struct mailed mails = {&orders, {0}};

    cr_assert_eq(orders.n, events.n);
    faults_wait_jobs_done((long)orders.n + 1, 300);
    mail_each(find_order, &mails);
    qsort(mails.found.v, mails.found.n, sizeof *mails.found.v, compare_ids);
    for (int i = 0; i < CLIENTS; i++)
        for (int j = 0; j < clients[i].n; j++) {
            const char *id = clients[i].orders[j];

            cr_assert(has_id(&orders, id), "order %s was acknowledged and is lost", id);
            cr_assert(has_id(&events, id), "order %s has no event", id);
            cr_assert(has_id(&mails.found, id), "order %s has no mail", id);
        }
    free(orders.v);
    free(events.v);
    free(mails.found.v);
}

static bool enough_placed(void *arg)
{
    return atomic_load(&placed) >= *(const int *)arg;
}

Test(orders_killed, what_was_acknowledged_is_there_and_announced)
{
    static struct faults t;
    static struct client clients[CLIENTS];
    const char *product;
    struct member m;

    faults_open(&t);
    m = api_member(&t.api);
    product = faults_product(&t, 2 * CLIENTS * EACH); /* unknown outcomes take some too */
    for (int i = 0; i < CLIENTS; i++) {
        clients[i].token = m.token;
        clients[i].product = product;
        api_open(&clients[i].api, t.stack.url);
        cr_assert_eq(pthread_create(&clients[i].thread, NULL, place, &clients[i]), 0);
    }
    for (int i = 1; i <= KILLS; i++) {
        int at = i * CLIENTS * EACH / (KILLS + 1);

        wait_until(enough_placed, &at, 300, "orders being placed");
        program_kill(&t.stack.part[STACK_ORDERS]);
        stack_start_part(&t.stack, STACK_ORDERS);
    }
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(clients[i].thread, NULL);
    check(clients);
    for (int i = 0; i < CLIENTS; i++)
        api_close(&clients[i].api);
    faults_close(&t);
}
