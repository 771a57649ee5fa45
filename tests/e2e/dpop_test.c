// SPDX-License-Identifier: Apache-2.0
/* Tokens that are bound to a key (DPoP): worth nothing without it. */
#include "tests/e2e/e2e.h"

#include "kit/dpop/dpop.h"
#include "tests/support/dpop/signer.h"

#include <time.h>

static struct signer *device, *thief;

static void open_suite(void)
{
    e2e_open();
    device = signer_create(SIGNER_ES256);
    thief = signer_create(SIGNER_ED25519);
}

static void close_suite(void)
{
    signer_destroy(device);
    signer_destroy(thief);
    e2e_close();
}

TestSuite(dpop, .init = open_suite, .fini = close_suite);

static const char *proof_for(const struct signer *s, const char *method, const char *path,
                             const char *token)
{
    const struct proof_of p = {.method = method,
                               .url = api_text(api, "%s%s", api->url, path),
                               .iat = time(NULL),
                               .token = token};

    return signer_proof(&api->arena, s, &p).p;
}

/* proof NULL: none. */
static struct answer call(const char *method, const char *path, const char *scheme,
                          const char *token, const char *json, const char *proof)
{
    const char *headers[3] = {NULL};
    unsigned n = 0;

    if (token)
        headers[n++] = api_text(api, "Authorization: %s %s", scheme, token);
    if (proof)
        headers[n++] = api_text(api, "DPoP: %s", proof);
    return api_call_with(api, method, path, NULL, json, headers);
}

struct bound {
    const char *token, *refresh_token;
};

static struct bound sign_in(const struct signer *s)
{
    struct member m = api_member(api);
    struct answer a = call(
        "POST", "/v1/auth/login", NULL, NULL,
        api_text(api, "{\"email\":\"%s\",\"password\":\"a long password\"}", m.email),
        proof_for(s, "POST", "/v1/auth/login", NULL));

    assert_status(a, 200);
    assert_text(a, "/token_type", "DPoP");
    return (struct bound){answer_get(api, &a, "/access_token"),
                          answer_get(api, &a, "/refresh_token")};
}

static struct answer get_me(const struct bound *b, const char *scheme, const char *proof)
{
    return call("GET", "/v1/users/me", scheme, b->token, NULL, proof);
}

static const char *good_proof(const struct bound *b)
{
    return proof_for(device, "GET", "/v1/users/me", b->token);
}

/* ---- using one ---- */

Test(dpop, token_is_good_with_a_proof_each)
{
    struct bound b = sign_in(device);

    for (int i = 0; i < 3; i++)
        assert_status(get_me(&b, "DPoP", good_proof(&b)), 200);
}

Test(dpop, token_works_with_ed25519_too)
{
    struct bound b = sign_in(thief);

    assert_status(get_me(&b, "DPoP", proof_for(thief, "GET", "/v1/users/me", b.token)),
                  200);
}

Test(dpop, token_is_nothing_without_its_proof)
{
    struct bound b = sign_in(device);
    struct answer a = get_me(&b, "Bearer", NULL);

    for (int i = 0; i < 2; i++) { /* verified, then from the cache */
        assert_problem(get_me(&b, "Bearer", NULL), 401, "auth.proof_missing");
        assert_problem(get_me(&b, "Bearer", good_proof(&b)), 401, "auth.proof_missing");
        assert_problem(get_me(&b, "DPoP", NULL), 401, "auth.proof_missing");
    }
    cr_assert_eq(strncmp(answer_header(&a, "www-authenticate").p, "DPoP ", 5), 0);
    cr_assert_not_null(
        strstr(answer_header(&a, "www-authenticate").p, "algs=\"ES256 EdDSA\""));
}

static void assert_bad_proof(const struct bound *b, const char *proof)
{
    struct answer a = get_me(b, "DPoP", proof);

    assert_problem(a, 401, "auth.proof_invalid");
    cr_assert_not_null(
        strstr(answer_header(&a, "www-authenticate").p, "error=\"invalid_dpop_proof\""));
}

Test(dpop, proof_is_for_one_request)
{
    struct bound b = sign_in(device), other = sign_in(device);
    struct proof_of late = {.method = "GET",
                            .url = api_text(api, "%s/v1/users/me", api->url),
                            .iat = time(NULL) - 120,
                            .token = b.token};

    assert_bad_proof(&b, proof_for(device, "POST", "/v1/users/me", b.token));
    assert_bad_proof(&b, proof_for(device, "GET", "/v1/orders", b.token));
    assert_bad_proof(&b, proof_for(device, "GET", "/v1/users/me", NULL));
    assert_bad_proof(&b, proof_for(device, "GET", "/v1/users/me", other.token));
    assert_bad_proof(&b, proof_for(thief, "GET", "/v1/users/me", b.token));
    assert_bad_proof(&b, signer_proof(&api->arena, device, &late).p);
    assert_bad_proof(&b, "no.proof.atall");
    assert_bad_proof(&b, "x");
}

