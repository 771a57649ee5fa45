// SPDX-License-Identifier: Apache-2.0
/* Making tokens. */
#include "kit/jwt/keyring.h"
#include "kit/jwt/messages.h"

static const struct jwt_key *signer(const struct jwt_keyring *k)
{
    for (unsigned i = k->keys.n; i-- > 0;)
        if (k->keys.v[i].is_private)
            return &k->keys.v[i];
    return NULL;
}

/* Names of the bits that are set; bits without a name are left out. */
static struct str_list role_list(const struct jwt_keyring *k, struct arena *a,
                                 uint32_t roles)
{
    struct str_list list = {ARENA_ARRAY(a, struct str, 32), 0};

    for (unsigned i = 0; i < 32 && k->role_names[i]; i++)
        if (roles >> i & 1)
            list.v[list.n++] = str_of(k->role_names[i]);
    return list;
}

static struct jwt_body body_of(const struct jwt_keyring *k, struct arena *a,
                               const struct jwt_claims *c)
{
    struct jwt_body b = {0};

    WIRE_SET(&b, iss, c->iss);
    WIRE_SET(&b, aud, c->aud);
    WIRE_SET(&b, sub, c->sub);
    WIRE_SET(&b, sid, c->sid);
    WIRE_SET(&b, jti, c->jti);
    WIRE_SET(&b, roles, role_list(k, a, c->roles));
    WIRE_SET(&b, iat, c->iat);
    WIRE_SET(&b, nbf, c->nbf);
    WIRE_SET(&b, exp, c->exp);
    if (!uuid_is_nil(c->tenant))
        WIRE_SET(&b, tenant, c->tenant);
    if (c->jkt.p) {
        struct jwt_cnf *cnf = ARENA_NEW(a, struct jwt_cnf);

        WIRE_SET(cnf, jkt, c->jkt);
        WIRE_SET(&b, cnf, cnf);
    }
    return b;
}

static struct jwt_header header_of(const struct jwt_key *key)
{
    struct jwt_header h = {0};

    WIRE_SET(&h, alg, STR("EdDSA"));
    WIRE_SET(&h, typ, STR("at+jwt"));
    WIRE_SET(&h, kid, str_of(key->kid));
    return h;
}

/* Absent when it would be too long, or is not UTF-8. */
static struct str part(struct arena *a, const struct wire_msg *m, const void *msg)
{
    struct str text = {0};
    struct buf b;

    buf_init(&b, JWT_TOKEN_MAX);
    wire_to_json(&b, m, msg);
    if (!b.failed)
        text = base64url_encode(a, b.p, b.n);
    buf_fini(&b);
    return text;
}

const struct err *jwt_sign(const struct jwt_keyring *k, struct arena *a,
                           const struct jwt_claims *claims, struct str *token)
{
    const struct jwt_key *key = signer(k);
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    struct jwt_body body;
    struct jwt_header header;
    struct str head, claim, text;

    if (!key)
        return err_new(a, &ERR_CODE_BAD_KEYS, "no signing key");
    header = header_of(key);
    body = body_of(k, a, claims);
    head = part(a, &jwt_header_msg, &header);
    claim = part(a, &jwt_body_msg, &body);
    if (!head.p || !claim.p || wire_validate(a, &jwt_body_msg, &body))
        return err_new(a, &ERR_CODE_INTERNAL, "claims that no token can hold");
    text = arena_printf(a, "%.*s.%.*s", STR_FMT(head), STR_FMT(claim));
    if (!ed25519_sign(key->key, text, signature))
        return err_new(a, &ERR_CODE_INTERNAL, "signing failed");
    head = base64url_encode(a, signature, sizeof signature);
    *token = arena_printf(a, "%.*s.%.*s", STR_FMT(text), STR_FMT(head));
    return token->n <= JWT_TOKEN_MAX
               ? NULL
               : err_new(a, &ERR_CODE_INTERNAL, "claims that no token can hold");
}
