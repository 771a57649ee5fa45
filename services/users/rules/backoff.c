// SPDX-License-Identifier: Apache-2.0
/* Sign-in back-off. */
#include "users/rules/backoff.h"

int64_t sign_in_wait_ms(int64_t failures, int64_t last_failure_us, int64_t now_us)
{
    int64_t wait_ms = 1000, elapsed_ms = (now_us - last_failure_us) / 1000;

    if (failures < SIGN_IN_FREE_TRIES)
        return 0;
    for (int64_t i = SIGN_IN_FREE_TRIES; i < failures && wait_ms < SIGN_IN_WAIT_MAX_MS;
         i++)
        wait_ms *= 2;
    if (wait_ms > SIGN_IN_WAIT_MAX_MS)
        wait_ms = SIGN_IN_WAIT_MAX_MS;
    return elapsed_ms >= wait_ms ? 0 : wait_ms - elapsed_ms;
}
