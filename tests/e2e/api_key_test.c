// SPDX-License-Identifier: Apache-2.0
/* API keys: made by a person, good for what they are good for, ended at once. */
#include "tests/e2e/e2e.h"

#include "kit/apikey/apikey.h"
#include "tests/support/stack/db.h"
#include "tests/support/stack/program.h"

#include <time.h>

E2E_SUITE(api_key);

static struct answer make(const char *token, const char *fields)
{
    return api_call(api, "POST", "/v1/api-keys", token,
                    api_text(api, "{\"name\":\"Script\",%s}", fields));
}

static struct answer made(const char *token, const char *fields)
{
    struct answer a = make(token, fields);

    assert_status(a, 201);
    return a;
}

static const char *key_of(const char *token, const char *fields)
{
    struct answer a = made(token, fields);

    return answer_get(api, &a, "/key");
}

static struct answer get(const char *path, const char *key)
{
    return api_call(api, "GET", path, key, NULL);
}

/* ---- making and looking ---- */

Test(api_key, is_shown_once)
{
    struct member m = api_member(api);
    struct answer a = made(m.token, "\"scopes\":[\"orders:read\",\"account:read\"]");
    const char *key = answer_get(api, &a, "/key");
    struct str location = answer_header(&a, "location");

    cr_assert(apikey_is(str_of(key)));
    cr_assert(str_eq(answer_header(&a, "cache-control"), STR("no-store")));
    cr_assert_null(answer_header(&a, "etag").p);
    a = get(api_text(api, "%.*s", STR_FMT(location)), m.token);
    assert_status(a, 200);
    assert_text(a, "/name", "Script");
    assert_text(a, "/scopes/0", "account:read");
    assert_text(a, "/scopes/1", "orders:read");
    cr_assert_null(answer_get(api, &a, "/key"));
    cr_assert_null(strstr(a.body.p, key + APIKEY_START_LEN));
    cr_assert_eq(strncmp(key, answer_get(api, &a, "/start"), APIKEY_START_LEN), 0);
    a = get("/v1/api-keys", m.token);
    assert_status(a, 200);
    assert_text(a, "/items/0/name", "Script");
    cr_assert_null(strstr(a.body.p, key + APIKEY_START_LEN));
}

Test(api_key, is_not_stored)
{
    struct member m = api_member(api);
    const char *key = key_of(m.token, "\"scopes\":[\"orders:read\"]");

    cr_assert_eq(
        db_number("VIADUCT_USERS_PG", api_text(api,
                                               "SELECT count(*) FROM api_keys k WHERE "
                                               "strpos(k::text, '%s') > 0",
                                               key + APIKEY_START_LEN)),
        0);
    cr_assert_eq(
        db_number("VIADUCT_USERS_PG", api_text(api,
                                               "SELECT count(*) FROM api_keys WHERE "
                                               "hash = sha256('%s'::bytea)",
                                               key)),
        1);
}

Test(api_key, takes_scopes_that_the_account_has)
{
    struct member m = api_member(api);
    struct answer a = make(m.token, "\"scopes\":[\"orders:eat\",\"orders:read\"]");

    assert_problem(a, 422, "request.invalid");
    cr_assert(names_field(&a, "/scopes/0"));
    cr_assert_not(names_field(&a, "/scopes/1"));
    a = make(m.token, "\"scopes\":[\"admin\"]");
    assert_problem(a, 422, "request.invalid");
    a = make(m.token, "\"scopes\":[]");
    assert_problem(a, 422, "request.invalid");
    a = make(admin_token(), "\"scopes\":[\"products:write\"]");
    assert_problem(a, 422, "request.invalid");
    cr_assert(names_field(&a, "/scopes/0"));
}

Test(api_key, does_not_expire_in_the_past)
{
    struct member m = api_member(api);
    struct answer a = make(
        m.token, "\"scopes\":[\"orders:read\"],\"expires_at\":\"2020-01-01T00:00:00Z\"");

    assert_problem(a, 422, "request.invalid");
    cr_assert(names_field(&a, "/expires_at"));
}

Test(api_key, comes_in_a_bounded_number)
{
    struct member m = api_member(api);
    struct answer a = {0};

    for (int i = 0; i < 51; i++)
        a = make(m.token, "\"scopes\":[\"orders:read\"]");
    assert_problem(a, 409, "keys.too_many");
}

