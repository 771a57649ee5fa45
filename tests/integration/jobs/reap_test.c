// SPDX-License-Identifier: Apache-2.0
/* Leases that ran out: who gets the job back, and who the blame. */
#include "ledger.h"

#include <criterion/criterion.h>

TestSuite(reap, .init = ledger_begin, .fini = ledger_end);

static struct job_claim claim(struct uuid id, const char *worker)
{
    struct job_claim c;

    database_run(&db, "UPDATE jobs SET run_at = now() WHERE state = 'queued'");
    cr_assert(ledger_claim(id, worker, &c));
    return c;
}

static void expect(struct uuid id, const char *what)
{
    cr_expect_str_eq(ledger_column(id,
                                   "state || ' crashes ' || crashes || CASE WHEN suspect "
                                   "THEN ' suspect' ELSE '' END"),
                     what);
}

Test(reap, leaves_leases_alone_that_are_not_over)
{
    struct uuid id = ledger_add(JOB_EMAIL);

    claim(id, "w");
    cr_expect_eq(ledger_reap(), 0u);
    expect(id, "running crashes 0");
}

Test(reap, counts_a_crash_of_the_job_that_its_worker_did_alone)
{
    struct uuid id = ledger_add(JOB_EMAIL);

    claim(id, "w");
    ledger_expire(id, 1);
    cr_expect_eq(ledger_reap(), 1u);
    expect(id, "queued crashes 1 suspect");
    cr_expect_str_eq(ledger_column(id, "error_code"), "jobs.worker_died");
    cr_expect_str_eq(ledger_column(id, "run_at > now()"), "true", "after a pause");
    cr_expect_str_eq(ledger_column(id, "attempts"), "1");
}

Test(reap, three_crashes_are_quarantine)
{
    struct uuid id = ledger_add(JOB_EMAIL);

    for (int i = 0; i < 3; i++) {
        struct job_claim c = claim(id, "w");

        cr_expect_eq(c.suspect, i > 0);
        if (c.suspect)
            ledger_begin_alone(id, c.fence);
        ledger_expire(id, 1);
        cr_assert_eq(ledger_reap(), 1u);
    }
    expect(id, "dead crashes 3 suspect");
    cr_expect_str_eq(ledger_column(id, "error_code"), "jobs.quarantined");
    cr_expect_str_neq(ledger_column(id, "finished_at"), "");
}

Test(reap, blames_nobody_when_the_worker_did_several)
{
    struct uuid a = ledger_add(JOB_EMAIL), b = ledger_add(JOB_EMAIL);

    claim(a, "w");
    claim(b, "w");
    ledger_expire(a, 1);
    ledger_expire(b, 1);
    cr_expect_eq(ledger_reap(), 2u);
    expect(a, "queued crashes 0 suspect");
    expect(b, "queued crashes 0 suspect");
    cr_expect_str_eq(ledger_column(a, "attempts"), "0");
    cr_expect_str_eq(ledger_column(a, "run_at <= now()"), "true", "at once");
}

Test(reap, blames_the_suspect_that_was_working_and_not_those_that_waited)
{
    struct uuid a = ledger_add(JOB_EMAIL), b = ledger_add(JOB_EMAIL);
    struct job_claim c;

    database_run(&db, "UPDATE jobs SET suspect = true");
    c = claim(a, "w");
    claim(b, "w");
    ledger_begin_alone(a, c.fence);
    ledger_expire(a, 1);
    ledger_expire(b, 1);
    cr_expect_eq(ledger_reap(), 2u);
    expect(a, "queued crashes 1 suspect");
    expect(b, "queued crashes 0 suspect");
}

Test(reap, makes_no_suspect_of_a_job_that_only_waited)
{
    struct uuid id = ledger_add(JOB_EMAIL);

    database_run(&db, "UPDATE jobs SET suspect = true");
    claim(id, "w"); /* and never began */
    ledger_expire(id, 1);
    cr_expect_eq(ledger_reap(), 1u);
    expect(id, "queued crashes 0 suspect");
}

Test(reap, gives_a_worker_that_lives_another_lease_before_it_takes_one_job)
{
    struct uuid lost = ledger_add(JOB_EMAIL), kept = ledger_add(JOB_EMAIL);

    claim(lost, "w");
    claim(kept, "w");
    ledger_expire(lost, 1);
    cr_expect_eq(ledger_reap(), 0u);
    ledger_expire(lost, LEASE_MS + 1000);
    cr_expect_eq(ledger_reap(), 1u);
    expect(lost, "queued crashes 0");
    expect(kept, "running crashes 0");
}

Test(reap, tells_workers_apart)
{
    struct uuid a = ledger_add(JOB_EMAIL), b = ledger_add(JOB_EMAIL);

    claim(a, "one");
    claim(b, "two");
    ledger_expire(a, 1);
    ledger_expire(b, 1);
    cr_expect_eq(ledger_reap(), 2u);
    expect(a, "queued crashes 1 suspect");
    expect(b, "queued crashes 1 suspect");
}

Test(reap, a_job_that_came_back_is_dispatched_when_its_pause_is_over)
{
    struct uuid id = ledger_add(JOB_EMAIL);

    cr_expect_eq(ledger_dispatch(60000, 10), 1u);
    claim(id, "w");
    ledger_expire(id, 1);
    cr_assert_eq(ledger_reap(), 1u);
    cr_expect_eq(ledger_dispatch(60000, 10), 0u);
    database_run(&db, "UPDATE jobs SET run_at = now(), dispatch_at = now()");
    cr_expect_eq(ledger_dispatch(60000, 10), 1u);
}
