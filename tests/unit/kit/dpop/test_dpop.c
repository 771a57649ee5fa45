// SPDX-License-Identifier: Apache-2.0
/* Proofs that are good, the examples of RFC 9449 among them, and many that are not. */
#include "kit/base/id.h"
#include "kit/dpop/dpop.h"
#include "tests/support/dpop/signer.h"

#include <criterion/criterion.h>

enum { NOW = 1900000000 };

static struct arena arena;
static struct signer *es256, *ed25519;

static void setup(void)
{
    arena_init(&arena);
    es256 = signer_create(SIGNER_ES256);
    ed25519 = signer_create(SIGNER_ED25519);
}

static void teardown(void)
{
    signer_destroy(es256);
    signer_destroy(ed25519);
    arena_fini(&arena);
}

TestSuite(dpop, .init = setup, .fini = teardown);

static enum dpop_verdict verdict(struct str proof)
{
    struct dpop_proof out;

    return dpop_read(&arena, proof, NOW, &out);
}

/* ---- RFC 9449 ---- */

#define RFC_HEAD                                                                         \
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaH" \
    "gtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRs" \
    "Y3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19."
#define RFC_JKT "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

/* Section 4.1 */
static const char rfc_token_request[] = RFC_HEAD
    "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLm"
    "V4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ."
    "2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT"
    "3Lg";

/* Section 7.1, for the access token beside it */
static const char rfc_resource_request[] = RFC_HEAD
    "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5"
    "leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycj"
    "JaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9."
    "2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJp"
    "LjA";
static const char rfc_access_token[] = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

Test(dpop, reads_the_token_request_of_rfc_9449)
{
    struct dpop_proof p;

    cr_assert_eq(dpop_read(&arena, str_of(rfc_token_request), 1562262616, &p), DPOP_OK);
    cr_expect(str_eq(p.htm, STR("POST")));
    cr_expect(str_eq(p.htu, STR("https://server.example.com/token")));
    cr_expect_eq(p.iat, 1562262616);
    cr_expect_null(p.ath.p);
    cr_expect(str_eq(dpop_jkt_text(&arena, &p.jkt), STR(RFC_JKT)));
}

Test(dpop, reads_the_resource_request_of_rfc_9449)
{
    struct dpop_proof p;

    cr_assert_eq(dpop_read(&arena, str_of(rfc_resource_request), 1562262618, &p),
                 DPOP_OK);
    cr_expect(str_eq(p.htm, STR("GET")));
    cr_expect(str_eq(p.ath, dpop_ath(&arena, str_of(rfc_access_token))));
    cr_expect(str_eq(p.ath, STR("fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo")));
    cr_expect(str_eq(dpop_jkt_text(&arena, &p.jkt), STR(RFC_JKT)));
}

/* RFC 8037 appendix A.3: the thumbprint of an Ed25519 key. */
Test(dpop, thumbprints_are_those_of_rfc_7638)
{
    struct sha256 d = sha256(STR("{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":"
                                 "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"));

    cr_expect(str_eq(dpop_jkt_text(&arena, &d),
                     STR("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")));
}

/* ---- what is good ---- */

static struct str proof_at(const struct signer *s, int64_t iat)
{
    const struct proof_of p = {"GET", "https://api/v1/orders", iat, "one", NULL};

    return signer_proof(&arena, s, &p);
}

Test(dpop, takes_both_kinds_of_keys)
{
    struct dpop_proof p;

    cr_assert_eq(dpop_read(&arena, proof_at(es256, NOW), NOW, &p), DPOP_OK);
    cr_expect(str_eq(dpop_jkt_text(&arena, &p.jkt), signer_jkt(&arena, es256)));
    cr_assert_eq(dpop_read(&arena, proof_at(ed25519, NOW), NOW, &p), DPOP_OK);
    cr_expect(str_eq(dpop_jkt_text(&arena, &p.jkt), signer_jkt(&arena, ed25519)));
}

Test(dpop, is_the_same_proof_by_key_and_jti)
{
    struct dpop_proof one, again, other;

    (void)dpop_read(&arena, proof_at(es256, NOW), NOW, &one);
    (void)dpop_read(&arena, proof_at(es256, NOW + 1), NOW, &again);
    (void)dpop_read(&arena, proof_at(ed25519, NOW), NOW, &other);
    cr_expect(sha256_eq(&one.id, &again.id));
    cr_expect_not(sha256_eq(&one.id, &other.id));
}

