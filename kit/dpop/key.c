// SPDX-License-Identifier: Apache-2.0
/* Keys and signatures by OpenSSL's EVP. */
#include "kit/dpop/key.h"

#include "kit/base/mem.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <stdlib.h>

enum { HALF = 32, SIGNATURE_BYTES = 2 * HALF, DER_MAX = 80, NAMES = 3 };

struct dpop_key {
    EVP_PKEY *pkey;
    bool ecdsa;
};

static const struct {
    struct str alg, kty, crv;
    bool ecdsa;
} kinds[NAMES] = {
    {{"ES256", 5}, {"EC", 2}, {"P-256", 5}, true},
    {{"EdDSA", 5}, {"OKP", 3}, {"Ed25519", 7}, false},
    {{"Ed25519", 7}, {"OKP", 3}, {"Ed25519", 7}, false}, /* RFC 9864 */
};

/* OpenSSL refuses a point that is not on the curve. */
static EVP_PKEY *read_p256(const struct dpop_jwk *jwk)
{
    unsigned char point[1 + SIGNATURE_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    char group[] = "prime256v1";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;

    memcpy(point + 1, jwk->x.p, HALF);
    memcpy(point + 1 + HALF, jwk->y.p, HALF);
    if (!c || EVP_PKEY_fromdata_init(c) != 1 ||
        EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(c);
    return key;
}

static EVP_PKEY *read_ed25519(const struct dpop_jwk *jwk)
{
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
                                       (const unsigned char *)jwk->x.p, HALF);
}

static EVP_PKEY *read_public(const struct dpop_jwk *jwk, struct str alg, bool *ecdsa)
{
    for (unsigned i = 0; i < NAMES; i++) {
        if (!str_eq(kinds[i].alg, alg) || !str_eq(kinds[i].kty, jwk->kty) ||
            !str_eq(kinds[i].crv, jwk->crv) || kinds[i].ecdsa != jwk->has_y)
            continue;
        *ecdsa = kinds[i].ecdsa;
        return kinds[i].ecdsa ? read_p256(jwk) : read_ed25519(jwk);
    }
    return NULL;
}

struct dpop_key *dpop_key_read(const struct dpop_jwk *jwk, struct str alg)
{
    struct dpop_key *k;
    bool ecdsa;
    EVP_PKEY *pkey = jwk->has_d ? NULL : read_public(jwk, alg, &ecdsa);

    ERR_clear_error();
    if (!pkey)
        return NULL;
    k = MEM_NEW(struct dpop_key);
    *k = (struct dpop_key){pkey, ecdsa};
    return k;
}

void dpop_key_destroy(struct dpop_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey);
    free(k);
}

/* JOSE has the two numbers side by side (RFC 7518 section 3.4), OpenSSL wants DER. */
static int to_der(struct str signature, unsigned char der[DER_MAX])
{
    const unsigned char *raw = (const unsigned char *)signature.p;
    BIGNUM *r = BN_bin2bn(raw, HALF, NULL), *s = BN_bin2bn(raw + HALF, HALF, NULL);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    int n = -1;

    if (r && s && sig && ECDSA_SIG_set0(sig, r, s) == 1) {
        n = i2d_ECDSA_SIG(sig, &der);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(sig);
    return n;
}

static bool verify(const struct dpop_key *k, struct str text,
                   const unsigned char *signature, size_t n)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    const EVP_MD *md = k->ecdsa ? EVP_sha256() : NULL;
    bool good =
        c && EVP_DigestVerifyInit(c, NULL, md, NULL, k->pkey) == 1 &&
        EVP_DigestVerify(c, signature, n, (const unsigned char *)text.p, text.n) == 1;

    EVP_MD_CTX_free(c);
    ERR_clear_error();
    return good;
}

bool dpop_key_verify(const struct dpop_key *k, struct str text, struct str signature)
{
    unsigned char der[DER_MAX];
    int n;

    if (signature.n != SIGNATURE_BYTES)
        return false;
    if (!k->ecdsa)
        return verify(k, text, (const unsigned char *)signature.p, signature.n);
    n = to_der(signature, der);
    return n > 0 && verify(k, text, der, (size_t)n);
}

struct sha256 dpop_key_thumbprint(struct arena *a, const struct dpop_jwk *jwk)
{
    struct str x = base64url_encode(a, jwk->x.p, jwk->x.n), text;

    if (jwk->has_y)
        text = arena_printf(
            a, "{\"crv\":\"%.*s\",\"kty\":\"%.*s\",\"x\":\"%.*s\",\"y\":\"%.*s\"}",
            STR_FMT(jwk->crv), STR_FMT(jwk->kty), STR_FMT(x),
            STR_FMT(base64url_encode(a, jwk->y.p, jwk->y.n)));
    else
        text = arena_printf(a, "{\"crv\":\"%.*s\",\"kty\":\"%.*s\",\"x\":\"%.*s\"}",
                            STR_FMT(jwk->crv), STR_FMT(jwk->kty), STR_FMT(x));
    return sha256(text);
}
