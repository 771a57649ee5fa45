// SPDX-License-Identifier: Apache-2.0
/* Public keys as an RFC 7517 set: written by who signs, read by who verifies. */
#include "kit/base/mem.h"
#include "kit/jwt/keyring.h"
#include "kit/jwt/messages.h"

#include <stdlib.h>

enum { JWKS_CAP = JWT_KEYS_MAX * 1024 };

static bool is_or_absent(bool has, struct str value, struct str want)
{
    return !has || str_eq(value, want);
}

static bool is_ours(const struct jwt_jwk *j)
{
    return str_eq(j->kty, STR("OKP")) && j->has_crv && str_eq(j->crv, STR("Ed25519")) &&
           is_or_absent(j->has_use, j->use, STR("sig")) &&
           is_or_absent(j->has_alg, j->alg, STR("EdDSA"));
}

static bool add_jwk(struct jwt_keys *set, const struct jwt_jwk *j)
{
    struct ed25519_key *key;

    if (!j->has_kid || !j->has_x || j->x.n != ED25519_KEY_BYTES)
        return false;
    key = ed25519_from_public((const uint8_t *)j->x.p);
    return key && jwt_keys_add(set, j->kid, key, false);
}

static bool is_private(const struct jwt_keyring *k, struct str kid)
{
    const struct jwt_key *key = jwt_keys_find(&k->keys, kid);

    return key && key->is_private;
}

/* What the ring has as a private key stays as that. */
static const struct err *read_set(const struct jwt_keyring *k, struct arena *a,
                                  struct str json, struct jwt_keys *set)
{
    struct jwt_jwks in = {0};
    const struct err *e = wire_from_json_lenient(a, &jwt_jwks_msg, json, &in);

    if (e)
        return err_new(a, &ERR_CODE_BAD_JWKS, "not a key set: %s", e->code->title);
    for (size_t i = 0; i < in.keys.n; i++) {
        const struct jwt_jwk *j = &in.keys.v[i];

        if (is_ours(j) && !(j->has_kid && is_private(k, j->kid)) && !add_jwk(set, j))
            return err_new(
                a, &ERR_CODE_BAD_JWKS,
                "key %zu has a bad or repeated kid or a bad x, or is one too many", i);
    }
    return NULL;
}

static void keep_private(struct jwt_keys *keys)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < keys->n; i++) {
        if (keys->v[i].is_private)
            keys->v[kept++] = keys->v[i];
        else
            ed25519_destroy(keys->v[i].key);
    }
    keys->n = kept;
}

static unsigned private_count(const struct jwt_keys *keys)
{
    unsigned n = 0;

    for (unsigned i = 0; i < keys->n; i++)
        n += keys->v[i].is_private;
    return n;
}

static const struct err *exchange_public(struct arena *a, struct jwt_keys *keys,
                                         struct jwt_keys *set)
{
    if (private_count(keys) + set->n > JWT_KEYS_MAX)
        return err_new(a, &ERR_CODE_BAD_JWKS, "more than %d keys", JWT_KEYS_MAX);
    keep_private(keys);
    memcpy(&keys->v[keys->n], set->v, sizeof set->v[0] * set->n);
    keys->n += set->n;
    set->n = 0;
    return NULL;
}

const struct err *jwt_keyring_load_jwks(struct jwt_keyring *k, struct arena *a,
                                        struct str json)
{
    struct jwt_keys *set = MEM_NEW(struct jwt_keys);
    const struct err *e = read_set(k, a, json, set);

    if (!e)
        e = exchange_public(a, &k->keys, set);
    jwt_keys_clear(set);
    free(set);
    return e;
}

static struct jwt_jwk jwk_of(const struct jwt_key *key)
{
    struct jwt_jwk j = {0};

    WIRE_SET(&j, kty, STR("OKP"));
    WIRE_SET(&j, crv, STR("Ed25519"));
    WIRE_SET(&j, use, STR("sig"));
    WIRE_SET(&j, alg, STR("EdDSA"));
    WIRE_SET(&j, kid, str_of(key->kid));
    WIRE_SET(&j, x, ((struct str){(const char *)key->public, sizeof key->public}));
    return j;
}

struct str jwt_keyring_jwks(const struct jwt_keyring *k, struct arena *a)
{
    struct jwt_jwk *v = ARENA_ARRAY(a, struct jwt_jwk, k->keys.n);
    struct jwt_jwks out = {0};
    struct str json;
    struct buf b;

    for (unsigned i = 0; i < k->keys.n; i++)
        v[i] = jwk_of(&k->keys.v[i]);
    WIRE_SET(&out, keys, ((struct jwt_jwk_list){v, k->keys.n}));
    buf_init(&b, JWKS_CAP);
    wire_to_json(&b, &jwt_jwks_msg, &out);
    json = arena_str(a, buf_view(&b));
    buf_fini(&b);
    return json;
}
