// SPDX-License-Identifier: Apache-2.0
/* Tokens of our own making: what they carry and when they hold. */
#include "ring.h"

#include <criterion/criterion.h>

static enum jwt_verdict verdict_of(struct jwt_claims c, int64_t now)
{
    struct jwt_claims out;
    struct str token;

    cr_assert_null(jwt_sign(ring, &a, &c, &token));
    return jwt_verify(ring, &a, token, STR("us"), STR("api"), now, &out);
}

TestSuite(token, .init = ring_setup, .fini = ring_teardown);

Test(token, comes_back_as_it_was_signed)
{
    struct jwt_claims in = claims_ok(), out;

    cr_assert_eq(jwt_verify(ring, &a, token_ok(), STR("us"), STR("api"), NOW, &out),
                 JWT_OK);
    cr_assert(str_eq(out.iss, in.iss) && str_eq(out.aud, in.aud));
    cr_assert(uuid_eq(out.sub, in.sub) && uuid_eq(out.sid, in.sid) &&
              uuid_eq(out.jti, in.jti));
    cr_assert_eq(out.roles, 5);
    cr_assert(out.iat == in.iat && out.nbf == in.nbf && out.exp == in.exp);
}

Test(token, says_what_it_is)
{
    struct str rest, token = token_ok();
    struct str head = base64url_decode(&a, str_split(token, '.', &rest));
    struct str body = base64url_decode(&a, str_split(rest, '.', &rest));

    cr_assert(str_eq(head, STR(HEADER_OK)), "%.*s", STR_FMT(head));
    cr_assert_not_null(memmem(body.p, body.n, "\"roles\":[\"user\",\"support\"]", 26),
                       "%.*s", STR_FMT(body));
}

Test(token, expires_to_the_second)
{
    cr_assert_eq(verdict_of(claims_ok(), NOW + 599), JWT_OK);
    cr_assert_eq(verdict_of(claims_ok(), NOW + 600), JWT_EXPIRED);
}

Test(token, from_the_future_holds_within_the_leeway)
{
    struct jwt_claims c = claims_ok();

    cr_assert_eq(verdict_of(c, NOW - 30), JWT_OK);
    cr_assert_eq(verdict_of(c, NOW - 31), JWT_NOT_YET);
    c.nbf = NOW + 100;
    cr_assert_eq(verdict_of(c, NOW + 69), JWT_NOT_YET);
    cr_assert_eq(verdict_of(c, NOW + 70), JWT_OK);
    c = claims_ok();
    c.iat = NOW + 100;
    cr_assert_eq(verdict_of(c, NOW + 69), JWT_NOT_YET);
}

Test(token, is_for_one_issuer_and_audience)
{
    struct jwt_claims c = claims_ok();

    c.iss = STR("them");
    cr_assert_eq(verdict_of(c, NOW), JWT_WRONG_AUDIENCE);
    c = claims_ok();
    c.aud = STR("ap");
    cr_assert_eq(verdict_of(c, NOW), JWT_WRONG_AUDIENCE);
}

Test(token, bits_without_a_name_do_not_travel)
{
    struct jwt_claims c = claims_ok(), out;
    struct str token;

    c.roles = 0xffffffff;
    cr_assert_null(jwt_sign(ring, &a, &c, &token));
    cr_assert_eq(jwt_verify(ring, &a, token, STR("us"), STR("api"), NOW, &out), JWT_OK);
    cr_assert_eq(out.roles, 7);
    c.roles = 0;
    cr_assert_null(jwt_sign(ring, &a, &c, &token));
    cr_assert_eq(jwt_verify(ring, &a, token, STR("us"), STR("api"), NOW, &out), JWT_OK);
    cr_assert_eq(out.roles, 0);
}

Test(token, tells_of_a_tenant_if_there_is_one)
{
    struct jwt_claims c = claims_ok(), out;
    struct str token;

    cr_assert_null(jwt_sign(ring, &a, &c, &token));
    cr_assert_eq(jwt_verify(ring, &a, token, STR("us"), STR("api"), NOW, &out), JWT_OK);
    cr_assert(uuid_is_nil(out.tenant));
    c.tenant = uuid_new();
    cr_assert_null(jwt_sign(ring, &a, &c, &token));
    cr_assert_eq(jwt_verify(ring, &a, token, STR("us"), STR("api"), NOW, &out), JWT_OK);
    cr_assert(uuid_eq(out.tenant, c.tenant));
}

Test(token, that_could_not_be_read_again_is_not_signed)
{
    static char huge[5000];
    struct jwt_claims c = claims_ok();
    struct str token;

    c.iss = STR("");
    cr_assert_not_null(jwt_sign(ring, &a, &c, &token));
    memset(huge, 'x', sizeof huge);
    c.iss = (struct str){huge, sizeof huge};
    cr_assert_not_null(jwt_sign(ring, &a, &c, &token));
    c.iss = STR("\xff");
    cr_assert_not_null(jwt_sign(ring, &a, &c, &token));
}
