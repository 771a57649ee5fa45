// SPDX-License-Identifier: Apache-2.0
/*
 * Proofs of possession (RFC 9449): the client signs each request with the key that its
 * tokens are bound to. A proof is good for this method, this address and this token, for
 * a minute, and once: its id is kept in Redis until it is too old anyway, and in this
 * loop, which is all there is while Redis is away.
 */
#ifndef GATEWAY_EDGE_PROVE_H
#define GATEWAY_EDGE_PROVE_H

#include "gateway/edge/auth.h"
#include "gateway/edge/request.h"

/* There is a field DPoP. */
bool prove_offered(const struct request *rq);

/* Checks the proof of this request, then `next`, or refuses. claims: of the token in
 * rq->token, which is bound; they live as long as the flow. NULL: there is none yet, and
 * rq->jkt says in `next` whose key it is. */
MUST_CHECK enum step prove(struct flow *f, const struct auth_claims *claims,
                           flow_step next);

#endif
