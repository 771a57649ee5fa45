// SPDX-License-Identifier: Apache-2.0
/* The tables of kit/dpop/messages.h as data. */
#include "kit/dpop/messages.h"

WIRE_DEFINE(dpop_jwk, DPOP_JWK)
WIRE_DEFINE(dpop_header, DPOP_HEADER)
WIRE_DEFINE(dpop_body, DPOP_BODY)
