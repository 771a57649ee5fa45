// SPDX-License-Identifier: Apache-2.0
/* Inside of kit/jwt: the JSON of tokens and key sets, as tables. Read leniently: members
 * we do not know are skipped, as RFC 7515 and RFC 7517 ask for. */
#ifndef KIT_JWT_MESSAGES_H
#define KIT_JWT_MESSAGES_H

#include "kit/jwt/jwt.h"
#include "kit/wire/wire.h"

#define JWT_SECONDS_MAX 253402300799 /* the end of the year 9999 */

/* crit: whatever it asks for is unknown here, so its presence alone is a refusal. */
#define JWT_HEADER(F, T)                                 \
    F(T, str, alg, REQUIRED, 1, 32, "algorithm")         \
    F(T, str, typ, OPTIONAL, 0, 64, "type of the token") \
    F(T, str, kid, REQUIRED, 1, JWT_KID_MAX, "key id")   \
    F(T, strs, crit, OPTIONAL, 0, 16, "extensions that must be understood")
WIRE_MESSAGE(jwt_header, JWT_HEADER)

/* RFC 7800. What else it may hold we cannot check, so a token with it is refused. */
#define JWT_CNF(F, T) F(T, str, jkt, REQUIRED, 43, 43, "thumbprint of a key")
WIRE_MESSAGE(jwt_cnf, JWT_CNF)

#define JWT_BODY(F, T)                                         \
    F(T, str, iss, REQUIRED, 1, 256, "issuer")                 \
    F(T, str, aud, REQUIRED, 1, 256, "audience")               \
    F(T, uuid, sub, REQUIRED, 0, 0, "user")                    \
    F(T, uuid, sid, REQUIRED, 0, 0, "session")                 \
    F(T, uuid, jti, REQUIRED, 0, 0, "token id")                \
    F(T, strs, roles, OPTIONAL, 0, 64, "role names")           \
    F(T, i64, iat, REQUIRED, 0, JWT_SECONDS_MAX, "issued at")  \
    F(T, i64, nbf, OPTIONAL, 0, JWT_SECONDS_MAX, "not before") \
    F(T, i64, exp, REQUIRED, 0, JWT_SECONDS_MAX, "expires")    \
    F(T, uuid, tenant, OPTIONAL, 0, 0, "the user's tenant")    \
    F(T, obj(jwt_cnf), cnf, OPTIONAL, 0, 0, "confirmation")
WIRE_MESSAGE(jwt_body, JWT_BODY)

#define JWT_JWK(F, T)                            \
    F(T, str, kty, REQUIRED, 1, 32, "key type")  \
    F(T, str, crv, OPTIONAL, 0, 32, "curve")     \
    F(T, str, use, OPTIONAL, 0, 32, "what for")  \
    F(T, str, alg, OPTIONAL, 0, 32, "algorithm") \
    F(T, str, kid, OPTIONAL, 0, 1024, "key id")  \
    F(T, bytes, x, OPTIONAL, 0, 1024, "public key")
WIRE_MESSAGE(jwt_jwk, JWT_JWK)

#define JWT_JWKS(F, T) F(T, list(jwt_jwk), keys, REQUIRED, 0, 2 * JWT_KEYS_MAX, "keys")
WIRE_MESSAGE(jwt_jwks, JWT_JWKS)

#endif
