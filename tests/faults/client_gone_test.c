// SPDX-License-Identifier: Apache-2.0
/* A client that goes away, or whose deadline passes, takes its work along: gateway,
 * service and database. */
#include "tests/faults/faults.h"
#include "tests/support/load/load.h"
#include "tests/support/stack/db.h"

#include "kit/base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOON_S = 30 }; /* of the statement's own 60 */

static struct faults t;

static long waiting(void)
{
    return db_number(
        "VIADUCT_ORDERS_PG",
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND datname = current_database()");
}

static bool one_waits(void *unused)
{
    (void)unused;
    return waiting() > 0;
}

static bool none_waits(void *unused)
{
    (void)unused;
    return waiting() == 0;
}

static int send_order(const char *token, const char *product)
{
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)t.stack.gateway_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char request[LOAD_REQUEST_MAX];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t n = load_write(request, sizeof request, "POST", "/v1/orders", token, NULL,
                          api_text(&t.api,
                                   "{\"items\":[{\"product_id\":\"%s\",\"quantity\":1}]}",
                                   product));

    cr_assert_eq(connect(fd, (const struct sockaddr *)&a, sizeof a), 0);
    cr_assert_eq(send(fd, request, n, MSG_NOSIGNAL), (ssize_t)n);
    return fd;
}

/* Somebody else has the product, so that whoever orders it waits in the database. */
static struct db *hold(const char *product)
{
    struct db *db = db_open("VIADUCT_ORDERS_PG");

    db_run(db, "BEGIN");
    db_run(db,
           api_text(&t.api, "SELECT FROM products WHERE id = '%s' FOR UPDATE", product));
    return db;
}

static void assert_nothing_placed(const char *product)
{
    cr_assert_eq(
        db_number("VIADUCT_ORDERS_PG",
                  api_text(&t.api,
                           "SELECT count(*) FROM order_items WHERE product_id = '%s'",
                           product)),
        0);
}

static void client_goes(const char *token)
{
    const char *product = faults_product(&t, 1);
    struct db *db = hold(product);
    int fd = send_order(token, product);
    int64_t gone_us;

    wait_until(one_waits, NULL, 30, "the order to wait for its product");
    close(fd);
    gone_us = clock_mono_us();
    wait_until(none_waits, NULL, SOON_S, "the statement to be cancelled");
    (void)fprintf(stderr, "cancelled in the database %lld ms after the client had gone\n",
                  (long long)(clock_mono_us() - gone_us) / 1000);
    db_close(db);
    assert_nothing_placed(product);
}

/* The deadline is the gateway's. */
static void deadline_passes(const char *token)
{
    const char *product = faults_product(&t, 1);
    struct db *db = hold(product);
    int64_t begun_us = clock_mono_us();
    struct answer a =
        api_call(&t.api, "POST", "/v1/orders", token,
                 api_text(&t.api, "{\"items\":[{\"product_id\":\"%s\",\"quantity\":1}]}",
                          product));

    cr_assert_eq(a.status, 504, "%d %s", a.status, a.body.p);
    wait_until(none_waits, NULL, SOON_S, "the statement to be cancelled");
    (void)fprintf(stderr,
                  "cancelled in the database %lld ms after an order with 4000 ms\n",
                  (long long)(clock_mono_us() - begun_us) / 1000);
    db_close(db);
    assert_nothing_placed(product);
}

Test(client_gone, takes_its_work_along)
{
    static const char *const env[] = {"VIADUCT_WORK_MS=4000",
                                      "VIADUCT_ORDERS_PG_TIMEOUT_MS=60000", NULL};
    struct member m;

    faults_open_with(&t, (struct stack_conf){.env = env});
    m = api_member(&t.api);
    client_goes(m.token);
    deadline_passes(m.token);
    faults_close(&t);
}