Test(dpop, is_good_for_a_minute)
{
    cr_expect_eq(verdict(proof_at(es256, NOW - DPOP_PAST_S)), DPOP_OK);
    cr_expect_eq(verdict(proof_at(es256, NOW - DPOP_PAST_S - 1)), DPOP_NOT_NOW);
    cr_expect_eq(verdict(proof_at(es256, NOW + DPOP_FUTURE_S)), DPOP_OK);
    cr_expect_eq(verdict(proof_at(es256, NOW + DPOP_FUTURE_S + 1)), DPOP_NOT_NOW);
}

/* ---- what is not ---- */

static const char body[] =
    "{\"jti\":\"one\",\"htm\":\"GET\",\"htu\":\"https://api/\",\"iat\":1900000000}";

static enum dpop_verdict header_verdict(const struct signer *s, struct str header)
{
    return verdict(signer_jws(&arena, s, header, str_of(body)));
}

static struct str header(const char *typ, const char *alg, struct str jwk)
{
    return arena_printf(&arena, "{\"typ\":\"%s\",\"alg\":\"%s\",\"jwk\":%.*s}", typ, alg,
                        STR_FMT(jwk));
}

Test(dpop, takes_the_algorithm_from_the_key)
{
    static const char *const wrong[] = {"EdDSA", "none",  "HS256",
                                        "RS256", "ES384", "es256"};
    struct str jwk = signer_jwk(&arena, es256);

    cr_assert_eq(header_verdict(es256, header("dpop+jwt", "ES256", jwk)), DPOP_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(header_verdict(es256, header("dpop+jwt", wrong[i], jwk)),
                     DPOP_BAD_KEY, "%s", wrong[i]);
    jwk = signer_jwk(&arena, ed25519);
    cr_expect_eq(header_verdict(ed25519, header("dpop+jwt", "Ed25519", jwk)), DPOP_OK);
    cr_expect_eq(header_verdict(ed25519, header("dpop+jwt", "ES256", jwk)), DPOP_BAD_KEY);
}

Test(dpop, is_no_other_token)
{
    struct str jwk = signer_jwk(&arena, es256);

    cr_expect_eq(header_verdict(es256, header("at+jwt", "ES256", jwk)), DPOP_MALFORMED);
    cr_expect_eq(header_verdict(es256, header("JWT", "ES256", jwk)), DPOP_MALFORMED);
    cr_expect_eq(
        header_verdict(es256, arena_printf(&arena,
                                           "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\","
                                           "\"crit\":[\"x\"],\"jwk\":%.*s}",
                                           STR_FMT(jwk))),
        DPOP_MALFORMED);
}

static struct str with_member(struct str jwk, const char *member)
{
    return arena_printf(&arena, "%.*s,%s}", (int)jwk.n - 1, jwk.p, member);
}

Test(dpop, takes_public_keys_only)
{
    struct str jwk = with_member(signer_jwk(&arena, es256), "\"d\":\"AAAA\"");

    cr_expect_eq(header_verdict(es256, header("dpop+jwt", "ES256", jwk)), DPOP_BAD_KEY);
    jwk = with_member(signer_jwk(&arena, ed25519), "\"d\":\"\"");
    cr_expect_eq(header_verdict(ed25519, header("dpop+jwt", "EdDSA", jwk)), DPOP_BAD_KEY);
}

#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define ONES  "__________________________________________8"

static const char *const bad_keys[] = {
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ZEROS "\",\"y\":\"" ZEROS "\"}",
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ONES "\",\"y\":\"" ONES "\"}",
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ZEROS "\"}",
    "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" ZEROS "\",\"y\":\"" ZEROS "\"}",
    "{\"kty\":\"OKP\",\"crv\":\"P-256\",\"x\":\"" ZEROS "\",\"y\":\"" ZEROS "\"}",
    "{\"kty\":\"oct\",\"crv\":\"\",\"k\":\"AAAA\"}",
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\"}",
    "{}",
    "null",
    "[]",
    "7",
};

Test(dpop, refuses_keys_that_are_none)
{
    for (size_t i = 0; i < sizeof bad_keys / sizeof *bad_keys; i++)
        cr_expect_neq(
            header_verdict(es256, header("dpop+jwt", "ES256", str_of(bad_keys[i]))),
            DPOP_OK, "%s", bad_keys[i]);
}

/* One bit, anywhere. */
Test(dpop, that_was_changed_is_refused)
{
    struct str proof = proof_at(es256, NOW);

    for (size_t i = 0; i < proof.n; i++) {
        struct str copy = arena_str(&arena, proof);

        ((char *)(uintptr_t)copy.p)[i] ^= 1;
        cr_expect_neq(verdict(copy), DPOP_OK, "byte %zu", i);
    }
}

Test(dpop, signed_by_another_key_is_refused)
{
    struct signer *other = signer_create(SIGNER_ES256);

    cr_expect_eq(
        header_verdict(other, header("dpop+jwt", "ES256", signer_jwk(&arena, es256))),
        DPOP_BAD_SIGNATURE);
    signer_destroy(other);
}

/* r = s = 0, which a careless verifier takes for anything. */
Test(dpop, with_a_signature_of_zeros_is_refused)
{
    struct str proof = proof_at(es256, NOW);
    const char zeros[64] = {0};
    size_t text = proof.n - 86;

    proof = arena_printf(&arena, "%.*s%.*s", (int)text, proof.p,
                         STR_FMT(base64url_encode(&arena, zeros, sizeof zeros)));
    cr_expect_eq(verdict(proof), DPOP_BAD_SIGNATURE);
}

static const char *const bad_bodies[] = {
    "{}",
    "[]",
    "{\"jti\":\"\",\"htm\":\"GET\",\"htu\":\"https://api/\",\"iat\":1900000000}",
    "{\"htm\":\"GET\",\"htu\":\"https://api/\",\"iat\":1900000000}",
    "{\"jti\":\"one\",\"htu\":\"https://api/\",\"iat\":1900000000}",
    "{\"jti\":\"one\",\"htm\":\"GET\",\"iat\":1900000000}",
    "{\"jti\":\"one\",\"htm\":\"GET\",\"htu\":\"https://api/\"}",
    "{\"jti\":\"one\",\"htm\":\"GET\",\"htu\":\"https://api/\",\"iat\":\"1900000000\"}",
    "{\"jti\":\"one\",\"htm\":\"GET\",\"htu\":\"https://api/\",\"iat\":-1}",
    "{\"jti\":7,\"htm\":\"GET\",\"htu\":\"https://api/\",\"iat\":1900000000}",
    "{\"jti\":\"one\",\"htm\":\"GET\",\"htu\":\"https://api/\",\"iat\":1900000000,"
    "\"ath\":\"short\"}",
    "{\"jti\":\"one\",\"jti\":\"two\",\"htm\":\"GET\",\"htu\":\"https://api/\","
    "\"iat\":1900000000}",
};

Test(dpop, refuses_bodies_that_say_too_little)
{
    struct str head = header("dpop+jwt", "ES256", signer_jwk(&arena, es256));

    cr_assert_eq(verdict(signer_jws(&arena, es256, head, str_of(body))), DPOP_OK);
    for (size_t i = 0; i < sizeof bad_bodies / sizeof *bad_bodies; i++)
        cr_expect_eq(verdict(signer_jws(&arena, es256, head, str_of(bad_bodies[i]))),
                     DPOP_MALFORMED, "%s", bad_bodies[i]);
}

Test(dpop, is_bounded)
{
    char *big = arena_alloc(&arena, DPOP_PROOF_MAX + 1);

    memset(big, 'A', DPOP_PROOF_MAX + 1);
    big[10] = big[20] = '.';
    cr_expect_eq(verdict((struct str){big, DPOP_PROOF_MAX + 1}), DPOP_MALFORMED);
    cr_expect_eq(verdict(STR("")), DPOP_MALFORMED);
    cr_expect_eq(verdict(STR("..")), DPOP_MALFORMED);
    cr_expect_eq(verdict(STR("a.b")), DPOP_MALFORMED);
    cr_expect_eq(verdict(STR("a.b.c.d")), DPOP_MALFORMED);
}