/* ---- using ---- */

Test(api_key, is_good_for_its_scopes_only)
{
    struct member m = api_member(api);
    const char *key = key_of(m.token, "\"scopes\":[\"account:read\"]");
    struct answer a = get("/v1/users/me", key);

    assert_status(a, 200);
    assert_text(a, "/id", m.id);
    a = get("/v1/orders", key);
    assert_problem(a, 403, "auth.key_scope_missing");
    cr_assert_not_null(strstr(answer_header(&a, "www-authenticate").p,
                              "error=\"insufficient_scope\", scope=\"orders:read\""));
    a = get(api_text(api, "/v1/users/%s/overview", m.id), key);
    assert_problem(a, 403, "auth.key_scope_missing");
}

Test(api_key, places_orders_of_its_account)
{
    struct member m = api_member(api);
    const char *key = key_of(m.token, "\"scopes\":[\"orders:write\",\"orders:read\"]");
    struct answer a = order_one(api, key, new_product(admin_token(), 5), 1);

    assert_status(a, 201);
    assert_text(a, "/user_id", m.id);
}

static void assert_not_for_keys(const char *method, const char *path, const char *key,
                                const char *json)
{
    struct answer a = api_call(api, method, path, key, json);

    cr_assert_eq(a.status, 403, "%s %s: %s", method, path, a.body.p);
    assert_text(a, "/code", "auth.key_not_allowed");
}

Test(api_key, makes_no_keys_and_changes_no_account)
{
    const char *admin = admin_token();
    struct member m = api_member(api);
    const char *key = key_of(
        admin, "\"scopes\":[\"admin\",\"account:read\",\"users:list\",\"orders:read\","
               "\"orders:write\",\"orders:fulfil\",\"products:write\","
               "\"reports:create\",\"jobs:read\"]");
    const char *me = api_text(api, "/v1/users/%s", m.id);

    assert_status(get("/v1/users", key), 200);
    assert_not_for_keys("POST", "/v1/api-keys", key,
                        "{\"name\":\"x\",\"scopes\":[\"orders:read\"]}");
    assert_not_for_keys("GET", "/v1/api-keys", key, NULL);
    assert_not_for_keys("DELETE", "/v1/api-keys/01890a5d-ac96-774b-bcce-b302099a8057",
                        key, NULL);
    assert_not_for_keys("PATCH", me, key, "{\"name\":\"x\"}");
    assert_not_for_keys("DELETE", me, key, NULL);
    assert_not_for_keys("POST", "/v1/auth/logout", key, NULL);
}

/* The scope `admin` is what makes an administrator's key more than a user's. */
Test(api_key, of_an_administrator_is_a_users_without_admin)
{
    struct member m = api_member(api);
    const char *admin = admin_token();
    const char *plain = key_of(admin, "\"scopes\":[\"account:read\"]");
    const char *full = key_of(admin, "\"scopes\":[\"account:read\",\"admin\"]");
    const char *path = api_text(api, "/v1/users/%s", m.id);

    assert_problem(get(path, plain), 404, "users.not_found");
    assert_status(get(path, full), 200);
}

Test(api_key, that_is_none_is_refused)
{
    struct member m = api_member(api);
    struct str key = str_of(key_of(m.token, "\"scopes\":[\"account:read\"]"));
    struct sha256 d;
    struct str stranger = apikey_new(&api->arena, &d);
    struct answer a;

    ((char *)(uintptr_t)key.p)[20] ^= 1;
    a = get("/v1/users/me", key.p);
    assert_problem(a, 401, "auth.key_invalid");
    cr_assert_not_null(strstr(answer_header(&a, "www-authenticate").p, "invalid_token"));
    for (int i = 0; i < 3; i++) /* asked for, then known */
        assert_problem(get("/v1/users/me", stranger.p), 401, "auth.key_invalid");
    assert_problem(get("/v1/users/me", "vk_"), 401, "auth.key_invalid");
}

