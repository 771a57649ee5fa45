// SPDX-License-Identifier: Apache-2.0
/*
 * Sliding-window counter in memory, the fallback of the exact limiter in Redis: two fixed
 * windows, the older one weighted by how much of it the sliding window still covers.
 * Refused calls do not count. A bounded table of identities; the least recently seen
 * makes room. One thread.
 */
#ifndef KIT_GUARD_WINDOW_H
#define KIT_GUARD_WINDOW_H

#include "kit/base/str.h"

#include <stdint.h>

struct window_table;

struct window_answer {
    bool allowed;
    int64_t remaining;
    int64_t reset_ms; /* until a refused call may be allowed, or the window is empty */
};

struct window_table *window_table_create(unsigned max_identities);
void window_table_destroy(struct window_table *t);
/* The identity names the policy too ("ip:login:192.0.2.1"). max_identities is at least 1.
 * A limit of 0 or less refuses everything; window_ms is at least 1, cost at least 0. */
struct window_answer window_take(struct window_table *t, struct str identity,
                                 int64_t limit, int64_t cost, int64_t window_ms,
                                 int64_t now_us);
/* What was allowed just now has not happened. */
void window_undo(struct window_table *t, struct str identity, int64_t cost);

#endif
