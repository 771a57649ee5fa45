// SPDX-License-Identifier: Apache-2.0
/* Reading proofs, in the order of trust: form, header, key, signature; only then what it
 * says. */
#include "kit/dpop/dpop.h"

#include "kit/dpop/key.h"

struct parts {
    struct str header, body, signature; /* decoded */
    struct str text;                    /* what is signed */
};

/* Exactly three parts; none may be empty. */
static bool split(struct arena *a, struct str proof, struct parts *p)
{
    struct str rest, head, body;

    if (proof.n == 0 || proof.n > DPOP_PROOF_MAX)
        return false;
    head = str_split(proof, '.', &rest);
    if (!rest.p)
        return false;
    body = str_split(rest, '.', &rest);
    if (!rest.p || head.n == 0 || body.n == 0 || rest.n == 0)
        return false;
    p->text = (struct str){proof.p, head.n + 1 + body.n};
    p->header = base64url_decode(a, head);
    p->body = base64url_decode(a, body);
    p->signature = base64url_decode(a, rest);
    return p->header.p && p->body.p && p->signature.p;
}

static bool is_proof(const struct dpop_header *h)
{
    return str_eq_nocase(h->typ, STR("dpop+jwt")) && !h->has_crit;
}

static enum dpop_verdict check_signature(struct arena *a, const struct parts *p,
                                         struct sha256 *jkt)
{
    struct dpop_header h = {0};
    struct dpop_key *key;
    bool good;

    if (wire_from_json_lenient(a, &dpop_header_msg, p->header, &h) || !is_proof(&h))
        return DPOP_MALFORMED;
    key = dpop_key_read(h.jwk, h.alg);
    if (!key)
        return DPOP_BAD_KEY;
    good = dpop_key_verify(key, p->text, p->signature);
    dpop_key_destroy(key);
    *jkt = dpop_key_thumbprint(a, h.jwk);
    return good ? DPOP_OK : DPOP_BAD_SIGNATURE;
}

/* Another client's jti is another proof. */
static struct sha256 proof_id(struct arena *a, const struct sha256 *jkt, struct str jti)
{
    return sha256(
        arena_printf(a, "%.*s.%.*s", STR_FMT(dpop_jkt_text(a, jkt)), STR_FMT(jti)));
}

enum dpop_verdict dpop_read(struct arena *a, struct str proof, int64_t now_s,
                            struct dpop_proof *out)
{
    struct dpop_body b = {0};
    struct sha256 jkt;
    struct parts p;
    enum dpop_verdict v;

    if (!split(a, proof, &p))
        return DPOP_MALFORMED;
    v = check_signature(a, &p, &jkt);
    if (v != DPOP_OK)
        return v;
    if (wire_from_json_lenient(a, &dpop_body_msg, p.body, &b))
        return DPOP_MALFORMED;
    if (b.iat < now_s - DPOP_PAST_S || b.iat > now_s + DPOP_FUTURE_S)
        return DPOP_NOT_NOW;
    *out = (struct dpop_proof){.jkt = jkt,
                               .id = proof_id(a, &jkt, b.jti),
                               .htm = b.htm,
                               .htu = b.htu,
                               .iat = b.iat,
                               .ath = b.ath};
    return DPOP_OK;
}

struct str dpop_ath(struct arena *a, struct str access_token)
{
    struct sha256 d = sha256(access_token);

    return base64url_encode(a, d.b, sizeof d.b);
}

struct str dpop_jkt_text(struct arena *a, const struct sha256 *jkt)
{
    return base64url_encode(a, jkt->b, sizeof jkt->b);
}

bool dpop_jkt_read(struct arena *a, struct str text, struct sha256 *jkt)
{
    struct str raw = base64url_decode(a, text);

    if (raw.n != sizeof jkt->b)
        return false;
    memcpy(jkt->b, raw.p, sizeof jkt->b);
    return true;
}
