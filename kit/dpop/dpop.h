// SPDX-License-Identifier: Apache-2.0
/*
 * DPoP proofs (RFC 9449): a JWT that a client signs for one request, with a key that
 * never leaves it. Who has a token that is bound to the key (cnf.jkt) and not the key can
 * do nothing with it. Algorithms: ES256 and EdDSA with Ed25519; which of them comes from
 * the key, and the header must say the same. Pure; any thread.
 *
 * Not decided here: whether method and address are those of the request, and whether the
 * proof came before. See gateway/edge/prove.h.
 */
#ifndef KIT_DPOP_DPOP_H
#define KIT_DPOP_DPOP_H

#include "kit/base/arena.h"
#include "kit/digest/digest.h"

enum {
    DPOP_PROOF_MAX = 4096, /* bytes */
    DPOP_PAST_S = 60,      /* how old a proof may be, */
    DPOP_FUTURE_S = 30,    /* and how far ahead the client's clock */
};
#define DPOP_ALGORITHMS "ES256 EdDSA"

struct dpop_proof {
    struct sha256 jkt; /* thumbprint of the key (RFC 7638) */
    struct sha256 id;  /* of key and jti: a second one with the same id is a replay */
    struct str htm, htu;
    int64_t iat;    /* seconds since 1970 */
    struct str ath; /* absent: for no access token */
};

enum dpop_verdict {
    DPOP_OK,
    DPOP_MALFORMED,
    DPOP_BAD_KEY, /* another type, a private one, or no point of the curve */
    DPOP_BAD_SIGNATURE,
    DPOP_NOT_NOW,
};

/* Strings of *out are in the arena. */
enum dpop_verdict dpop_read(struct arena *a, struct str proof, int64_t now_s,
                            struct dpop_proof *out);

/* What a proof for that token has as `ath`. */
struct str dpop_ath(struct arena *a, struct str access_token);
/* 43 letters, as cnf.jkt has it; and back. */
struct str dpop_jkt_text(struct arena *a, const struct sha256 *jkt);
bool dpop_jkt_read(struct arena *a, struct str text, struct sha256 *jkt);

#endif
