// SPDX-License-Identifier: Apache-2.0
/*
 * The public keys that access tokens are verified with, fetched from the users service:
 * at start, every minute, and when a token names a key that is not there, at most once a
 * second. What was fetched last stays in use while users is away.
 */
#ifndef GATEWAY_EDGE_KEYS_H
#define GATEWAY_EDGE_KEYS_H

#include "kit/jwt/jwt.h"
#include "kit/rpc/client.h"

#include <stdatomic.h>

struct keys;

struct keys *keys_create(struct loop *l, struct rpc_client *rpc);
void keys_destroy(struct keys *k);

const struct jwt_keyring *keys_ring(const struct keys *k);
/* They have been fetched once. Any thread. */
bool keys_loaded(const struct keys *k);
/* As the service sent them, for /.well-known/jwks.json; absent until loaded. */
struct str keys_jwks(const struct keys *k);

/* A wait of f until a fetch is over that started no longer than a second ago. */
void keys_wait(struct flow *f, struct keys *k);

#endif
