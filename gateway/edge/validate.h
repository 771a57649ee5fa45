// SPDX-License-Identifier: Apache-2.0
/* From path, query and body to the request message of the route: f->in. */
#ifndef GATEWAY_EDGE_VALIDATE_H
#define GATEWAY_EDGE_VALIDATE_H

#include "gateway/edge/request.h"

/* What can be said before the body is there. */
MUST_CHECK const struct err *validate_head(struct request *rq);
MUST_CHECK const struct err *validate(struct request *rq);

/* Copies the set fields of `from` into the fields of the same name. A field that `to`
 * does not have, or has with another kind, is skipped: routes_check() has seen to that.
 */
void validate_copy(const struct wire_msg *from, const void *in, const struct wire_msg *to,
                   void *out);

#endif
