// SPDX-License-Identifier: Apache-2.0
/* The known answer of RFC 8037, appendix A. */
#include "ring.h"

#include <criterion/criterion.h>

#define A1_D    "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
#define A2_X    "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define A4_TEXT "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
#define A4_SIGNATURE                                                                  \
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_" \
    "MuM0KAg"

static const uint8_t *decoded(const char *text)
{
    return (const uint8_t *)base64url_decode(&a, str_of(text)).p;
}

TestSuite(ed25519, .init = ring_setup, .fini = ring_teardown);

Test(ed25519, signs_as_in_rfc8037_appendix_a4)
{
    struct ed25519_key *key = ed25519_from_private(decoded(A1_D));
    uint8_t signature[ED25519_SIGNATURE_BYTES], public[ED25519_KEY_BYTES];

    cr_assert(ed25519_sign(key, STR(A4_TEXT), signature));
    cr_assert(
        str_eq(base64url_encode(&a, signature, sizeof signature), STR(A4_SIGNATURE)));
    cr_assert(ed25519_public(key, public));
    cr_assert(str_eq(base64url_encode(&a, public, sizeof public), STR(A2_X)));
    ed25519_destroy(key);
}

Test(ed25519, verifies_as_in_rfc8037_appendix_a5)
{
    struct ed25519_key *key = ed25519_from_public(decoded(A2_X));
    struct str signature = base64url_decode(&a, STR(A4_SIGNATURE));

    cr_assert(ed25519_verify(key, STR(A4_TEXT), signature));
    cr_assert_not(ed25519_verify(key, STR(A4_TEXT "x"), signature));
    cr_assert_not(ed25519_verify(key, STR(A4_TEXT), (struct str){signature.p, 63}));
    cr_assert_not(ed25519_verify(key, STR(A4_TEXT), STR("")));
    ed25519_destroy(key);
}

Test(ed25519, any_flipped_bit_of_the_signature_is_seen)
{
    struct ed25519_key *key = ed25519_from_public(decoded(A2_X));
    uint8_t signature[ED25519_SIGNATURE_BYTES];

    memcpy(signature, decoded(A4_SIGNATURE), sizeof signature);
    for (unsigned bit = 0; bit < sizeof signature * 8; bit++) {
        signature[bit / 8] ^= (uint8_t)(1U << bit % 8);
        cr_assert_not(ed25519_verify(key, STR(A4_TEXT),
                                     (struct str){(char *)signature, sizeof signature}));
        signature[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    ed25519_destroy(key);
}
