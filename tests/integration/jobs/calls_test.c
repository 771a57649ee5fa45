// SPDX-License-Identifier: Apache-2.0
/* What can be asked of the jobs service, on a real ledger. */
#include "jobs/rules/jobs.h"
#include "ledger.h"
#include "proto/errors.h"
#include "proto/roles.h"

#include <criterion/criterion.h>

static struct caller admin, other_admin, user;

static void begin(void)
{
    ledger_begin();
    admin = (struct caller){.user = uuid_new(), .roles = ROLE_USER | ROLE_ADMIN};
    other_admin = (struct caller){.user = uuid_new(), .roles = ROLE_USER | ROLE_ADMIN};
    user = (struct caller){.user = uuid_new(), .roles = ROLE_USER};
}

TestSuite(calls, .init = begin, .fini = ledger_end);

static void expect_code(const struct err *err, const struct err_code *code)
{
    cr_assert_not_null(err);
    cr_expect_str_eq(err->code->name, code->name);
}

static struct job report(struct caller caller)
{
    const struct report_create in = {.from = 1000, .to = 2000};
    const struct report_create full = {
        .from = in.from, .has_from = true, .to = in.to, .has_to = true};
    struct job out = {0};

    cr_assert_null(ledger_flow(report_create, &full, &out, &job_msg, caller));
    return out;
}

Test(calls, a_report_is_queued_for_its_asker)
{
    struct job job = report(admin), got = {0};
    const struct by_id in = {.id = job.id};

    cr_expect_eq(job.kind, JOB_REPORT);
    cr_expect_eq(job.state, JOB_QUEUED);
    cr_expect_eq(job.progress, 0);
    cr_expect_null(ledger_flow(job_get, &in, &got, &job_msg, admin));
    cr_expect(uuid_eq(got.id, job.id));
    cr_expect_not(got.has_finished_at);
    cr_expect_not(got.has_error_code);
}

Test(calls, a_report_is_for_those_who_may)
{
    const struct report_create in = {.from = 1, .to = 2};
    struct job out = {0};

    expect_code(ledger_flow(report_create, &in, &out, &job_msg, user),
                &ERR_CODE_INSUFFICIENT_SCOPE);
    cr_expect_eq(database_number(&db, "SELECT count(*) FROM jobs"), 0);
}

Test(calls, a_report_needs_a_sensible_period)
{
    const struct report_create in = {.from = 2, .to = 1};
    struct job out = {0};

    expect_code(ledger_flow(report_create, &in, &out, &job_msg, admin),
                &ERR_CODE_INVALID_FIELDS);
}

Test(calls, a_job_is_not_there_for_others)
{
    struct job job = report(admin), got = {0};
    const struct by_id in = {.id = job.id}, unknown = {.id = uuid_new()};

    expect_code(ledger_flow(job_get, &in, &got, &job_msg, user), &ERR_CODE_JOB_NOT_FOUND);
    expect_code(ledger_flow(job_get, &unknown, &got, &job_msg, admin),
                &ERR_CODE_JOB_NOT_FOUND);
    cr_expect_null(ledger_flow(job_get, &in, &got, &job_msg, other_admin),
                   "jobs:read sees all");
}

Test(calls, a_list_has_ones_own_jobs_newest_first_in_pages)
{
    struct job_page page = {0};
    struct job_query in = {.limit = 2, .has_limit = true};
    int n = 0;

    for (int i = 0; i < 5; i++)
        report(admin);
    report(other_admin);
    for (;;) {
        page = (struct job_page){0};
        cr_assert_null(ledger_flow(job_list, &in, &page, &job_page_msg, admin));
        n += (int)page.items.n;
        if (!page.has_next_cursor)
            break;
        cr_assert_eq(page.items.n, 2u);
        WIRE_SET(&in, cursor, page.next_cursor);
    }
    cr_expect_eq(n, 5);
}

Test(calls, a_list_can_be_filtered)
{
    struct job_page page = {0};
    struct job_query in = {0};
    struct job_claim claim;
    struct job done = report(admin);

    report(admin);
    cr_assert(ledger_claim(done.id, "w", &claim));
    cr_assert(ledger_succeed(done.id, claim.fence));
    WIRE_SET(&in, filter_state, JOB_SUCCEEDED);
    cr_assert_null(ledger_flow(job_list, &in, &page, &job_page_msg, admin));
    cr_expect_eq(page.items.n, 1u);
    in = (struct job_query){0};
    WIRE_SET(&in, filter_kind, JOB_EMAIL);
    cr_assert_null(ledger_flow(job_list, &in, &page, &job_page_msg, admin));
    cr_expect_eq(page.items.n, 0u);
}

