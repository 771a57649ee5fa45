// SPDX-License-Identifier: Apache-2.0
/* Reports: written page by page, given back, done again. */
#include "pipeline.h"

#include <criterion/criterion.h>

TestSuite(report, .init = pipeline_begin, .fini = pipeline_end);
TestSuite(report_lease, .init = pipeline_begin_short, .fini = pipeline_end);

static const char *csv(void)
{
    return database_text(
        &db, "SELECT string_agg(convert_from(r.bytes, 'UTF8'), '' ORDER BY chunk) "
             "FROM job_results r JOIN jobs j ON j.id = r.job_id "
             "AND j.fence = r.fence");
}

static int lines(const char *text)
{
    int n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

Test(report, holds_every_order_of_its_period)
{
    const char *text;

    peers.rows = 1234;
    pipeline_report();
    pipeline_wait(1, "succeeded");
    text = csv();
    cr_expect_eq(lines(text), 1 + 1234);
    cr_expect(strncmp(text,
                      "order_id,user_id,status,currency,total,pieces,created_at\r\n",
                      58) == 0);
    cr_expect_not_null(strstr(text, ",paid,EUR,12.33,1,1970-01-01T00:00:00.001234Z\r\n"));
    cr_expect_eq(database_number(&db, "SELECT count(*) FROM job_results"), 3,
                 "a part per page");
    cr_expect_eq(peers.pages_asked, 3);
}

Test(report, without_orders_is_its_head)
{
    peers.rows = 0;
    pipeline_report();
    pipeline_wait(1, "succeeded");
    cr_expect_eq(lines(csv()), 1);
}

Test(report, tells_how_far_it_is)
{
    peers.rows = 5000;
    peers.pages_most = 5; /* of ten */
    pipeline_report();
    pipeline_wait_number(1, "SELECT count(*) FROM jobs WHERE state = 'running' "
                            "AND progress BETWEEN 20 AND 80");
    peers.pages_most = 0;
    pipeline_wait(1, "succeeded");
    cr_expect_eq(database_number(&db, "SELECT progress FROM jobs"), 100);
}

Test(report_lease, is_kept_while_it_takes_long)
{
    peers.rows = 3000;
    peers.page_ms = 1000; /* three times the lease */
    pipeline_report();
    pipeline_wait(1, "succeeded");
    cr_expect_eq(database_number(&db, "SELECT fence FROM jobs"), 1);
}

static bool idle(void *arg)
{
    (void)arg;
    return worker_idle(worker);
}

Test(report, is_given_back_by_a_worker_that_stops_and_done_by_the_next)
{
    peers.rows = 3000;
    peers.pages_most = 3; /* of six */
    pipeline_report();
    pipeline_wait_number(1, "SELECT count(*) FROM jobs WHERE progress > 20");
    worker_drain(worker);
    cr_assert(live_until(loop, idle, NULL));
    cr_expect_str_eq(database_text(&db,
                                   "SELECT state || ' ' || attempts || ' ' || crashes "
                                   "FROM jobs"),
                     "queued 0 0");
    pipeline_worker_stop();
    peers.pages_most = 0;
    pipeline_worker_start();
    pipeline_wait(1, "succeeded");
    cr_expect_eq(lines(csv()), 1 + 3000);
    cr_expect_eq(database_number(&db, "SELECT count(DISTINCT fence) FROM job_results"), 1,
                 "nothing is left of the first attempt");
}

Test(report, stops_when_its_lease_was_taken)
{
    int asked;

    peers.rows = 50000;
    peers.page_ms = 100;
    pipeline_report();
    pipeline_wait_number(1, "SELECT count(*) FROM job_results WHERE chunk = 3");
    database_run(&db, "UPDATE jobs SET fence = fence + 1, worker = 'thief', "
                      "lease_until = now() + interval '1 hour'");
    cr_assert(live_until(loop, idle, NULL));
    asked = peers.pages_asked;
    cr_expect_lt(asked, 20);
    cr_expect_eq(database_number(&db, "SELECT count(*) FROM jobs WHERE state = 'running' "
                                      "AND worker = 'thief' AND fence = 2"),
                 1, "untouched");
}
