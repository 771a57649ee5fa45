// SPDX-License-Identifier: Apache-2.0
/*
 * Access tokens: JWS compact serialisation (RFC 7515), EdDSA with Ed25519 (RFC 8037), typ
 * at+jwt (RFC 9068). The algorithm comes from the key, never from the token (RFC 8725
 * section 3.1); only EdDSA exists here. Keys are made once and reused. Any thread may use
 * a keyring that no one changes.
 */
#ifndef KIT_JWT_JWT_H
#define KIT_JWT_JWT_H

#include "kit/base/arena.h"
#include "kit/base/err.h"
#include "kit/base/id.h"

struct jwt_claims {
    struct str iss, aud;
    struct uuid sub, sid, jti;
    uint32_t roles;        /* in the token: array of names, by the table given below */
    int64_t iat, nbf, exp; /* seconds since 1970 */
    struct uuid tenant;    /* nil: none */
    struct str jkt; /* cnf.jkt (RFC 9449): the key whose holder it is for; absent: any */
};

struct jwt_keyring;

enum { JWT_TOKEN_MAX = 4096, JWT_KEYS_MAX = 64, JWT_KID_MAX = 128 };

/* How keys can be bad. */
#define JWT_ERRORS(E)                                                        \
    E(BAD_KEYS, "jwt.bad_keys", INTERNAL, "The signing keys cannot be used") \
    E(BAD_JWKS, "jwt.bad_jwks", UNAVAILABLE, "The key set cannot be used")
JWT_ERRORS(ERR_DECLARE)

/* Names of role bits in order (at most 32), NULL-terminated: roles travel by name. A name
 * that the table does not know gives no bit. The table outlives the ring. */
struct jwt_keyring *jwt_keyring_create(const char *const *role_names);
void jwt_keyring_destroy(struct jwt_keyring *k);

/* Every `KID.pem` (PKCS#8 Ed25519 private key) of a directory; the one whose name sorts
 * last signs, all verify. Replaces what the ring held. Bad files and a directory without
 * any are errors that name them, and leave the ring as it was. */
MUST_CHECK const struct err *jwt_keyring_load_dir(struct jwt_keyring *k, struct arena *a,
                                                  const char *dir);
/* Writes a new key, KID.pem with a name that sorts behind those made before, readable by
 * its owner only. The directory exists. */
MUST_CHECK const struct err *jwt_key_make(struct arena *a, const char *dir);
/* RFC 7517 set of OKP keys; replaces the ring's public keys. Unknown key types are
 * skipped; on an error the ring stays as it was. */
MUST_CHECK const struct err *jwt_keyring_load_jwks(struct jwt_keyring *k, struct arena *a,
                                                   struct str json);
/* {"keys":[{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":..,"x":..}]} */
struct str jwt_keyring_jwks(const struct jwt_keyring *k, struct arena *a);

MUST_CHECK const struct err *jwt_sign(const struct jwt_keyring *k, struct arena *a,
                                      const struct jwt_claims *claims, struct str *token);

enum jwt_verdict {
    JWT_OK,
    JWT_MALFORMED,
    JWT_UNKNOWN_KEY, /* maybe a new key: fetch the JWKS and try once more */
    JWT_BAD_SIGNATURE,
    JWT_EXPIRED,
    JWT_NOT_YET,
    JWT_WRONG_AUDIENCE, /* iss, aud or typ */
};
/* leeway: 30 s on nbf and iat, none on exp. Strings of *out are in the arena. Tokens over
 * JWT_TOKEN_MAX bytes, with a `crit` header, without any of the claims above (nbf,
 * roles, tenant and cnf may be missing), with a cnf of another kind than jkt, or with a
 * claim of another type are malformed. */
enum jwt_verdict jwt_verify(const struct jwt_keyring *k, struct arena *a,
                            struct str token, struct str iss, struct str aud,
                            int64_t now_s, struct jwt_claims *out);

#endif
