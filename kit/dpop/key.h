// SPDX-License-Identifier: Apache-2.0
/* Inside of kit/dpop: the key of a proof. */
#ifndef KIT_DPOP_KEY_H
#define KIT_DPOP_KEY_H

#include "kit/digest/digest.h"
#include "kit/dpop/messages.h"

struct dpop_key;

/* NULL when it is no public key that we take, or `alg` is not what it is for. */
struct dpop_key *dpop_key_read(const struct dpop_jwk *jwk, struct str alg);
void dpop_key_destroy(struct dpop_key *k);

/* signature.n may be anything. */
bool dpop_key_verify(const struct dpop_key *k, struct str text, struct str signature);

/* RFC 7638, of the values and not of the text they came in. */
struct sha256 dpop_key_thumbprint(struct arena *a, const struct dpop_jwk *jwk);

#endif
