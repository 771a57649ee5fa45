// SPDX-License-Identifier: Apache-2.0
/* What clients see while a part is down (architecture, section 11). */
#include "kit/base/clock.h"
#include "kit/base/id.h"
#include "tests/support/dpop/signer.h"
#include "tests/support/stack/api.h"
#include "tests/support/stack/stack.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

static struct stack stack;
static struct api api;
static struct member member;

static void open_stack(void)
{
    (void)setenv("VIADUCT_LIMIT_IP", "0", 1);
    (void)setenv("VIADUCT_LIMIT_SIGN_IN", "0", 1);
    stack_start(&stack, getenv("VIADUCT_TEST_LOGS"));
    api_open(&api, stack.url);
    member = api_member(&api);
}

static void close_stack(void)
{
    api_close(&api);
    stack_stop(&stack);
}

TestSuite(degraded, .init = open_stack, .fini = close_stack, .timeout = 120);

static struct answer get(const char *path)
{
    return api_call(&api, "GET", path, member.token, NULL);
}

static int status_of(const char *path)
{
    return get(path).status;
}

static struct answer overview(void)
{
    return get(api_text(&api, "/v1/users/%s/overview", member.id));
}

static void expect_text(const struct answer *a, const char *pointer, const char *want)
{
    const char *got = answer_get(&api, a, pointer);

    cr_expect(got && strcmp(got, want) == 0, "%s of %s", pointer, a->body.p);
}

static void expect_503_at_once(const char *method, const char *path, const char *body)
{
    int64_t began_us = clock_mono_us();
    struct answer a = api_call(&api, method, path, member.token, body);

    cr_expect_eq(a.status, 503, "%d %s", a.status, a.body.p);
    cr_expect_not_null(answer_header(&a, "retry-after").p);
    expect_text(&a, "/code", "unavailable");
    cr_expect_lt(clock_mono_us() - began_us, 5000000, "it did not wait for a deadline");
}

static bool answers_200(void *path)
{
    return status_of(path) == 200;
}

static bool answers_401(void *path)
{
    return status_of(path) == 401;
}

static char me[] = "/v1/users/me", orders[] = "/v1/orders";

Test(degraded, without_orders_the_rest_goes_on)
{
    struct answer a;

    program_kill(&stack.part[STACK_ORDERS]);
    a = overview();
    cr_assert_eq(a.status, 200, "%s", a.body.p);
    expect_text(&a, "/partial", "true");
    expect_text(&a, "/unavailable", "[\"orders\"]");
    expect_text(&a, "/user/id", member.id);
    cr_expect_null(answer_get(&api, &a, "/orders"));
    expect_503_at_once("GET", orders, NULL);
    expect_503_at_once("POST", orders,
                       "{\"items\":[{\"product_id\":"
                       "\"01890000-0000-7000-8000-000000000000\",\"quantity\":1}]}");
    cr_expect_eq(status_of(me), 200);
    cr_expect_eq(status_of("/v1/jobs"), 200);

    stack_start_part(&stack, STACK_ORDERS);
    wait_until(answers_200, orders, 20, "orders to come back");
    a = overview();
    expect_text(&a, "/partial", "false");
    expect_text(&a, "/unavailable", "[]");
}

Test(degraded, without_users_tokens_still_hold)
{
    struct answer a;

    program_kill(&stack.part[STACK_USERS]);
    cr_expect_eq(status_of("/v1/products"), 200);
    cr_expect_eq(status_of(orders), 200);
    expect_503_at_once("GET", me, NULL);
    expect_503_at_once("POST", "/v1/auth/login",
                       "{\"email\":\"a@example.com\",\"password\":\"0123456789\"}");
    a = overview();
    cr_expect_eq(a.status, 200, "%s", a.body.p);
    expect_text(&a, "/unavailable", "[\"user\"]");
    stack_start_part(&stack, STACK_USERS);
    wait_until(answers_200, me, 20, "users to come back");
}

/* ---- API keys: what the gateway has heard of one is all it has ---- */

static const char *key, *key_path;

static void make_key(void)
{
    struct answer a = api_call(&api, "POST", "/v1/api-keys", member.token,
                               "{\"name\":\"Script\",\"scopes\":[\"orders:read\"]}");

    cr_assert_eq(a.status, 201, "%s", a.body.p);
    key = answer_get(&api, &a, "/key");
    key_path = api_text(&api, "/v1/api-keys/%s", answer_get(&api, &a, "/id"));
}

static int status_by_key(void)
{
    return api_call(&api, "GET", orders, key, NULL).status;
}

static bool key_is_refused(void *arg)
{
    (void)arg;
    return status_by_key() == 401;
}

static void revoke_key(void)
{
    cr_assert_eq(api_call(&api, "DELETE", key_path, member.token, NULL).status, 204);
}

