// SPDX-License-Identifier: Apache-2.0
/* Signing in, staying in, and being out. */
#include "tests/e2e/e2e.h"

#include "kit/base/clock.h"
#include "kit/jwt/jwt.h"
#include "proto/roles.h"
#include "tests/support/stack/program.h"

#include <stdlib.h>

E2E_SUITE(session);

static struct answer refresh(const char *token)
{
    return api_call(api, "POST", "/v1/auth/refresh", NULL,
                    api_text(api, "{\"refresh_token\":\"%s\"}", token));
}

static struct answer login(const char *email, const char *password)
{
    return api_call(
        api, "POST", "/v1/auth/login", NULL,
        api_text(api, "{\"email\":\"%s\",\"password\":\"%s\"}", email, password));
}

Test(session, opens_with_the_right_password_only)
{
    struct member m = api_member(api);
    struct answer wrong = login(m.email, "not the password");
    struct answer unknown = login("nobody@example.com", "not the password");

    assert_problem(wrong, 401, "auth.bad_credentials");
    assert_problem(unknown, 401, "auth.bad_credentials");
    assert_text(wrong, "/title", answer_get(api, &unknown, "/title"));
    cr_assert_not_null(answer_header(&wrong, "www-authenticate").p);
}

Test(session, makes_many_failures_wait)
{
    struct member m = api_member(api);
    struct answer a = {0};
    int tries = 0;

    /* the first wait is of a second, which may have gone by on a slow machine; each that
     * has doubles the next */
    while (a.status != 429 && tries++ < 15)
        a = login(m.email, "not the password");
    cr_assert_gt(tries, 5, "refused at try %d", tries);
    assert_problem(a, 429, "auth.too_many_attempts");
    cr_assert_not_null(answer_header(&a, "retry-after").p);
}

Test(session, gives_new_tokens_for_the_refresh_token)
{
    struct member m = api_member(api);
    struct answer a = refresh(m.refresh_token);

    assert_status(a, 200);
    cr_assert_str_neq(answer_get(api, &a, "/refresh_token"), m.refresh_token);
    a = api_call(api, "GET", "/v1/users/me", answer_get(api, &a, "/access_token"), NULL);
    assert_status(a, 200);
}

Test(session, forgives_one_lost_answer)
{
    struct member m = api_member(api);
    struct answer lost = refresh(m.refresh_token), again = refresh(m.refresh_token);

    assert_status(lost, 200);
    assert_status(again, 200);
    assert_status(refresh(answer_get(api, &again, "/refresh_token")), 200);
}

Test(session, ends_when_a_spent_token_comes_back)
{
    struct member m = api_member(api);
    struct answer first = refresh(m.refresh_token), second;
    const char *newest;

    second = refresh(answer_get(api, &first, "/refresh_token"));
    newest = answer_get(api, &second, "/refresh_token");
    assert_problem(refresh(m.refresh_token), 401, "auth.refresh_invalid");
    assert_problem(refresh(newest), 401, "auth.refresh_invalid");
}

Test(session, is_refused_with_an_unknown_refresh_token)
{
    assert_problem(refresh("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), 401,
                   "auth.refresh_invalid");
}

struct me {
    const char *token;
};

static bool is_out(void *arg)
{
    const struct me *me = arg;

    return api_call(api, "GET", "/v1/users/me", me->token, NULL).status == 401;
}

Test(session, ends_with_logout_at_every_gateway_loop)
{
    struct member m = api_member(api);
    struct me me = {m.token};

    assert_status(api_call(api, "POST", "/v1/auth/logout", m.token, NULL), 204);
    wait_until(is_out, &me, 20, "the token to be void");
    assert_problem(refresh(m.refresh_token), 401, "auth.refresh_invalid");
}

/* ---- tokens that are not good
 * --------------------------------------------------------------- */

/* Signed with the stack's own key. */
static const char *signed_token(int64_t age_s, const char *audience)
{
    struct jwt_keyring *ring = jwt_keyring_create(ROLE_NAMES);
    int64_t now_s = clock_wall_us() / 1000000;
    struct jwt_claims claims = {.iss = STR("viaduct"),
                                .aud = str_of(audience),
                                .sub = uuid_new(),
                                .sid = uuid_new(),
                                .jti = uuid_new(),
                                .roles = ROLE_USER,
                                .iat = now_s - age_s,
                                .nbf = now_s - age_s,
                                .exp = now_s - age_s + 600};
    struct str token;

    cr_assert_null(jwt_keyring_load_dir(ring, &api->arena, getenv("VIADUCT_USERS_KEYS")));
    cr_assert_null(jwt_sign(ring, &api->arena, &claims, &token));
    jwt_keyring_destroy(ring);
    return token.p;
}

static void assert_refused(const char *token)
{
    struct answer a = api_call(api, "GET", "/v1/orders", token, NULL);

    assert_problem(a, 401, "auth.token_invalid");
    cr_assert(strstr(answer_header(&a, "www-authenticate").p, "invalid_token"));
}

Test(session, takes_a_token_that_is_good)
{
    assert_status(
        api_call(api, "GET", "/v1/orders", signed_token(0, "viaduct-api"), NULL), 200);
}

Test(session, refuses_an_expired_token)
{
    assert_refused(signed_token(601, "viaduct-api"));
}

Test(session, refuses_a_token_for_somebody_else)
{
    assert_refused(signed_token(0, "another-api"));
}

Test(session, refuses_tokens_that_were_tampered_with)
{
    struct member m = api_member(api);
    struct str copy = arena_str(&api->arena, str_of(m.token));
    char *last = (char *)(uintptr_t)copy.p + copy.n - 10;

    *last = *last == 'A' ? 'B' : 'A';
    assert_refused(copy.p);
    assert_refused("no.token.atall");
    assert_refused("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.");
}

Test(session, asks_for_a_token_where_one_is_needed)
{
    struct answer a = api_call(api, "GET", "/v1/orders", NULL, NULL);

    assert_problem(a, 401, "auth.token_missing");
    cr_assert_not_null(answer_header(&a, "www-authenticate").p);
}

Test(session, keys_are_published)
{
    struct answer a = api_call(api, "GET", "/.well-known/jwks.json", NULL, NULL);

    assert_status(a, 200);
    assert_text(a, "/keys/0/alg", "EdDSA");
    cr_assert_null(answer_get(api, &a, "/keys/0/d"));
}
