// SPDX-License-Identifier: Apache-2.0
/* Leases and heartbeats. */
#include "jobs/rules/lease.h"

static int64_t trusted_ms(int64_t lease_ms)
{
    return lease_ms - lease_ms / 5;
}

int64_t lease_trusted_until_us(int64_t sent_us, int64_t lease_ms)
{
    return sent_us + trusted_ms(lease_ms) * 1000;
}

bool lease_fits_heartbeat(int64_t lease_ms, int64_t heartbeat_ms)
{
    return heartbeat_ms > 0 && heartbeat_ms * 2 <= trusted_ms(lease_ms);
}
