// SPDX-License-Identifier: Apache-2.0
/* Claims, fences, outcomes and dispatching in the ledger. */
#include "ledger.h"
#include "tests/support/live/live.h"

#include <criterion/criterion.h>

TestSuite(ledger, .init = ledger_begin, .fini = ledger_end);

/* ---- claims ---------------------------------------------------------------------- */

enum { RIVALS = 40 };

static struct uuid contested;
static int claims_won, claims_over;

static enum step rival_answered(struct flow *f)
{
    struct job_claim claim;

    if (store_job_claim_read(f->state, &claim))
        claims_won++;
    return flow_done(f);
}

static enum step rival_claims(struct flow *f)
{
    f->state = store_job_claim(f, contested, STR("rival"), LEASE_MS);
    return flow_await(f, rival_answered);
}

static void rival_ended(struct flow *f, const struct err *err)
{
    (void)f;
    cr_assert_null(err);
    claims_over++;
}

static bool rivals_over(void *arg)
{
    (void)arg;
    return claims_over == RIVALS;
}

Test(ledger, of_many_who_claim_a_job_at_once_one_gets_it)
{
    contested = ledger_add(JOB_EMAIL);
    for (int i = 0; i < RIVALS; i++) {
        struct flow *f = flow_create(loop, 30000, rival_ended, NULL);

        f->env = &env;
        flow_start(f, rival_claims);
    }
    cr_assert(live_until(loop, rivals_over, NULL));
    cr_expect_eq(claims_won, 1);
    cr_expect_str_eq(ledger_column(contested, "fence"), "1");
}

Test(ledger, a_claim_tells_what_to_do)
{
    struct uuid id = ledger_add(JOB_REPORT);
    struct job_claim claim;

    cr_assert(ledger_claim(id, "w", &claim));
    cr_expect_eq(claim.kind, JOB_REPORT);
    cr_expect(str_eq(claim.payload, STR("payload")));
    cr_expect_eq(claim.fence, 1);
    cr_expect_eq(claim.attempts, 1);
    cr_expect_not(claim.suspect);
    cr_expect_eq(claim.traceparent.n, 55u);
    cr_expect_str_eq(ledger_column(id, "state"), "running");
    cr_expect_str_eq(ledger_column(id, "worker"), "w");
}

Test(ledger, a_job_that_is_not_due_cannot_be_claimed)
{
    struct uuid id = ledger_add(JOB_EMAIL);

    database_run(&db, "UPDATE jobs SET run_at = now() + interval '1 minute'");
    cr_expect_not(ledger_claim(id, "w", NULL));
    database_run(&db, "UPDATE jobs SET run_at = now()");
    cr_expect(ledger_claim(id, "w", NULL));
}

Test(ledger, an_unknown_job_cannot_be_claimed)
{
    cr_expect_not(ledger_claim(uuid_new(), "w", NULL));
}

/* ---- fences ---------------------------------------------------------------------- */

Test(ledger, an_older_holder_cannot_write)
{
    struct uuid id = ledger_add(JOB_REPORT);
    struct job_claim old, new;
    const struct job_settlement retry = {.state = JOB_QUEUED};

    cr_assert(ledger_claim(id, "old", &old));
    cr_assert(ledger_append(id, old.fence, 0, "old"));
    ledger_expire(id, 1);
    cr_assert_eq(ledger_reap(), 1u);
    database_run(&db, "UPDATE jobs SET run_at = now()");
    cr_assert(ledger_claim(id, "new", &new));
    cr_assert_gt(new.fence, old.fence);

    cr_expect_not(ledger_heartbeat(id, old.fence));
    cr_expect_not(ledger_append(id, old.fence, 1, "late"));
    cr_expect_not(ledger_settle(id, old.fence, &retry));
    cr_expect_not(ledger_succeed(id, old.fence));
    cr_expect_str_eq(ledger_column(id, "state"), "running");
    cr_expect(ledger_heartbeat(id, new.fence));
    cr_expect(ledger_succeed(id, new.fence));
}

Test(ledger, a_heartbeat_moves_the_lease_and_tells_progress)
{
    struct uuid id = ledger_add(JOB_EMAIL);
    struct job_claim claim;

    cr_assert(ledger_claim(id, "w", &claim));
    ledger_expire(id, 1000); /* late, but nobody has taken it */
    cr_expect(ledger_heartbeat(id, claim.fence));
    cr_expect_eq(ledger_reap(), 0u);
    cr_expect_str_eq(ledger_column(id, "progress"), "17");
}

Test(ledger, a_success_is_written_once)
{
    struct uuid id = ledger_add(JOB_EMAIL);
    struct job_claim claim;

    cr_assert(ledger_claim(id, "w", &claim));
    cr_expect(ledger_succeed(id, claim.fence));
    cr_expect_not(ledger_succeed(id, claim.fence));
    cr_expect_str_eq(ledger_column(id, "state || ' ' || progress"), "succeeded 100");
    cr_expect_str_neq(ledger_column(id, "finished_at"), "");
    cr_expect_not(ledger_claim(id, "w", NULL));
}

/* ---- outcomes -------------------------------------------------------------------- */

