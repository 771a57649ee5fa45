// SPDX-License-Identifier: Apache-2.0
/* What is noted about each request: a log line and a duration by route, method and
 * status. */
#ifndef GATEWAY_EDGE_ACCESS_H
#define GATEWAY_EDGE_ACCESS_H

#include "gateway/edge/route.h"

struct access;
struct request;

struct access *access_create(const struct route *routes);
void access_destroy(struct access *a);

/* e: how the work ended, NULL for well. */
void access_note(struct access *a, const struct request *rq, const struct err *e);

#endif
