// SPDX-License-Identifier: Apache-2.0
/*
 * API keys as the gateway knows them: what users said of a key is kept for
 * a bounded time, under the key's SHA-256 and never the key itself. A revocation comes
 * as that of a session does (revocations.h) and ends it at once. While users is away,
 * what it said last is good for API_KEY_STALE_S. That a key is none is kept too, for a
 * moment, so that a client with a revoked key does not cost a look-up per call.
 */
#ifndef GATEWAY_EDGE_API_KEYS_H
#define GATEWAY_EDGE_API_KEYS_H

#include "gateway/edge/auth.h"
#include "kit/apikey/apikey.h"
#include "kit/rpc/client.h"
#include "proto/users.h"

struct api_key_cache;

enum { API_KEYS_SLOTS = 4096, API_KEY_NONE_MS = 5000 };

struct api_key_cache *api_keys_create(struct rpc_client *rpc,
                                      const struct revocations *revocations,
                                      int64_t fresh_ms);
void api_keys_destroy(struct api_key_cache *k);

/* One key of one request; in an arena, zeroed. */
struct api_key_use {
    struct sha256 digest;
    bool well_formed; /* false: a typo, nobody need be asked */
    bool asked;
    struct api_key_check in;
    struct api_key_owner out;
    struct rpc_call call;
};

void api_key_read(struct api_key_use *use, struct arena *a, struct str key);

/* Known as good and fresh; NULL otherwise. Valid in this turn. */
const struct auth_claims *api_keys_peek(struct api_key_cache *k,
                                        const struct api_key_use *use);

/* Starts the wait for what users says, or none when it is known that there is no such
 * key; then judge: NULL and *out, or why not. */
void api_keys_ask(struct flow *f, struct api_key_cache *k, struct api_key_use *use);
MUST_CHECK const struct err *api_keys_judge(struct flow *f, struct api_key_cache *k,
                                            const struct api_key_use *use,
                                            struct auth_claims *out);

#endif