Test(ledger, a_failure_waits_for_its_next_attempt)
{
    struct uuid id = ledger_add(JOB_EMAIL);
    struct job_claim claim;
    const struct job_settlement later = {.state = JOB_QUEUED,
                                         .delay_ms = 60000,
                                         .code = STR("jobs.smtp_deferred"),
                                         .detail = STR("451")};

    cr_assert(ledger_claim(id, "w", &claim));
    cr_assert(ledger_settle(id, claim.fence, &later));
    cr_expect_str_eq(ledger_column(id, "state || ' ' || attempts || ' ' || error_code"),
                     "queued 1 jobs.smtp_deferred");
    cr_expect_str_eq(ledger_column(id, "run_at > now() + interval '50 seconds'"), "true");
    cr_expect_eq(ledger_dispatch(1000, 10), 0u);
    cr_expect_not(ledger_claim(id, "w", NULL));
}

Test(ledger, a_parked_job_has_its_attempt_back_and_keeps_its_last_error)
{
    struct uuid id = ledger_add(JOB_EMAIL);
    struct job_claim claim;
    const struct job_settlement failed = {.state = JOB_QUEUED, .code = STR("a.b")};
    const struct job_settlement released = {.state = JOB_QUEUED, .free = true};

    cr_assert(ledger_claim(id, "w", &claim));
    cr_assert(ledger_settle(id, claim.fence, &failed));
    cr_assert(ledger_claim(id, "w", &claim));
    cr_expect_eq(claim.attempts, 2);
    cr_assert(ledger_settle(id, claim.fence, &released));
    cr_expect_str_eq(ledger_column(id, "attempts || ' ' || error_code"), "1 a.b");
}

Test(ledger, a_dead_job_stays_dead)
{
    struct uuid id = ledger_add(JOB_EMAIL);
    struct job_claim claim;
    const struct job_settlement dead = {.state = JOB_DEAD,
                                        .code = STR("users.not_found")};

    cr_assert(ledger_claim(id, "w", &claim));
    cr_assert(ledger_settle(id, claim.fence, &dead));
    cr_expect_str_eq(ledger_column(id, "state"), "dead");
    cr_expect_str_neq(ledger_column(id, "finished_at"), "");
    cr_expect_eq(ledger_dispatch(1000, 10), 0u);
    cr_expect_not(ledger_claim(id, "w", NULL));
}

/* ---- dispatching ----------------------------------------------------------------- */

Test(ledger, a_job_is_dispatched_once_and_again_after_growing_whiles)
{
    struct uuid id = ledger_add(JOB_EMAIL);
    static const char left[] = "extract(epoch FROM dispatch_at - now())::int / 10";

    cr_expect_eq(ledger_dispatch(20000, 10), 1u);
    cr_expect_eq(ledger_dispatch(20000, 10), 0u);
    database_run(&db, "UPDATE jobs SET dispatch_at = now()"); /* the while is over */
    cr_expect_eq(ledger_dispatch(20000, 10), 1u);
    cr_expect_geq(strtol(ledger_column(id, left), NULL, 10), 3, "twice as long");
    for (int i = 0; i < 20; i++) {
        database_run(&db, "UPDATE jobs SET dispatch_at = now()");
        cr_assert_eq(ledger_dispatch(20000, 10), 1u);
    }
    cr_expect_leq(strtol(ledger_column(id, left), NULL, 10), 128, "64 times at most");
}

Test(ledger, dispatching_takes_the_longest_waiting_first)
{
    struct uuid ids[3];

    for (int i = 0; i < 3; i++)
        ids[i] = ledger_add(JOB_EMAIL);
    database_run(
        &db, "UPDATE jobs SET dispatch_at = now() - interval '1 hour' WHERE id = '%s'",
        uuid_str(&db.arena, ids[2]).p);
    cr_expect_eq(ledger_dispatch(20000, 1), 1u);
    cr_expect_str_eq(ledger_column(ids[2], "dispatches"), "1");
    cr_expect_eq(ledger_dispatch(20000, 10), 2u);
}

Test(ledger, dispatching_leaves_running_and_finished_jobs_alone)
{
    struct uuid running = ledger_add(JOB_EMAIL), done = ledger_add(JOB_EMAIL);
    struct job_claim claim;

    cr_assert(ledger_claim(running, "w", NULL));
    cr_assert(ledger_claim(done, "w", &claim));
    cr_assert(ledger_succeed(done, claim.fence));
    cr_expect_eq(ledger_dispatch(1000, 10), 0u);
}

Test(ledger, sweeping_removes_old_successes_with_their_results)
{
    struct uuid old = ledger_add(JOB_REPORT), young = ledger_add(JOB_REPORT),
                dead = ledger_add(JOB_REPORT);
    const struct uuid all[] = {old, young, dead};
    const struct job_settlement died = {.state = JOB_DEAD};

    for (int i = 0; i < 3; i++) {
        struct job_claim claim;

        cr_assert(ledger_claim(all[i], "w", &claim));
        cr_assert(ledger_append(all[i], claim.fence, 0, "bytes"));
        cr_assert(i < 2 ? ledger_succeed(all[i], claim.fence)
                        : ledger_settle(all[i], claim.fence, &died));
    }
    database_run(
        &db, "UPDATE jobs SET finished_at = now() - interval '1 day' WHERE id <> '%s'",
        uuid_str(&db.arena, young).p);
    cr_expect_eq(ledger_sweep(3600000), 1u);
    cr_expect_eq(database_number(&db, "SELECT count(*) FROM jobs"), 2);
    cr_expect_eq(database_number(&db, "SELECT count(*) FROM job_results"), 2);
}
