// SPDX-License-Identifier: Apache-2.0
/*
 * Tokens from outside. The first byte says what the rest is: a token as it came; header
 * and claims, a line each, that are signed with a good key, so that the reading of claims
 * is reached too; or a key set.
 */
#include "kit/base/buf.h"
#include "kit/jwt/keyring.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1900000000 };

static const char *const ROLES[] = {"user", "admin", NULL};
static struct jwt_keyring *ring;
static struct ed25519_key *key;

static void must(bool true_thing)
{
    if (!true_thing)
        abort();
}

static void setup(void)
{
    uint8_t bytes[ED25519_KEY_BYTES] = {7};
    uint8_t public[ED25519_KEY_BYTES];

    key = ed25519_from_private(bytes);
    must(ed25519_public(key, public));
    ring = jwt_keyring_create(ROLES);
    must(jwt_keys_add(&ring->keys, STR("k"), ed25519_from_public(public), false));
}

static struct str sign(struct arena *a, struct str in)
{
    struct str claims, header = str_split(in, '\n', &claims);
    struct str head = base64url_encode(a, header.p, header.n);
    struct str body = base64url_encode(a, claims.p ? claims.p : "", claims.n);
    struct str text = arena_printf(a, "%.*s.%.*s", STR_FMT(head), STR_FMT(body));
    uint8_t signature[ED25519_SIGNATURE_BYTES];

    must(ed25519_sign(key, text, signature));
    head = base64url_encode(a, signature, sizeof signature);
    return arena_printf(a, "%.*s.%.*s", STR_FMT(text), STR_FMT(head));
}

static void verify(struct arena *a, struct str token, bool is_signed)
{
    struct jwt_claims c;
    enum jwt_verdict v = jwt_verify(ring, a, token, STR("us"), STR("api"), NOW, &c);

    must(v <= JWT_WRONG_AUDIENCE);
    if (v == JWT_OK)
        must(is_signed && str_eq(c.iss, STR("us")) && c.exp > NOW && c.roles < 4);
}

static void load(struct arena *a, struct str json)
{
    struct jwt_keyring *other = jwt_keyring_create(ROLES);
    const struct err *e = jwt_keyring_load_jwks(other, a, json);

    if (e)
        must(other->keys.n == 0 && e->detail.n > 0);
    else
        must(!jwt_keyring_load_jwks(other, a, jwt_keyring_jwks(other, a)));
    jwt_keyring_destroy(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data + 1, size - 1};
    struct arena a;

    if (size == 0)
        return 0;
    if (!ring)
        setup();
    arena_init(&a);
    switch (data[0] % 3) {
    case 0: verify(&a, rest, false); break;
    case 1: verify(&a, sign(&a, rest), true); break;
    default: load(&a, rest); break;
    }
    arena_fini(&a);
    return 0;
}
