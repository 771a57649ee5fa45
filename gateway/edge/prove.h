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

/* Checks the proof of this request and starts the wait that notes it, so that it is in
 * one round trip with what else the step starts. claims: of the token in rq->token, which
 * is bound. NULL: there is none yet. */
MUST_CHECK const struct err *prove_start(struct flow *f,
                                         const struct auth_claims *claims);
/* After the wait. NULL: it is the first time, and rq->jkt says whose key it is; or none
 * was started. */
MUST_CHECK const struct err *prove_judge(struct flow *f);

#endif
