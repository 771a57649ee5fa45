// SPDX-License-Identifier: Apache-2.0
/*
 * Which pages of other origins may read answers in a browser (WHATWG Fetch, section 3.3).
 * Tokens travel in Authorization, never in cookies, so credentials are not allowed for.
 */
#ifndef GATEWAY_EDGE_CORS_H
#define GATEWAY_EDGE_CORS_H

#include "gateway/edge/fields.h"

/* NULL, or what is wrong with a list of origins: "https://app.example, http://a:3000". */
MUST_CHECK const struct err *cors_check(struct arena *a, const char *origins);

/* What every answer has: nothing when no origin is allowed at all. */
void cors_fields(struct fields *f, const struct request *rq);
/* What the answer to OPTIONS has beyond, when it is a preflight. */
void cors_preflight(struct fields *f, const struct request *rq);

#endif
