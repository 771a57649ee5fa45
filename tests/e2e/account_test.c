// SPDX-License-Identifier: Apache-2.0
/* Accounts: one's own, and everybody's for administrators. */
#include "tests/e2e/e2e.h"

E2E_SUITE(account);

Test(account, is_registered_once_per_address_whatever_its_case)
{
    struct member m = api_member(api);
    char *upper = (char *)(uintptr_t)arena_str(&api->arena, str_of(m.email)).p;
    struct answer a;

    upper[0] = 'M';
    a = api_call(
        api, "POST", "/v1/users", NULL,
        api_text(api,
                 "{\"email\":\"%s\",\"name\":\"Again\",\"password\":\"a long password\"}",
                 upper));
    assert_problem(a, 409, "users.email_taken");
}

Test(account, registration_says_where_the_account_is)
{
    struct str id = uuid_str(&api->arena, uuid_new());
    struct answer a = api_call(
        api, "POST", "/v1/users", NULL,
        api_text(
            api,
            "{\"email\":\"%s@example.com\",\"name\":\"N\",\"password\":\"0123456789\"}",
            id.p));

    assert_status(a, 201);
    cr_assert_str_eq(arena_str(&api->arena, answer_header(&a, "location")).p,
                     api_text(api, "/v1/users/%s", answer_get(api, &a, "/id")));
    cr_assert_null(strstr(a.body.p, "password"));
}

Test(account, shows_its_owner_themselves)
{
    struct member m = api_member(api);
    struct answer me = api_call(api, "GET", "/v1/users/me", m.token, NULL);
    struct answer by_id =
        api_call(api, "GET", api_text(api, "/v1/users/%s", m.id), m.token, NULL);

    assert_status(me, 200);
    assert_text(me, "/id", m.id);
    assert_text(me, "/email", m.email);
    assert_status(by_id, 200);
    cr_assert_str_eq(me.body.p, by_id.body.p);
}

Test(account, is_not_there_for_others)
{
    struct member a = api_member(api), b = api_member(api);

    assert_problem(
        api_call(api, "GET", api_text(api, "/v1/users/%s", a.id), b.token, NULL), 404,
        "users.not_found");
    assert_status(
        api_call(api, "GET", api_text(api, "/v1/users/%s", a.id), admin_token(), NULL),
        200);
}

Test(account, takes_a_new_name_at_once)
{
    struct member m = api_member(api);
    const char *path = api_text(api, "/v1/users/%s", m.id);
    struct answer a;

    assert_status(api_call(api, "GET", path, m.token, NULL), 200);
    a = api_call(api, "PATCH", path, m.token, "{\"name\":\"Another Name\"}");
    assert_status(a, 200);
    assert_text(a, "/name", "Another Name");
    assert_text(a, "/version", "2");
    a = api_call(api, "GET", path, m.token, NULL);
    assert_text(a, "/name", "Another Name");
}

Test(account, status_is_for_administrators)
{
    struct member m = api_member(api);
    const char *path = api_text(api, "/v1/users/%s", m.id);

    assert_problem(api_call(api, "PATCH", path, m.token, "{\"status\":\"suspended\"}"),
                   403, "auth.insufficient_scope");
    assert_status(
        api_call(api, "PATCH", path, admin_token(), "{\"status\":\"suspended\"}"), 200);
    assert_problem(
        api_call(api, "POST", "/v1/auth/login", NULL,
                 api_text(api, "{\"email\":\"%s\",\"password\":\"a long password\"}",
                          m.email)),
        403, "users.inactive");
}

Test(account, tenant_is_for_administrators_and_all_zeros_take_it_away)
{
    static const char nobody[] = "00000000-0000-0000-0000-000000000000";
    struct member m = api_member(api);
    const char *path = api_text(api, "/v1/users/%s", m.id);
    const char *tenant = uuid_str(&api->arena, uuid_new()).p;
    const char *set = api_text(api, "{\"tenant\":\"%s\"}", tenant);
    struct answer a;

    assert_problem(api_call(api, "PATCH", path, m.token, set), 403,
                   "auth.insufficient_scope");
    a = api_call(api, "PATCH", path, admin_token(), set);
    assert_status(a, 200);
    assert_text(a, "/tenant", tenant);
    a = api_call(api, "PATCH", path, m.token, "{\"name\":\"Another Name\"}");
    assert_text(a, "/tenant", tenant);
    a = api_call(api, "PATCH", path, admin_token(),
                 api_text(api, "{\"tenant\":\"%s\"}", nobody));
    assert_status(a, 200);
    cr_assert_null(answer_get(api, &a, "/tenant"));
}

Test(account, list_is_for_administrators)
{
    struct member m = api_member(api);
    struct answer a;

    assert_problem(api_call(api, "GET", "/v1/users", m.token, NULL), 403,
                   "auth.insufficient_scope");
    a = api_call(api, "GET", api_text(api, "/v1/users?filter%%5Bemail%%5D=%s", m.email),
                 admin_token(), NULL);
    assert_status(a, 200);
    assert_text(a, "/items/0/id", m.id);
    cr_assert_null(answer_get(api, &a, "/items/1"));
}

Test(account, unknown_one_is_not_found)
{
    assert_problem(api_call(api, "GET", "/v1/users/01890000-0000-7000-8000-000000000000",
                            admin_token(), NULL),
                   404, "users.not_found");
}

Test(account, overview_gathers_from_every_service)
{
    struct member m = api_member(api);
    struct answer a =
        api_call(api, "GET", api_text(api, "/v1/users/%s/overview", m.id), m.token, NULL);

    assert_status(a, 200);
    assert_text(a, "/user/id", m.id);
    assert_text(a, "/partial", "false");
    cr_assert_not_null(answer_get(api, &a, "/orders"));
}

Test(account, can_be_deleted_by_its_owner)
{
    struct member m = api_member(api);

    assert_status(
        api_call(api, "DELETE", api_text(api, "/v1/users/%s", m.id), m.token, NULL), 204);
    assert_problem(
        api_call(api, "POST", "/v1/auth/login", NULL,
                 api_text(api, "{\"email\":\"%s\",\"password\":\"a long password\"}",
                          m.email)),
        401, "auth.bad_credentials");
}