static void restart_gateway(void)
{
    program_signal(&stack.part[STACK_GATEWAY], SIGTERM);
    cr_assert_eq(program_wait(&stack.part[STACK_GATEWAY], 30), 0);
    stack_start_part(&stack, STACK_GATEWAY);
}

Test(degraded, a_gateway_that_starts_without_users_says_503_and_not_401)
{
    program_kill(&stack.part[STACK_USERS]);
    restart_gateway();
    cr_expect_eq(status_of("/v1/products"), 200);
    expect_503_at_once("GET", orders, NULL);
    stack_start_part(&stack, STACK_USERS);
    wait_until(answers_200, orders, 20, "the keys to be fetched");
}

static void log_out(void)
{
    cr_assert_eq(api_call(&api, "POST", "/v1/auth/logout", member.token, NULL).status,
                 204);
}

static bool refuses(void *other)
{
    return api_call(other, "GET", me, member.token, NULL).status == 401;
}

/* Each connection may meet another loop, which hears of it in its own time. */
static void wait_refused_everywhere(void)
{
    for (int i = 0; i < 30; i++) {
        struct api other;

        api_open(&other, stack.url);
        wait_until(refuses, &other, 20, "the token to be refused");
        api_close(&other);
    }
}

Test(degraded, a_session_that_ended_is_refused_by_every_loop)
{
    cr_assert_eq(status_of(me), 200);
    log_out();
    wait_until(answers_401, orders, 20, "the token to be refused");
    wait_refused_everywhere();
}

Test(degraded, without_redis_limits_and_revocations_hold)
{
    struct answer a;

    program_env(&stack.part[STACK_GATEWAY], "VIADUCT_REDIS=redis://127.0.0.1:1");
    program_env(&stack.part[STACK_GATEWAY], "VIADUCT_LIMIT_USER=100000");
    restart_gateway();
    a = get(me);
    cr_expect_eq(a.status, 200, "%s", a.body.p);
    cr_expect_not_null(answer_header(&a, "ratelimit").p);
    make_key();
    cr_expect_eq(status_by_key(), 200);
    revoke_key();
    wait_until(key_is_refused, NULL, 20, "the list to be fetched");
    log_out();
    wait_until(answers_401, me, 20, "the list to be fetched");
}

/* Asked each time, so that it is the old answer that counts when users is gone. */
Test(degraded, without_users_api_keys_that_were_used_still_hold)
{
    program_env(&stack.part[STACK_GATEWAY], "VIADUCT_API_KEY_CACHE_MS=0");
    program_env(&stack.part[STACK_GATEWAY], "VIADUCT_LOOPS=1");
    restart_gateway();
    make_key();
    cr_assert_eq(status_by_key(), 200);
    program_kill(&stack.part[STACK_USERS]);
    cr_expect_eq(status_by_key(), 200);
    key = "vk_8d5XwVaiGFe4qW0wmEtTQCWkQ5wmcmsNPvtmlZUkGJvKTUE0";
    cr_expect_eq(status_by_key(), 401, "a typo needs nobody");
    stack_start_part(&stack, STACK_USERS);
}

/* ---- tokens that are bound to a key ---- */

static const char *proof_for(const struct signer *s, const char *method, const char *path,
                             const char *token)
{
    const struct proof_of p = {.method = method,
                               .url = api_text(&api, "%s%s", stack.url, path),
                               .iat = time(NULL),
                               .token = token};

    return signer_proof(&api.arena, s, &p).p;
}

static const char *bound_token(const struct signer *s)
{
    const char *headers[] = {
        api_text(&api, "DPoP: %s", proof_for(s, "POST", "/v1/auth/login", NULL)), NULL};
    struct answer a = api_call_with(
        &api, "POST", "/v1/auth/login", NULL,
        api_text(&api, "{\"email\":\"%s\",\"password\":\"a long password\"}",
                 member.email),
        headers);

    cr_assert_eq(a.status, 200, "%s", a.body.p);
    return answer_get(&api, &a, "/access_token");
}

static int status_with_proof(const char *token, const char *proof)
{
    const char *headers[] = {api_text(&api, "Authorization: DPoP %s", token),
                             api_text(&api, "DPoP: %s", proof), NULL};

    return api_call_with(&api, "GET", orders, NULL, NULL, headers).status;
}

Test(degraded, without_redis_a_proof_is_good_once_in_a_loop)
{
    struct signer *device = signer_create(SIGNER_ES256);
    const char *token, *proof;

    program_env(&stack.part[STACK_GATEWAY], "VIADUCT_REDIS=redis://127.0.0.1:1");
    program_env(&stack.part[STACK_GATEWAY], "VIADUCT_LOOPS=1");
    restart_gateway();
    token = bound_token(device);
    proof = proof_for(device, "GET", orders, token);
    cr_expect_eq(status_with_proof(token, proof), 200);
    cr_expect_eq(status_with_proof(token, proof), 401);
    cr_expect_eq(status_with_proof(token, proof_for(device, "GET", orders, token)), 200);
    signer_destroy(device);
}
