// SPDX-License-Identifier: Apache-2.0
/* Keyrings, claims and tokens for the tests. */
#ifndef TESTS_UNIT_KIT_JWT_RING_H
#define TESTS_UNIT_KIT_JWT_RING_H

#include "kit/jwt/keyring.h"

enum { NOW = 1900000000 };

extern struct arena a;
extern struct jwt_keyring *ring;

/* Before each test: `ring` signs with key "k2" and verifies "k1" too. */
void ring_setup(void);
void ring_teardown(void);

/* A fixed key, different for each seed. */
struct ed25519_key *key_of(uint8_t seed);
void write_pem(const char *dir, const char *kid, uint8_t seed);
/* Empty; its name lives in the arena. */
const char *make_dir(void);

struct jwt_claims claims_ok(void);
struct str token_ok(void);
/* Any header and claims, signed with k2. */
struct str token_of(const char *header, const char *claims);
enum jwt_verdict verdict(struct str token);

#define HEADER_OK "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k2\"}"
#define ID        "\"0198f1a2-0000-7000-8000-000000000001\""
#define CLAIMS_BUT(more) \
    "{\"iss\":\"us\",\"aud\":\"api\",\"sub\":" ID ",\"sid\":" ID ",\"jti\":" ID more "}"
#define CLAIMS_OK CLAIMS_BUT(",\"iat\":1900000000,\"exp\":1900000600")

#endif
