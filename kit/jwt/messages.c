// SPDX-License-Identifier: Apache-2.0
/* The descriptors of messages.h. */
#include "kit/jwt/messages.h"

WIRE_DEFINE(jwt_header, JWT_HEADER)
WIRE_DEFINE(jwt_cnf, JWT_CNF)
WIRE_DEFINE(jwt_body, JWT_BODY)
WIRE_DEFINE(jwt_jwk, JWT_JWK)
WIRE_DEFINE(jwt_jwks, JWT_JWKS)
