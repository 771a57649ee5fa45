// SPDX-License-Identifier: Apache-2.0
/* Tokens from outside are any bytes at all. */
#include "ring.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void is(enum jwt_verdict want, const char *header, const char *claims)
{
    enum jwt_verdict got = verdict(token_of(header, claims));

    cr_assert_eq(got, want, "%d, not %d: %s %s", got, want, header, claims);
}

TestSuite(hostile, .init = ring_setup, .fini = ring_teardown);

Test(hostile, the_tokens_made_by_hand_here_are_good)
{
    is(JWT_OK, HEADER_OK, CLAIMS_OK);
}

Test(hostile, no_other_algorithm_is_accepted)
{
    is(JWT_MALFORMED, "{\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"k2\"}", CLAIMS_OK);
    is(JWT_MALFORMED, "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k2\"}", CLAIMS_OK);
    is(JWT_MALFORMED, "{\"alg\":\"eddsa\",\"typ\":\"at+jwt\",\"kid\":\"k2\"}", CLAIMS_OK);
    is(JWT_MALFORMED, "{\"typ\":\"at+jwt\",\"kid\":\"k2\"}", CLAIMS_OK);
    is(JWT_MALFORMED, "{\"alg\":[\"EdDSA\"],\"typ\":\"at+jwt\",\"kid\":\"k2\"}",
       CLAIMS_OK);
}

Test(hostile, other_kinds_of_token_are_refused)
{
    is(JWT_WRONG_AUDIENCE, "{\"alg\":\"EdDSA\",\"kid\":\"k2\"}", CLAIMS_OK);
    is(JWT_WRONG_AUDIENCE, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"k2\"}",
       CLAIMS_OK);
    is(JWT_OK, "{\"alg\":\"EdDSA\",\"typ\":\"application/AT+JWT\",\"kid\":\"k2\"}",
       CLAIMS_OK);
}

Test(hostile, critical_extensions_are_refused)
{
    is(JWT_MALFORMED,
       "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k2\",\"crit\":[\"b64\"]}",
       CLAIMS_OK);
    is(JWT_MALFORMED, "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k2\",\"crit\":[]}",
       CLAIMS_OK);
    is(JWT_MALFORMED,
       "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k2\",\"crit\":null}", CLAIMS_OK);
}

Test(hostile, a_key_in_the_header_is_not_looked_at)
{
    is(JWT_OK,
       "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k2\",\"jwk\":{\"kty\":\"OKP\"},"
       "\"jku\":\"http://evil\"}",
       CLAIMS_OK);
    is(JWT_UNKNOWN_KEY, "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"../k2\"}",
       CLAIMS_OK);
    is(JWT_BAD_SIGNATURE, "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
       CLAIMS_OK);
}

Test(hostile, a_claim_that_is_missing_twice_there_or_of_another_type_is_malformed)
{
    is(JWT_MALFORMED, HEADER_OK, CLAIMS_BUT(",\"iat\":1900000000"));
    is(JWT_MALFORMED, HEADER_OK, CLAIMS_BUT(",\"exp\":1900000600"));
    is(JWT_MALFORMED, HEADER_OK,
       CLAIMS_BUT(",\"iat\":1900000000,\"exp\":\"1900000600\""));
    is(JWT_MALFORMED, HEADER_OK, CLAIMS_BUT(",\"iat\":1900000000,\"exp\":1.9e9"));
    is(JWT_MALFORMED, HEADER_OK,
       CLAIMS_BUT(",\"iat\":1900000000,\"exp\":9223372036854775807"));
    is(JWT_MALFORMED, HEADER_OK, CLAIMS_BUT(",\"iat\":-1,\"exp\":1900000600"));
    is(JWT_MALFORMED, HEADER_OK,
       CLAIMS_BUT(",\"iat\":1900000000,\"exp\":1900000000,\"exp\":1900000600"));
    is(JWT_MALFORMED, HEADER_OK,
       CLAIMS_BUT(",\"iat\":1900000000,\"exp\":1900000600,\"roles\":\"admin\""));
    is(JWT_MALFORMED, HEADER_OK, "{}");
    is(JWT_MALFORMED, HEADER_OK, "null");
    is(JWT_MALFORMED, HEADER_OK, "");
}

