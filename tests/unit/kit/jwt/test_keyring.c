// SPDX-License-Identifier: Apache-2.0
/* Keys from a directory and from a key set. */
#include "ring.h"

#include "kit/base/buf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define X1 "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w"
#define OKP(kid, more) \
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"" kid "\",\"x\":\"" X2 "\"" more "}"
#define X2 "gTl3Dqh9F19Wo1Rmw0x-zMuNipG07jeiXfYPW4_Js5Q"

static const char *const ROLES[] = {"user", "admin", "support", NULL};

static void put_file(const char *dir, const char *name, const char *text)
{
    FILE *f = fopen(arena_printf(&a, "%s/%s", dir, name).p, "w");

    fputs(text, f);
    fclose(f);
}

static bool says(const struct err *e, const char *part)
{
    return e && memmem(e->detail.p, e->detail.n, part, strlen(part));
}

static bool token_says(struct str token, const char *part)
{
    struct str head = base64url_decode(&a, str_split(token, '.', &token));

    return memmem(head.p, head.n, part, strlen(part)) != NULL;
}

TestSuite(keyring, .init = ring_setup, .fini = ring_teardown);

Test(keyring, the_name_that_sorts_last_signs)
{
    cr_assert(token_says(token_ok(), "\"kid\":\"k2\""));
}

Test(keyring, tokens_of_older_keys_stay_good_after_a_rotation)
{
    struct str token = token_ok();
    const char *dir = make_dir();

    write_pem(dir, "k2", 2);
    write_pem(dir, "k3", 3);
    cr_assert_null(jwt_keyring_load_dir(ring, &a, dir));
    cr_assert_eq(verdict(token), JWT_OK);
    cr_assert(token_says(token_ok(), "\"kid\":\"k3\""));
    dir = make_dir();
    write_pem(dir, "k3", 3);
    cr_assert_null(jwt_keyring_load_dir(ring, &a, dir));
    cr_assert_eq(verdict(token), JWT_UNKNOWN_KEY);
}

Test(keyring, other_files_of_the_directory_are_left_alone)
{
    const char *dir = make_dir();

    write_pem(dir, "k9", 9);
    write_pem(dir, ".hidden", 8);
    put_file(dir, "README", "not a key");
    cr_assert_null(jwt_keyring_load_dir(ring, &a, dir));
    cr_assert_eq(ring->keys.n, 1);
}

