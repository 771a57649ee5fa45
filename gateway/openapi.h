// SPDX-License-Identifier: Apache-2.0
/* The OpenAPI 3.1 document of the route table, made from the rows that also match, check
 * and answer. Pure. */
#ifndef GATEWAY_OPENAPI_H
#define GATEWAY_OPENAPI_H

#include "gateway/edge/route.h"
#include "kit/base/buf.h"

enum { OPENAPI_BYTES_MAX = 4 << 20 };

/* JSON into b, whose cap is at least OPENAPI_BYTES_MAX. `routes` ends with a NULL path.
 */
void openapi_write(struct buf *b, const struct route *routes);

#endif
