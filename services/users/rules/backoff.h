// SPDX-License-Identifier: Apache-2.0
/*
 * Sign-in back-off per address: some free tries, then each failure doubles the wait, up
 * to a quarter of an hour. The same for addresses nobody has, so it tells nothing. Pure.
 */
#ifndef USERS_RULES_BACKOFF_H
#define USERS_RULES_BACKOFF_H

#include <stdint.h>

enum { SIGN_IN_FREE_TRIES = 5, SIGN_IN_WAIT_MAX_MS = 15 * 60 * 1000 };

/* How long to wait until the next try; 0: now. Times are wall time. */
int64_t sign_in_wait_ms(int64_t failures, int64_t last_failure_us, int64_t now_us);

#endif
