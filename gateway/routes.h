// SPDX-License-Identifier: Apache-2.0
/* The one table of routes. A new route is one row in routes.c. */
#ifndef GATEWAY_ROUTES_H
#define GATEWAY_ROUTES_H

#include "gateway/edge/route.h"

/* Ends with a row whose path is NULL. */
extern const struct route routes[];

/* Rows that contradict themselves or the message tables: NULL, or a sentence about the
 * first one. Asked at start. */
const char *routes_check(struct arena *a, const struct route *table);

#endif
