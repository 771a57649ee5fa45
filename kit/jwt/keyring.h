// SPDX-License-Identifier: Apache-2.0
/* Inside of kit/jwt: what a keyring holds. Loaders fill a new set and exchange it whole,
 * so that a failed load changes nothing. */
#ifndef KIT_JWT_KEYRING_H
#define KIT_JWT_KEYRING_H

#include "kit/jwt/ed25519.h"
#include "kit/jwt/jwt.h"

struct jwt_key {
    char kid[JWT_KID_MAX + 1];
    struct ed25519_key *key;
    uint8_t public[ED25519_KEY_BYTES];
    bool is_private;
};

struct jwt_keys {
    struct jwt_key v[JWT_KEYS_MAX];
    unsigned n;
};

struct jwt_keyring {
    const char *const *role_names;
    struct jwt_keys keys;
};

/* Takes the key. False, and the key is gone, when the set is full or the kid is too long,
 * empty, or there. */
bool jwt_keys_add(struct jwt_keys *set, struct str kid, struct ed25519_key *key,
                  bool is_private);
const struct jwt_key *jwt_keys_find(const struct jwt_keys *set, struct str kid);
void jwt_keys_clear(struct jwt_keys *set);
/* Heap. Takes what `set` holds. */
void jwt_keyring_exchange(struct jwt_keyring *k, struct jwt_keys *set);

#endif
