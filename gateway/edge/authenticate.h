// SPDX-License-Identifier: Apache-2.0
/*
 * Who calls: what Authorization holds is an access token or an API key. In two parts:
 * what has been seen before costs nothing and is known at once; what must be verified or
 * asked for, the proof of a token that is bound to a key too, is a second part, for
 * addresses that do not ask too much (limit_may_ask).
 */
#ifndef GATEWAY_EDGE_AUTHENTICATE_H
#define GATEWAY_EDGE_AUTHENTICATE_H

#include "gateway/edge/request.h"

/* Reads the credential; true: it is known, and f->caller is set, or there is none. */
bool authenticate_peek(struct flow *f);
/* Ends with pipeline_identified(), or refuses. */
MUST_CHECK enum step authenticate(struct flow *f);

#endif
