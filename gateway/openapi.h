// SPDX-License-Identifier: Apache-2.0
/* The OpenAPI 3.1 document of the route table, made from the rows that also match, check
 * and answer. Pure. */
#ifndef GATEWAY_OPENAPI_H
#define GATEWAY_OPENAPI_H

#include "gateway/edge/route.h"
#include "kit/base/buf.h"

enum { OPENAPI_BYTES_MAX = 4 << 20 };

/* What this gateway takes at most: the settings VIADUCT_MAX_HEAD_BYTES and _BODY_BYTES.
 */
struct openapi_limits {
    size_t head_bytes, body_bytes;
};

/* JSON into b, whose cap is at least OPENAPI_BYTES_MAX. `routes` ends with a NULL path.
 * Sizes are in it as numbers for programs: `x-limits` of the document for all heads and
 * for bodies, `x-max-body-bytes` of each operation that may have one. */
void openapi_write(struct buf *b, const struct route *routes,
                   const struct openapi_limits *limits);

#endif