Test(api_key, notes_the_day_of_its_use)
{
    struct member m = api_member(api);
    struct answer a = made(m.token, "\"scopes\":[\"account:read\"]");
    const char *path = api_text(api, "/v1/api-keys/%s", answer_get(api, &a, "/id"));

    cr_assert_null(answer_get(api, &a, "/last_used_on"));
    assert_status(get("/v1/users/me", answer_get(api, &a, "/key")), 200);
    a = get(path, m.token);
    cr_assert_eq(strlen(answer_get(api, &a, "/last_used_on")), 10);
}

/* ---- ending ---- */

static int status_of(const char *key)
{
    return get("/v1/users/me", key).status;
}

static bool is_void(void *key)
{
    return status_of(key) == 401;
}

struct elsewhere {
    struct api api;
    const char *key;
};

static bool is_void_elsewhere(void *arg)
{
    struct elsewhere *e = arg;

    return api_call(&e->api, "GET", "/v1/users/me", e->key, NULL).status == 401;
}

/* New connections come to any loop of the gateway; each has a cache of its own, and hears
 * the news in its own time. */
static void assert_void_everywhere(const char *key)
{
    struct elsewhere e = {.key = key};

    for (int i = 0; i < 12; i++) {
        api_open(&e.api, api->url);
        wait_until(is_void_elsewhere, &e, 20, "the key to be void");
        api_close(&e.api);
    }
}

static void use_everywhere(const char *key)
{
    struct api other;

    for (int i = 0; i < 12; i++) {
        api_open(&other, api->url);
        cr_assert_eq(api_call(&other, "GET", "/v1/users/me", key, NULL).status, 200);
        api_close(&other);
    }
}

Test(api_key, is_void_at_every_gateway_loop_when_revoked)
{
    struct member m = api_member(api);
    struct answer a = made(m.token, "\"scopes\":[\"account:read\"]");
    const char *key = answer_get(api, &a, "/key");
    const char *path = api_text(api, "/v1/api-keys/%s", answer_get(api, &a, "/id"));

    use_everywhere(key);
    assert_status(api_call(api, "DELETE", path, m.token, NULL), 204);
    assert_void_everywhere(key);
    assert_status(api_call(api, "DELETE", path, m.token, NULL), 204);
    assert_problem(get(path, m.token), 404, "keys.not_found");
}

Test(api_key, is_revoked_by_its_owner_only)
{
    struct member m = api_member(api), other = api_member(api);
    struct answer a = made(m.token, "\"scopes\":[\"account:read\"]");
    const char *path = api_text(api, "/v1/api-keys/%s", answer_get(api, &a, "/id"));

    assert_problem(get(path, other.token), 404, "keys.not_found");
    assert_problem(api_call(api, "DELETE", path, other.token, NULL), 404,
                   "keys.not_found");
    cr_assert_eq(status_of(answer_get(api, &a, "/key")), 200);
}

Test(api_key, ends_with_its_account)
{
    struct member m = api_member(api), gone = api_member(api);
    const char *key = key_of(m.token, "\"scopes\":[\"account:read\"]");
    const char *other = key_of(gone.token, "\"scopes\":[\"account:read\"]");

    use_everywhere(key);
    use_everywhere(other);
    assert_status(api_call(api, "PATCH", api_text(api, "/v1/users/%s", m.id),
                           admin_token(), "{\"status\":\"suspended\"}"),
                  200);
    assert_void_everywhere(key);
    assert_status(
        api_call(api, "DELETE", api_text(api, "/v1/users/%s", gone.id), gone.token, NULL),
        204);
    assert_void_everywhere(other);
}

/* RFC 3339, so many seconds from now by the clock of the machine. */
static const char *moment(int seconds)
{
    time_t t = time(NULL) + seconds;
    struct tm tm;
    char text[40];

    gmtime_r(&t, &tm);
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return api_text(api, "%s", text);
}

/* Known to the gateway as good when it ends. */
Test(api_key, ends_when_it_expires)
{
    struct member m = api_member(api);
    const char *key = key_of(
        m.token,
        api_text(api, "\"scopes\":[\"account:read\"],\"expires_at\":\"%s\"", moment(4)));

    (void)status_of(key);
    wait_until(is_void, (void *)(uintptr_t)key, 20, "the key to expire");
    assert_problem(get("/v1/users/me", key), 401, "auth.key_invalid");
}
