// SPDX-License-Identifier: Apache-2.0
/* Slow work: asked for, watched, fetched; mails that follow from events. */
#include "tests/e2e/e2e.h"

#include "kit/base/clock.h"
#include "tests/support/stack/mail.h"
#include "tests/support/stack/program.h"

E2E_SUITE(job);

static const char *rfc3339(int64_t wall_us)
{
    char text[CLOCK_RFC3339_LEN];

    clock_format_rfc3339(wall_us, text);
    return arena_str(&api->arena, (struct str){text, sizeof text}).p;
}

static struct answer ask_for_report(const char *token)
{
    int64_t now = clock_wall_us(), hour = 3600LL * 1000000;

    return api_call(api, "POST", "/v1/reports", token,
                    api_text(api, "{\"from\":\"%s\",\"to\":\"%s\"}", rfc3339(now - hour),
                             rfc3339(now + hour)));
}

struct watch {
    const char *token, *path;
};

static bool has_succeeded(void *arg)
{
    const struct watch *w = arg;
    struct answer a = api_call(api, "GET", w->path, w->token, NULL);
    const char *state = answer_get(api, &a, "/state");

    cr_assert_eq(a.status, 200, "%s", a.body.p);
    cr_assert_str_neq(state, "dead", "%s", a.body.p);
    return strcmp(state, "succeeded") == 0;
}

Test(job, report_holds_the_order)
{
    const char *admin = admin_token();
    struct member m = api_member(api);
    struct answer order = order_one(api, m.token, new_product(admin, 1), 1), job, result;
    const char *order_id = answer_get(api, &order, "/id"), *location;

    assert_status(order, 201);
    job = ask_for_report(admin);
    assert_status(job, 202);
    location = arena_str(&api->arena, answer_header(&job, "location")).p;
    cr_assert_str_eq(location,
                     api_text(api, "/v1/jobs/%s", answer_get(api, &job, "/id")));
    wait_until(has_succeeded, &(struct watch){admin, location}, 60, "the report");
    result = api_call(api, "GET", api_text(api, "%s/result", location), admin, NULL);
    assert_status(result, 200);
    cr_assert(str_starts(answer_header(&result, "content-type"), STR("text/csv")));
    cr_assert_not_null(strstr(result.body.p, order_id));
    cr_assert_not_null(strstr(result.body.p, "pending"));
}

Test(job, report_is_for_administrators)
{
    assert_problem(ask_for_report(api_member(api).token), 403, "auth.insufficient_scope");
}

Test(job, is_not_there_for_others)
{
    struct answer job = ask_for_report(admin_token());
    const char *path = api_text(api, "/v1/jobs/%s", answer_get(api, &job, "/id"));

    assert_problem(api_call(api, "GET", path, api_member(api).token, NULL), 404,
                   "jobs.not_found");
    assert_problem(api_call(api, "GET", api_text(api, "%s/result", path),
                            api_member(api).token, NULL),
                   404, "jobs.not_found");
}

Test(job, unknown_one_is_not_found)
{
    assert_problem(api_call(api, "GET", "/v1/jobs/01890000-0000-7000-8000-000000000000",
                            admin_token(), NULL),
                   404, "jobs.not_found");
}

Test(job, welcome_mail_follows_registration)
{
    struct member m = api_member(api);

    mail_wait(m.email, "Subject:", 1, 60);
}
