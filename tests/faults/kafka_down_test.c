// SPDX-License-Identifier: Apache-2.0
/* Kafka is away: orders are accepted all the same, and their mails come when it is back.
 */
#include "tests/faults/faults.h"
#include "tests/support/stack/mail.h"

enum { ORDERS = 30 };

Test(kafka_down, orders_are_accepted_and_every_mail_arrives_once)
{
    static struct faults t;
    const char *product, *orders[ORDERS];
    struct member m;

    faults_open(&t);
    m = api_member(&t.api);
    product = faults_product(&t, ORDERS);
    faults_server("stop", "kafka");
    for (int i = 0; i < ORDERS; i++) {
        orders[i] = faults_order(&t.api, m.token, product);
        cr_assert_not_null(orders[i]);
    }
    faults_server("start", "kafka");
    faults_wait_jobs_done(ORDERS + 1, 120); /* and the welcome */
    for (int i = 0; i < ORDERS; i++)
        cr_assert_eq(mail_count(m.email, orders[i]), 1, "order %d: %d mails", i,
                     mail_count(m.email, orders[i]));
    faults_close(&t);
}
