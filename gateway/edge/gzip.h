// SPDX-License-Identifier: Apache-2.0
/*
 * Bodies packed for clients that ask for it (RFC 9110 section 12.5.3, RFC 1952). Only
 * between GZIP_MIN and GZIP_MAX bytes: below it costs more than it saves, above it would
 * hold the loop for longer than a turn may last.
 */
#ifndef GATEWAY_EDGE_GZIP_H
#define GATEWAY_EDGE_GZIP_H

#include "kit/base/arena.h"

enum { GZIP_MIN = 1024, GZIP_MAX = 256 << 10 };

struct gzip;

struct gzip *gzip_create(void);
/* NULL is fine. */
void gzip_destroy(struct gzip *g);

/* What Accept-Encoding says of gzip; an absent field does not ask for it. */
bool gzip_asked(struct str accept_encoding);

/* The packed bytes, in the arena; absent when that would not make it smaller. */
struct str gzip_pack(struct gzip *g, struct arena *a, struct str body);

#endif
