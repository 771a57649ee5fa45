// SPDX-License-Identifier: Apache-2.0
/* The worker dies between claim and done, again and again: every job is done all the
 * same. */
#include "tests/faults/faults.h"
#include "tests/support/stack/db.h"
#include "tests/support/stack/mail.h"

#include <stdlib.h>

enum { KILLS = 20, MOST = 2 * KILLS }; /* a job may be done before the kill */

static bool one_is_running(void *arg)
{
    (void)arg;
    return db_number("VIADUCT_JOBS_PG",
                     "SELECT count(*) FROM jobs WHERE state = 'running'") > 0;
}

/* That were noticed by the lease they left. */
static int64_t kills_that_hit(void)
{
    return db_number("VIADUCT_JOBS_PG", "SELECT coalesce(sum(crashes), 0) FROM jobs");
}

Test(worker_killed, twenty_times_and_every_job_is_done)
{
    static struct faults t;
    struct member m;
    const char *product, *orders[MOST];
    int n = 0;

    /* so that lost work comes back soon */
    (void)setenv("VIADUCT_JOBS_LEASE_MS", "2000", 1);
    (void)setenv("VIADUCT_JOBS_HEARTBEAT_MS", "500", 1);
    faults_open(&t);
    m = api_member_called(&t.api,
                          "slow"); /* the sink takes its time over this one's mails */
    product = faults_product(&t, MOST);
    faults_wait_jobs_done(1, 60);
    for (; kills_that_hit() < KILLS; n++) {
        cr_assert_lt(n, MOST, "the kills miss the running jobs");
        orders[n] = faults_order(&t.api, m.token, product);
        cr_assert_not_null(orders[n]);
        wait_until(one_is_running, NULL, 60, "a claimed job");
        program_kill(&t.stack.part[STACK_WORKER]);
        stack_start_part(&t.stack, STACK_WORKER);
        faults_wait_jobs_done(n + 2, 60);
    }
    for (int i = 0; i < n; i++)
        cr_assert_geq(mail_count(m.email, orders[i]), 1, "order %d", i);
    faults_close(&t);
}
