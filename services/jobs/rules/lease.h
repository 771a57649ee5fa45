// SPDX-License-Identifier: Apache-2.0
/* Arithmetic of leases. The database counts a lease from when the statement ran there, a
 * worker from when it sent it, so the worker always stops first. Pure. */
#ifndef JOBS_RULES_LEASE_H
#define JOBS_RULES_LEASE_H

#include <stdbool.h>
#include <stdint.h>

/* Until when a worker may trust a lease it asked for at sent_us (monotonic): a fifth is
 * kept for clocks that run apart and for the time that stopping takes. */
int64_t lease_trusted_until_us(int64_t sent_us, int64_t lease_ms);

/* Two heartbeats must fit in the trusted part, so that one may get lost. */
bool lease_fits_heartbeat(int64_t lease_ms, int64_t heartbeat_ms);

#endif