Test(dpop, proofs_come_alone)
{
    struct bound b = sign_in(device);
    const char *headers[] = {api_text(api, "Authorization: DPoP %s", b.token),
                             api_text(api, "DPoP: %s", good_proof(&b)),
                             api_text(api, "DPoP: %s", good_proof(&b)), NULL};

    assert_problem(api_call_with(api, "GET", "/v1/users/me", NULL, NULL, headers), 401,
                   "auth.proof_invalid");
}

/* By any connection, to any loop of the gateway. */
Test(dpop, proof_is_good_once)
{
    struct bound b = sign_in(device);
    const char *proof = good_proof(&b);
    struct api other;

    assert_status(get_me(&b, "DPoP", proof), 200);
    assert_bad_proof(&b, proof);
    for (int i = 0; i < 12; i++) {
        const char *headers[] = {api_text(api, "Authorization: DPoP %s", b.token),
                                 api_text(api, "DPoP: %s", proof), NULL};

        api_open(&other, api->url);
        cr_assert_eq(
            api_call_with(&other, "GET", "/v1/users/me", NULL, NULL, headers).status,
            401);
        api_close(&other);
    }
}

Test(dpop, is_not_for_what_is_not_bound)
{
    struct member m = api_member(api);
    struct bound plain = {m.token, m.refresh_token};
    struct answer key = api_call(api, "POST", "/v1/api-keys", m.token,
                                 "{\"name\":\"x\",\"scopes\":[\"account:read\"]}");
    struct bound by_key = {answer_get(api, &key, "/key"), NULL};

    assert_problem(get_me(&plain, "DPoP", good_proof(&plain)), 401, "auth.token_invalid");
    assert_problem(get_me(&by_key, "DPoP", good_proof(&by_key)), 401, "auth.key_invalid");
    assert_status(get_me(&by_key, "Bearer", NULL), 200);
    assert_problem(get_me(&by_key, "DPoP", good_proof(&by_key)), 401, "auth.key_invalid");
}

/* ---- staying in ---- */

static struct answer refresh(const char *token, const char *proof)
{
    return call("POST", "/v1/auth/refresh", NULL, NULL,
                api_text(api, "{\"refresh_token\":\"%s\"}", token), proof);
}

static const char *refresh_proof(const struct signer *s)
{
    return proof_for(s, "POST", "/v1/auth/refresh", NULL);
}

Test(dpop, refresh_token_is_bound_too)
{
    struct bound b = sign_in(device);
    struct answer a;

    assert_problem(refresh(b.refresh_token, NULL), 401, "auth.proof_missing");
    assert_problem(refresh(b.refresh_token, refresh_proof(thief)), 401,
                   "auth.proof_missing");
    a = refresh(b.refresh_token, refresh_proof(device));
    assert_status(a, 200);
    assert_text(a, "/token_type", "DPoP");
    b.token = answer_get(api, &a, "/access_token");
    assert_problem(get_me(&b, "Bearer", NULL), 401, "auth.proof_missing");
    assert_status(get_me(&b, "DPoP", good_proof(&b)), 200);
}

/* The thief of a spent one cannot end the session either. */
Test(dpop, spent_refresh_token_says_nothing_without_the_key)
{
    struct bound b = sign_in(device);
    struct answer a = refresh(b.refresh_token, refresh_proof(device));

    a = refresh(answer_get(api, &a, "/refresh_token"), refresh_proof(device));
    assert_status(a, 200);
    assert_problem(refresh(b.refresh_token, NULL), 401, "auth.proof_missing");
    a = refresh(answer_get(api, &a, "/refresh_token"), refresh_proof(device));
    assert_status(a, 200);
}

Test(dpop, session_can_be_bound_when_it_is_refreshed)
{
    struct member m = api_member(api);
    struct answer a = refresh(m.refresh_token, refresh_proof(device));

    assert_status(a, 200);
    assert_text(a, "/token_type", "DPoP");
    assert_problem(refresh(answer_get(api, &a, "/refresh_token"), NULL), 401,
                   "auth.proof_missing");
}

Test(dpop, sign_in_with_a_bad_proof_is_refused)
{
    struct member m = api_member(api);
    const char *json =
        api_text(api, "{\"email\":\"%s\",\"password\":\"a long password\"}", m.email);
    struct answer a = call("POST", "/v1/auth/login", NULL, NULL, json,
                           proof_for(device, "POST", "/v1/auth/refresh", NULL));

    assert_problem(a, 401, "auth.proof_invalid");
    a = call("POST", "/v1/auth/login", NULL, NULL, json, "x");
    assert_problem(a, 401, "auth.proof_invalid");
}

Test(dpop, key_is_no_field_of_the_body)
{
    struct member m = api_member(api);
    struct answer a = api_call(
        api, "POST", "/v1/auth/login", NULL,
        api_text(api,
                 "{\"email\":\"%s\",\"password\":\"a long password\",\"jkt\":\"%s\"}",
                 m.email, signer_jkt(&api->arena, device).p));

    assert_problem(a, 422, "request.invalid");
}
