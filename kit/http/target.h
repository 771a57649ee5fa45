// SPDX-License-Identifier: Apache-2.0
/*
 * The request target, normalised once, here and nowhere else: percent-decoded once, dot
 * segments resolved (RFC 3986 section 5.2.4). What could mean something else to another
 * reader is refused: encoded slashes and NUL, backslashes, "//", control characters, bad
 * UTF-8, a climb above the root. Pure.
 */
#ifndef KIT_HTTP_TARGET_H
#define KIT_HTTP_TARGET_H

#include "kit/base/arena.h"

struct target {
    struct str path;  /* decoded; starts with '/', or is "*" */
    struct str query; /* raw; absent without '?' */
};

/* `raw` is what the head machine let through: "/a%20b?x=1", "*", or "" for "/". */
bool target_parse(struct arena *a, struct str raw, struct target *out);

/* Decodes %XX (and '+' when `form`); absent on a bad escape, a NUL, or bad UTF-8. */
struct str target_decode(struct arena *a, struct str s, bool form);

#endif