Test(hostile, claims_and_roles_unknown_to_us_are_skipped)
{
    struct jwt_claims out;
    struct str token = token_of(
        HEADER_OK, CLAIMS_BUT(",\"iat\":1900000000,\"exp\":1900000600,\"x\":{\"y\":[1]},"
                              "\"roles\":[\"root\",\"admin\",\"admin\"]"));

    cr_assert_eq(jwt_verify(ring, &a, token, STR("us"), STR("api"), NOW, &out), JWT_OK);
    cr_assert_eq(out.roles, 2);
}

Test(hostile, only_the_compact_form_is_a_token)
{
    struct str t = token_ok();
    static const char *const BAD[] = {"",    ".",     "..",      "...", "a",
                                      "a.b", "a.b.c", "a.b.c.d", "{}"};

    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        cr_assert_eq(verdict(str_of(BAD[i])), JWT_MALFORMED, "%s", BAD[i]);
    cr_assert_eq(verdict(arena_printf(&a, "%s.", t.p)), JWT_MALFORMED);
    cr_assert_eq(verdict(arena_printf(&a, ".%s", t.p)), JWT_MALFORMED);
    cr_assert_eq(verdict(arena_printf(&a, " %s", t.p)), JWT_MALFORMED);
    cr_assert_eq(verdict(arena_printf(&a, "%s\n", t.p)), JWT_MALFORMED);
    cr_assert_eq(verdict(arena_printf(&a, "%s==", t.p)), JWT_MALFORMED);
    cr_assert_eq(verdict((struct str){0}), JWT_MALFORMED);
}

Test(hostile, one_signed_text_has_one_form_only)
{
    struct str token = token_ok();
    char *last = (char *)(uintptr_t)token.p + token.n - 1;

    cr_assert_eq(verdict(token), JWT_OK);
    /* 64 bytes leave two bits of the last digit unused: these must be zero */
    for (const char *c =
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
         *c; c++) {
        char good = *last;

        if (*c == good)
            continue;
        *last = *c;
        cr_assert_neq(verdict(token), JWT_OK, "%c for %c", *c, good);
        *last = good;
    }
}

Test(hostile, every_changed_byte_is_seen)
{
    struct str token = token_ok();
    char *p = (char *)(uintptr_t)token.p;

    for (size_t i = 0; i < token.n; i++) {
        char was = p[i];

        p[i] = was == 'A' ? 'B' : 'A';
        cr_assert_neq(verdict(token), JWT_OK, "byte %zu", i);
        p[i] = was;
    }
    for (size_t n = 0; n < token.n; n++)
        cr_assert_neq(verdict((struct str){token.p, n}), JWT_OK, "%zu bytes", n);
}

static struct str token_with_padding(size_t n)
{
    static char padding[JWT_TOKEN_MAX];

    memset(padding, 'x', sizeof padding);
    padding[n] = '\0';
    return token_of(HEADER_OK,
                    arena_printf(&a,
                                 CLAIMS_BUT(",\"iat\":1900000000,\"exp\":1900000600,"
                                            "\"x\":\"%s\""),
                                 padding)
                        .p);
}

Test(hostile, a_token_beyond_the_bound_is_not_even_looked_at)
{
    struct str token = token_with_padding(2500);

    cr_assert_leq(token.n, JWT_TOKEN_MAX);
    cr_assert_eq(verdict(token), JWT_OK);
    token = token_with_padding(3500);
    cr_assert_gt(token.n, JWT_TOKEN_MAX);
    cr_assert_eq(verdict(token), JWT_MALFORMED);
}

Test(hostile, deep_nesting_is_malformed)
{
    is(JWT_MALFORMED, HEADER_OK,
       CLAIMS_BUT(",\"iat\":1900000000,\"exp\":1900000600,"
                  "\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"));
}
