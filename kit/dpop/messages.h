// SPDX-License-Identifier: Apache-2.0
/* Inside of kit/dpop: the JSON of a proof, as tables. Members we do not know are skipped.
 */
#ifndef KIT_DPOP_MESSAGES_H
#define KIT_DPOP_MESSAGES_H

#include "kit/wire/wire.h"

#define DPOP_SECONDS_MAX 253402300799 /* the end of the year 9999 */

/* d is the private part: nobody may send it. */
#define DPOP_JWK(F, T)                                 \
    F(T, str, kty, REQUIRED, 1, 16, "key type")        \
    F(T, str, crv, REQUIRED, 1, 16, "curve")           \
    F(T, bytes, x, REQUIRED, 32, 32, "public key")     \
    F(T, bytes, y, OPTIONAL, 32, 32, "its other half") \
    F(T, str, d, OPTIONAL, 0, 1024, "private key")
WIRE_MESSAGE(dpop_jwk, DPOP_JWK)

#define DPOP_HEADER(F, T)                               \
    F(T, str, typ, REQUIRED, 1, 64, "dpop+jwt")         \
    F(T, str, alg, REQUIRED, 1, 32, "algorithm")        \
    F(T, obj(dpop_jwk), jwk, REQUIRED, 0, 0, "the key") \
    F(T, strs, crit, OPTIONAL, 0, 16, "extensions that must be understood")
WIRE_MESSAGE(dpop_header, DPOP_HEADER)

#define DPOP_BODY(F, T)                                      \
    F(T, str, jti, REQUIRED, 1, 256, "never the same twice") \
    F(T, str, htm, REQUIRED, 1, 16, "method")                \
    F(T, str, htu, REQUIRED, 1, 2048, "address")             \
    F(T, i64, iat, REQUIRED, 0, DPOP_SECONDS_MAX, "when")    \
    F(T, str, ath, OPTIONAL, 43, 43, "hash of the access token")
WIRE_MESSAGE(dpop_body, DPOP_BODY)

#endif
