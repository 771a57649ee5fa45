// SPDX-License-Identifier: Apache-2.0
/*
 * Access tokens. A signature is verified once per token and loop (115 us); after that the
 * token itself is what is looked up, until it expires or its session is revoked.
 */
#ifndef GATEWAY_EDGE_AUTH_H
#define GATEWAY_EDGE_AUTH_H

#include "gateway/edge/keys.h"
#include "gateway/edge/revocations.h"
#include "kit/dpop/dpop.h"

struct auth;

/* Who somebody is, by a token or by an API key. */
struct auth_claims {
    struct uuid user;
    struct uuid session; /* nil: by an API key */
    struct uuid tenant;  /* nil: none */
    uint32_t roles;
    int64_t exp_s;
    struct uuid api_key; /* nil: by a token */
    uint32_t scopes;     /* of the key */
    bool bound;          /* only good with a proof of the key jkt */
    struct sha256 jkt;
};

enum auth_verdict { AUTH_OK, AUTH_INVALID, AUTH_UNKNOWN_KEY };

enum { AUTH_CACHE_SLOTS = 4096 };

struct auth *auth_create(const struct keys *keys, const struct revocations *revocations,
                         const char *issuer, const char *audience);
void auth_destroy(struct auth *a);

/* The token of "Bearer TOKEN" or "DPoP TOKEN" (*by_proof); absent without one. */
struct str auth_token(struct str authorization, bool *by_proof);
/* Seen before and still good; NULL otherwise. Valid in this turn. */
const struct auth_claims *auth_peek(struct auth *a, struct str token);
/* AUTH_UNKNOWN_KEY: fetch the keys and ask once more. */
enum auth_verdict auth_verify(struct auth *a, struct arena *arena, struct str token,
                              struct auth_claims *out);

#endif