Test(keyring, bad_files_are_all_named_and_change_nothing)
{
    const char *dir = make_dir();
    struct str token = token_ok();
    const struct err *e;

    write_pem(dir, "good", 9);
    put_file(dir, "empty.pem", "");
    put_file(dir, "rubbish.pem",
             "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    e = jwt_keyring_load_dir(ring, &a, dir);
    cr_assert(says(e, "empty.pem") && says(e, "rubbish.pem") && !says(e, "good.pem"));
    cr_assert_eq(verdict(token), JWT_OK);
}

Test(keyring, a_key_of_another_kind_is_refused)
{
    const char *dir = make_dir();
    struct str make = arena_printf(&a,
                                   "openssl genpkey -quiet -algorithm EC -pkeyopt "
                                   "ec_paramgen_curve:P-256 -out %s/ec.pem",
                                   dir);

    cr_assert_eq(system(make.p), 0);
    cr_assert(says(jwt_keyring_load_dir(ring, &a, dir), "ec.pem"));
}

Test(keyring, a_key_that_is_as_long_and_cannot_sign_is_refused)
{
    const char *dir = make_dir();
    struct str make =
        arena_printf(&a, "openssl genpkey -quiet -algorithm X25519 -out %s/x.pem", dir);

    cr_assert_eq(system(make.p), 0);
    cr_assert(says(jwt_keyring_load_dir(ring, &a, dir), "x.pem"));
}

Test(keyring, an_encrypted_key_is_refused_and_nobody_is_asked)
{
    const char *dir = make_dir();
    struct str make = arena_printf(&a,
                                   "openssl genpkey -quiet -algorithm ED25519 -aes128 "
                                   "-pass pass:x -out %s/locked.pem",
                                   dir);

    cr_assert_eq(system(make.p), 0);
    cr_assert(says(jwt_keyring_load_dir(ring, &a, dir), "locked.pem"));
}

Test(keyring, a_directory_without_keys_is_an_error)
{
    const char *dir = make_dir();

    cr_assert(says(jwt_keyring_load_dir(ring, &a, dir), dir));
    cr_assert(says(jwt_keyring_load_dir(ring, &a, "/nowhere"), "/nowhere"));
}

Test(keyring, the_key_set_holds_public_keys_only)
{
    struct str json = jwt_keyring_jwks(ring, &a);

    cr_assert(str_eq(json, STR("{\"keys\":["
                               "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"sig\","
                               "\"alg\":\"EdDSA\",\"kid\":\"k1\",\"x\":\"" X1 "\"},"
                               "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"sig\","
                               "\"alg\":\"EdDSA\",\"kid\":\"k2\",\"x\":\"" X2 "\"}]}")),
              "%.*s", STR_FMT(json));
}

Test(keyring, a_ring_from_the_key_set_verifies_and_cannot_sign)
{
    struct str token = token_ok(), json = jwt_keyring_jwks(ring, &a);
    struct jwt_claims c = claims_ok();

    jwt_keyring_destroy(ring);
    ring = jwt_keyring_create(ROLES);
    cr_assert_eq(verdict(token), JWT_UNKNOWN_KEY);
    cr_assert_null(jwt_keyring_load_jwks(ring, &a, json));
    cr_assert_eq(verdict(token), JWT_OK);
    cr_assert_not_null(jwt_sign(ring, &a, &c, &token));
}

Test(keyring, a_new_key_set_replaces_the_old_public_keys_only)
{
    cr_assert_null(
        jwt_keyring_load_jwks(ring, &a, STR("{\"keys\":[" OKP("p1", "") "]}")));
    cr_assert_eq(ring->keys.n, 3);
    cr_assert_null(jwt_keyring_load_jwks(
        ring, &a, STR("{\"keys\":[" OKP("p2", "") "," OKP("k1", "") "]}")));
    cr_assert_eq(ring->keys.n, 3);
    cr_assert_null(jwt_keys_find(&ring->keys, STR("p1")));
    cr_assert(jwt_keys_find(&ring->keys, STR("k1"))->is_private);
    cr_assert_eq(verdict(token_ok()), JWT_OK);
}

Test(keyring, keys_of_other_kinds_and_members_unknown_to_us_are_skipped)
{
    cr_assert_null(jwt_keyring_load_jwks(
        ring, &a,
        STR("{\"more\":1,\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"},"
            "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\",\"x\":\"AQAB\",\"y\":"
            "\"AQAB\"},"
            "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"kid\":\"x\",\"x\":\"" X2
            "\"}," OKP("enc", ",\"use\":\"enc\"") "," OKP(
                "hs", ",\"alg\":\"HS256\"") "," OKP("new", ",\"x5c\":[\"AAAA\"]") "]}")));
    cr_assert_eq(ring->keys.n, 3);
    cr_assert_not_null(jwt_keys_find(&ring->keys, STR("new")));
}

Test(keyring, a_bad_key_set_changes_nothing)
{
    static const char *const BAD[] = {
        "",
        "{}",
        "[]",
        "{\"keys\":{}}",
        "{\"keys\":[1]}",
        "{\"keys\":[{\"crv\":\"Ed25519\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"AQAB\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"!\"}]}",
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X2 "\"}]}",
        "{\"keys\":[" OKP("a", "") "," OKP("a", "") "]}",
    };
    struct str token = token_ok();

    cr_assert_null(jwt_keyring_load_jwks(ring, &a, STR("{\"keys\":[" OKP("p", "") "]}")));
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        cr_assert_not_null(jwt_keyring_load_jwks(ring, &a, str_of(BAD[i])), "%s", BAD[i]);
        cr_assert_eq(ring->keys.n, 3);
        cr_assert_eq(verdict(token), JWT_OK);
    }
}

Test(keyring, a_set_with_too_many_keys_is_refused)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_str(&b, STR("{\"keys\":["));
    for (int i = 0; i < JWT_KEYS_MAX + 1; i++)
        buf_printf(&b,
                   "%s{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"n%d\",\"x\":\"" X2
                   "\"}",
                   i ? "," : "", i);
    buf_str(&b, STR("]}"));
    cr_assert_not_null(jwt_keyring_load_jwks(ring, &a, buf_view(&b)));
    cr_assert_eq(ring->keys.n, 2);
    buf_fini(&b);
}

Test(keyring, a_key_that_was_made_signs_from_then_on)
{
    const char *dir = make_dir();

    write_pem(dir, "19700101", 2);
    cr_assert_null(jwt_key_make(&a, dir));
    cr_assert_null(jwt_keyring_load_dir(ring, &a, dir));
    cr_assert(token_says(token_ok(), "\"kid\":\"20"));
}

Test(keyring, a_key_that_cannot_be_written_is_an_error_that_names_it)
{
    cr_assert(says(jwt_key_make(&a, "/nowhere/at/all"), "/nowhere/at/all/20"));
}
