// SPDX-License-Identifier: Apache-2.0
/* Inside of kit/jwt: Ed25519 (RFC 8032) by OpenSSL's EVP. Any thread; a key is never
 * changed. */
#ifndef KIT_JWT_ED25519_H
#define KIT_JWT_ED25519_H

#include "kit/base/str.h"

enum { ED25519_KEY_BYTES = 32, ED25519_SIGNATURE_BYTES = 64 };

struct ed25519_key;

/* NULL when the bytes or the file are no such key. */
struct ed25519_key *ed25519_from_private(const uint8_t bytes[ED25519_KEY_BYTES]);
struct ed25519_key *ed25519_from_public(const uint8_t bytes[ED25519_KEY_BYTES]);
struct ed25519_key *ed25519_read_pem(const char *path);
void ed25519_destroy(struct ed25519_key *k);

bool ed25519_public(const struct ed25519_key *k, uint8_t out[ED25519_KEY_BYTES]);
bool ed25519_sign(const struct ed25519_key *k, struct str text,
                  uint8_t out[ED25519_SIGNATURE_BYTES]);
/* signature.n may be anything. */
bool ed25519_verify(const struct ed25519_key *k, struct str text, struct str signature);

#endif