Test(calls, a_cursor_of_another_list_is_refused)
{
    struct job_page page = {0};
    struct job_query in = {.limit = 1, .has_limit = true};

    report(admin);
    report(admin);
    cr_assert_null(ledger_flow(job_list, &in, &page, &job_page_msg, admin));
    WIRE_SET(&in, cursor, page.next_cursor);
    expect_code(ledger_flow(job_list, &in, &page, &job_page_msg, other_admin),
                &ERR_CODE_BAD_CURSOR);
    WIRE_SET(&in, filter_state, JOB_QUEUED);
    expect_code(ledger_flow(job_list, &in, &page, &job_page_msg, admin),
                &ERR_CODE_BAD_CURSOR);
}

static const struct err *part(struct uuid id, int64_t chunk, struct caller caller,
                              struct job_result *out)
{
    const struct job_result_query in = {.id = id, .chunk = chunk};

    *out = (struct job_result){0};
    return ledger_flow(job_result_get, &in, out, &job_result_msg, caller);
}

Test(calls, a_result_leaves_in_parts_of_the_attempt_that_succeeded)
{
    struct job job = report(admin);
    struct job_result out;
    struct job_claim claim;
    const struct job_settlement again = {.state = JOB_QUEUED};

    expect_code(part(job.id, 0, admin, &out), &ERR_CODE_JOB_NOT_FINISHED);
    cr_assert(ledger_claim(job.id, "w", &claim));
    cr_assert(ledger_append(job.id, claim.fence, 0, "failed"));
    cr_assert(ledger_settle(job.id, claim.fence, &again));
    cr_assert(ledger_claim(job.id, "w", &claim));
    cr_assert(ledger_append(job.id, claim.fence, 0, "lost answer"));
    cr_assert(ledger_append(job.id, claim.fence, 0, "one,"));
    cr_assert(ledger_append(job.id, claim.fence, 1, "two"));
    expect_code(part(job.id, 0, admin, &out), &ERR_CODE_JOB_NOT_FINISHED);
    cr_assert(ledger_succeed(job.id, claim.fence));

    cr_assert_null(part(job.id, 0, admin, &out));
    cr_expect(out.more);
    cr_expect_null(part(job.id, 1, admin, &out));
    cr_expect_not(out.more);
    expect_code(part(job.id, 2, admin, &out), &ERR_CODE_JOB_NO_RESULT);
    expect_code(part(job.id, 0, user, &out), &ERR_CODE_JOB_NOT_FOUND);
    cr_expect_str_eq(
        database_text(&db, "SELECT string_agg(convert_from(bytes, 'UTF8'), '' ORDER "
                           "BY chunk) FROM job_results"),
        "one,two", "those of the failed attempt are gone");
}

Test(calls, a_mail_leaves_no_result)
{
    struct uuid id = ledger_add(JOB_EMAIL);
    struct job_result out;

    expect_code(part(id, 0, admin, &out), &ERR_CODE_JOB_NO_RESULT);
}

static struct uuid event;

static enum step event_stored(struct flow *f)
{
    return flow_done(f);
}

static enum step store_event(struct flow *f)
{
    const struct job_new job = {.id = uuid_new(), .kind = JOB_EMAIL, .payload = STR("p")};

    (void)store_job_insert_from_event(f, event, &job);
    return flow_await(f, event_stored);
}

Test(calls, an_event_that_comes_twice_makes_one_job)
{
    event = uuid_new();
    for (int i = 0; i < 3; i++)
        cr_assert_null(ledger_flow(store_event, NULL, NULL, NULL, user));
    cr_expect_eq(database_number(&db, "SELECT count(*) FROM jobs"), 1);
    event = uuid_new();
    cr_assert_null(ledger_flow(store_event, NULL, NULL, NULL, user));
    cr_expect_eq(database_number(&db, "SELECT count(*) FROM jobs"), 2);
}
