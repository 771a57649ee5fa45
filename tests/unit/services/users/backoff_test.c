// SPDX-License-Identifier: Apache-2.0
/* Failed sign-ins make the next one wait, and waiting is enough. */
#include "users/rules/backoff.h"

#include <criterion/criterion.h>

static const int64_t now = 1000000000000;

Test(sign_in_backoff, leaves_some_tries_free)
{
    for (int64_t n = 0; n < SIGN_IN_FREE_TRIES; n++)
        cr_assert_eq(sign_in_wait_ms(n, now, now), 0);
}

Test(sign_in_backoff, doubles_with_each_failure)
{
    cr_assert_eq(sign_in_wait_ms(SIGN_IN_FREE_TRIES, now, now), 1000);
    cr_assert_eq(sign_in_wait_ms(SIGN_IN_FREE_TRIES + 1, now, now), 2000);
    cr_assert_eq(sign_in_wait_ms(SIGN_IN_FREE_TRIES + 4, now, now), 16000);
}

Test(sign_in_backoff, ends_at_a_quarter_of_an_hour)
{
    cr_assert_eq(sign_in_wait_ms(1000000, now, now), SIGN_IN_WAIT_MAX_MS);
}

Test(sign_in_backoff, is_over_when_the_time_has_passed)
{
    int64_t later = now + 400 * 1000;

    cr_assert_eq(sign_in_wait_ms(SIGN_IN_FREE_TRIES, now, later), 600);
    cr_assert_eq(sign_in_wait_ms(SIGN_IN_FREE_TRIES, now, now + 1000 * 1000), 0);
}
