// SPDX-License-Identifier: Apache-2.0
/* A client that makes DPoP proofs. What is not said is as it should be; tests say what is
 * wrong. Aborts on any error. */
#ifndef TESTS_SUPPORT_DPOP_SIGNER_H
#define TESTS_SUPPORT_DPOP_SIGNER_H

#include "kit/base/arena.h"

struct signer;

enum signer_kind { SIGNER_ES256, SIGNER_ED25519 };

struct signer *signer_create(enum signer_kind kind);
void signer_destroy(struct signer *s);

/* {"kty":...}, without and with the private part (of ES256: not the real one). */
struct str signer_jwk(struct arena *a, const struct signer *s);
/* cnf.jkt of its key. */
struct str signer_jkt(struct arena *a, const struct signer *s);

/* The compact form of any header and body. */
struct str signer_jws(struct arena *a, const struct signer *s, struct str header,
                      struct str body);

struct proof_of {
    const char *method, *url;
    int64_t iat;
    const char *jti;   /* NULL: a fresh one */
    const char *token; /* NULL: no ath */
};
struct str signer_proof(struct arena *a, const struct signer *s,
                        const struct proof_of *p);

#endif
