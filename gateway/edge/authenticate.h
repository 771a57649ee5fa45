// SPDX-License-Identifier: Apache-2.0
/*
 * Who calls: what Authorization holds is an access token or an API key. In two parts, as
 * the limit of the address is counted between them: what has been seen before costs
 * nothing and is known at once; what must be verified or asked for comes after, and so
 * does the proof of a token that is bound to a key: nobody counts as its user without.
 */
#ifndef GATEWAY_EDGE_AUTHENTICATE_H
#define GATEWAY_EDGE_AUTHENTICATE_H

#include "gateway/edge/request.h"

/* Reads the credential; true: it is known, and f->caller is set. */
bool authenticate_peek(struct flow *f);
/* Ends with pipeline_identified(), or refuses. */
MUST_CHECK enum step authenticate(struct flow *f);

#endif
