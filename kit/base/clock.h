// SPDX-License-Identifier: Apache-2.0
/*
 * Time. Durations and deadlines use the monotonic clock; only what leaves the process
 * (ids, rows, tokens, logs) uses wall time. All values are microseconds unless the name
 * says otherwise. Any thread.
 */
#ifndef KIT_BASE_CLOCK_H
#define KIT_BASE_CLOCK_H

#include "kit/base/str.h"

#include <stdint.h>

int64_t clock_mono_us(void);
int64_t clock_wall_us(void); /* since 1970-01-01T00:00:00Z */

enum { CLOCK_RFC3339_LEN = 27 }; /* 2026-01-31T23:59:59.123456Z */

/* Writes CLOCK_RFC3339_LEN bytes, no NUL. Years 0000 to 9999. */
void clock_format_rfc3339(int64_t wall_us, char *out);

/* RFC 3339 section 5.6 with Z or a numeric offset, up to 6 fraction digits kept; false
 * for anything else, impossible dates included. */
bool clock_parse_rfc3339(struct str s, int64_t *wall_us);

#endif
