// SPDX-License-Identifier: Apache-2.0
/* Exponential back-off with full jitter (Brooker, AWS Architecture Blog, 2015). Any
 * thread. */
#ifndef KIT_GUARD_BACKOFF_H
#define KIT_GUARD_BACKOFF_H

#include <stdint.h>

/* Uniform in [base/2, min(cap, base * 2^attempt)], attempt counted from 0. */
int64_t backoff_ms(int64_t base_ms, int64_t cap_ms, unsigned attempt);

#endif
