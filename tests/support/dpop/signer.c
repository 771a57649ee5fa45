// SPDX-License-Identifier: Apache-2.0
/* See signer.h. */
#include "tests/support/dpop/signer.h"

#include "kit/base/id.h"
#include "kit/base/mem.h"
#include "kit/dpop/dpop.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <stdlib.h>

enum { HALF = 32, SIGNATURE_BYTES = 64, DER_MAX = 80 };

struct signer {
    enum signer_kind kind;
    EVP_PKEY *key;
    unsigned char x[HALF], y[HALF];
};

static void must(bool fine)
{
    if (!fine)
        abort();
}

static void read_point(struct signer *s)
{
    unsigned char point[1 + 2 * HALF];
    size_t n = 0;

    must(EVP_PKEY_get_octet_string_param(s->key, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         sizeof point, &n) == 1 &&
         n == sizeof point);
    memcpy(s->x, point + 1, HALF);
    memcpy(s->y, point + 1 + HALF, HALF);
}

struct signer *signer_create(enum signer_kind kind)
{
    struct signer *s = MEM_NEW(struct signer);
    size_t n = HALF;

    s->kind = kind;
    s->key = kind == SIGNER_ES256 ? EVP_EC_gen("P-256")
                                  : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    must(s->key != NULL);
    if (kind == SIGNER_ES256)
        read_point(s);
    else
        must(EVP_PKEY_get_raw_public_key(s->key, s->x, &n) == 1);
    return s;
}

void signer_destroy(struct signer *s)
{
    EVP_PKEY_free(s->key);
    free(s);
}

/* The members in the order of RFC 7638, so that this is what is hashed, too. */
struct str signer_jwk(struct arena *a, const struct signer *s)
{
    struct str x = base64url_encode(a, s->x, HALF);

    if (s->kind == SIGNER_ED25519)
        return arena_printf(a, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%.*s\"}",
                            STR_FMT(x));
    return arena_printf(
        a, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%.*s\",\"y\":\"%.*s\"}", STR_FMT(x),
        STR_FMT(base64url_encode(a, s->y, HALF)));
}

struct str signer_jkt(struct arena *a, const struct signer *s)
{
    struct sha256 d = sha256(signer_jwk(a, s));

    return base64url_encode(a, d.b, sizeof d.b);
}

static void from_der(const unsigned char *der, size_t n,
                     unsigned char out[SIGNATURE_BYTES])
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);

    must(sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, HALF) == HALF &&
         BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + HALF, HALF) == HALF);
    ECDSA_SIG_free(sig);
}

static void sign(const struct signer *s, struct str text,
                 unsigned char out[SIGNATURE_BYTES])
{
    bool ecdsa = s->kind == SIGNER_ES256;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    unsigned char raw[DER_MAX];
    size_t n = sizeof raw;

    must(c &&
         EVP_DigestSignInit(c, NULL, ecdsa ? EVP_sha256() : NULL, NULL, s->key) == 1 &&
         EVP_DigestSign(c, raw, &n, (const unsigned char *)text.p, text.n) == 1);
    EVP_MD_CTX_free(c);
    if (ecdsa)
        from_der(raw, n, out);
    else
        memcpy(out, raw, SIGNATURE_BYTES);
}

struct str signer_jws(struct arena *a, const struct signer *s, struct str header,
                      struct str body)
{
    struct str head = base64url_encode(a, header.p, header.n);
    struct str text = base64url_encode(a, body.p, body.n);
    unsigned char signature[SIGNATURE_BYTES];

    text = arena_printf(a, "%.*s.%.*s", STR_FMT(head), STR_FMT(text));
    sign(s, text, signature);
    return arena_printf(a, "%.*s.%.*s", STR_FMT(text),
                        STR_FMT(base64url_encode(a, signature, sizeof signature)));
}

struct str signer_proof(struct arena *a, const struct signer *s, const struct proof_of *p)
{
    struct str jti = p->jti ? str_of(p->jti) : uuid_str(a, uuid_new());
    struct str ath = p->token ? arena_printf(a, ",\"ath\":\"%.*s\"",
                                             STR_FMT(dpop_ath(a, str_of(p->token))))
                              : STR("");

    return signer_jws(
        a, s,
        arena_printf(a, "{\"typ\":\"dpop+jwt\",\"alg\":\"%s\",\"jwk\":%.*s}",
                     s->kind == SIGNER_ES256 ? "ES256" : "EdDSA",
                     STR_FMT(signer_jwk(a, s))),
        arena_printf(a,
                     "{\"jti\":\"%.*s\",\"htm\":\"%s\",\"htu\":\"%s\",\"iat\":%lld%.*s}",
                     STR_FMT(jti), p->method, p->url, (long long)p->iat, STR_FMT(ath)));
}
