// SPDX-License-Identifier: Apache-2.0
/*
 * The one script of the limits. All policies of a call are judged together, in one step:
 * a call that one of them refuses counts against none.
 *
 * KEYS: one list per policy and identity, the oldest call first. ARGV: the cost of the
 * call, then of each key: limit, window in microseconds, and what is said of leases: ""
 * or "WANTED NEW OLD USED": permits wanted under the id NEW, and how many were used of
 * the lease OLD that is given back (0: none). A cost of 0 only gives back. Leases are
 * granted all or none, and only up to half of the limit.
 *
 * Answers: refused (0, 1), then of each key how much was counted before this call, in how
 * many microseconds the oldest of it leaves the window, and how many permits were
 * granted.
 */
#ifndef GATEWAY_EDGE_LIMIT_SCRIPT_H
#define GATEWAY_EDGE_LIMIT_SCRIPT_H

#include "kit/cache/redis.h"

enum {
    LIMIT_ARGS_FIRST = 1,
    LIMIT_ARGS_EACH = 3,
    LIMIT_ANSWERS_FIRST = 1,
    LIMIT_ANSWERS_EACH = 3,
};

extern const struct redis_script limit_script;

#endif
