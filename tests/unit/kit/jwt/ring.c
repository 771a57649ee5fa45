// SPDX-License-Identifier: Apache-2.0
/* See ring.h. */
#include "ring.h"

#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <stdlib.h>

struct arena a;
struct jwt_keyring *ring;

static const char *const ROLES[] = {"user", "admin", "support", NULL};

struct ed25519_key *key_of(uint8_t seed)
{
    uint8_t bytes[ED25519_KEY_BYTES];

    memset(bytes, seed, sizeof bytes);
    return ed25519_from_private(bytes);
}

void write_pem(const char *dir, const char *kid, uint8_t seed)
{
    struct ed25519_key *key = key_of(seed);
    FILE *f = fopen(arena_printf(&a, "%s/%s.pem", dir, kid).p, "w");

    cr_assert_not_null(f);
    cr_assert_eq(PEM_write_PKCS8PrivateKey(f, (EVP_PKEY *)key, NULL, NULL, 0, NULL, NULL),
                 1);
    fclose(f);
    ed25519_destroy(key);
}

const char *make_dir(void)
{
    struct str path = arena_str(&a, STR("/tmp/viaduct-jwt-XXXXXX"));

    return mkdtemp((char *)(uintptr_t)path.p);
}

static void remove_tree(const char *dir)
{
    cr_assert_eq(system(arena_printf(&a, "rm -r %s", dir).p), 0);
}

void ring_setup(void)
{
    const char *dir;

    arena_init(&a);
    dir = make_dir();
    ring = jwt_keyring_create(ROLES);
    write_pem(dir, "k1", 1);
    write_pem(dir, "k2", 2);
    cr_assert_null(jwt_keyring_load_dir(ring, &a, dir));
    remove_tree(dir);
}

void ring_teardown(void)
{
    jwt_keyring_destroy(ring);
    arena_fini(&a);
}

static struct uuid uuid_of(uint8_t byte)
{
    struct uuid u;

    memset(u.b, byte, sizeof u.b);
    return u;
}

struct jwt_claims claims_ok(void)
{
    return (struct jwt_claims){
        .iss = STR("us"),
        .aud = STR("api"),
        .sub = uuid_of(1),
        .sid = uuid_of(2),
        .jti = uuid_of(3),
        .roles = 5,
        .iat = NOW,
        .nbf = NOW,
        .exp = NOW + 600,
    };
}

struct str token_ok(void)
{
    struct jwt_claims c = claims_ok();
    struct str token;

    cr_assert_null(jwt_sign(ring, &a, &c, &token));
    return token;
}

struct str token_of(const char *header, const char *claims)
{
    struct ed25519_key *key = key_of(2);
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    struct str head = base64url_encode(&a, header, strlen(header));
    struct str body = base64url_encode(&a, claims, strlen(claims));
    struct str text = arena_printf(&a, "%.*s.%.*s", STR_FMT(head), STR_FMT(body));

    cr_assert(ed25519_sign(key, text, signature));
    ed25519_destroy(key);
    head = base64url_encode(&a, signature, sizeof signature);
    return arena_printf(&a, "%.*s.%.*s", STR_FMT(text), STR_FMT(head));
}

enum jwt_verdict verdict(struct str token)
{
    struct jwt_claims c;

    return jwt_verify(ring, &a, token, STR("us"), STR("api"), NOW, &c);
}
