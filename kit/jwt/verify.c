// SPDX-License-Identifier: Apache-2.0
/*
 * Checking tokens, in the order of trust: form, header, signature; only then are the
 * claims read. Base64url is strict, so one signed text has one form only and a cache may
 * key verdicts by the token's hash.
 */
#include "kit/jwt/keyring.h"
#include "kit/jwt/messages.h"

enum { LEEWAY_S = 30 };

struct parts {
    struct str header, body, signature; /* decoded */
    struct str text;                    /* what is signed */
};

/* Exactly three parts; none may be empty. */
static bool split(struct arena *a, struct str token, struct parts *p)
{
    struct str rest, head, body;

    if (token.n == 0 || token.n > JWT_TOKEN_MAX)
        return false;
    head = str_split(token, '.', &rest);
    if (!rest.p)
        return false;
    body = str_split(rest, '.', &rest);
    if (!rest.p || head.n == 0 || body.n == 0 || rest.n == 0)
        return false;
    p->text = (struct str){token.p, head.n + 1 + body.n};
    p->header = base64url_decode(a, head);
    p->body = base64url_decode(a, body);
    p->signature = base64url_decode(a, rest);
    return p->header.p && p->body.p && p->signature.p;
}

/* RFC 7515 section 4.1.9: the prefix may be there. */
static bool is_access_token(const struct jwt_header *h)
{
    return h->has_typ && (str_eq_nocase(h->typ, STR("at+jwt")) ||
                          str_eq_nocase(h->typ, STR("application/at+jwt")));
}

static enum jwt_verdict check_signature(const struct jwt_keyring *k, struct arena *a,
                                        const struct parts *p)
{
    struct jwt_header h = {0};
    const struct jwt_key *key;

    if (wire_from_json_lenient(a, &jwt_header_msg, p->header, &h))
        return JWT_MALFORMED;
    if (!str_eq(h.alg, STR("EdDSA")) || h.has_crit)
        return JWT_MALFORMED;
    key = jwt_keys_find(&k->keys, h.kid);
    if (!key)
        return JWT_UNKNOWN_KEY;
    if (!ed25519_verify(key->key, p->text, p->signature))
        return JWT_BAD_SIGNATURE;
    return is_access_token(&h) ? JWT_OK : JWT_WRONG_AUDIENCE;
}

/* A name we do not know is a role of a newer version, and gives nothing here. */
static uint32_t role_bits(const struct jwt_keyring *k, const struct str_list *names)
{
    uint32_t bits = 0;

    for (unsigned bit = 0; bit < 32 && k->role_names[bit]; bit++)
        for (size_t i = 0; i < names->n; i++)
            if (str_eq(names->v[i], str_of(k->role_names[bit])))
                bits |= 1U << bit;
    return bits;
}

static bool read_claims(const struct jwt_keyring *k, struct arena *a, struct str json,
                        struct jwt_claims *out)
{
    struct jwt_body b = {0};

    if (wire_from_json_lenient(a, &jwt_body_msg, json, &b))
        return false;
    *out = (struct jwt_claims){
        .iss = b.iss,
        .aud = b.aud,
        .sub = b.sub,
        .sid = b.sid,
        .jti = b.jti,
        .roles = role_bits(k, &b.roles),
        .iat = b.iat,
        .nbf = b.nbf,
        .exp = b.exp,
        .tenant = b.tenant,
        .jkt = b.has_cnf ? b.cnf->jkt : (struct str){0},
    };
    return true;
}

static enum jwt_verdict check_claims(const struct jwt_claims *c, struct str iss,
                                     struct str aud, int64_t now_s)
{
    if (!str_eq(c->iss, iss) || !str_eq(c->aud, aud))
        return JWT_WRONG_AUDIENCE;
    if (c->exp <= now_s)
        return JWT_EXPIRED;
    if (c->nbf > now_s + LEEWAY_S || c->iat > now_s + LEEWAY_S)
        return JWT_NOT_YET;
    return JWT_OK;
}

enum jwt_verdict jwt_verify(const struct jwt_keyring *k, struct arena *a,
                            struct str token, struct str iss, struct str aud,
                            int64_t now_s, struct jwt_claims *out)
{
    struct parts p;
    enum jwt_verdict v;

    if (!split(a, token, &p))
        return JWT_MALFORMED;
    v = check_signature(k, a, &p);
    if (v != JWT_OK)
        return v;
    if (!read_claims(k, a, p.body, out))
        return JWT_MALFORMED;
    return check_claims(out, iss, aud, now_s);
}
