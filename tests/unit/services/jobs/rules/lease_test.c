// SPDX-License-Identifier: Apache-2.0
/* Arithmetic of leases. */
#include "jobs/rules/lease.h"

#include <criterion/criterion.h>

Test(lease, is_trusted_for_less_than_it_lasts)
{
    cr_expect_eq(lease_trusted_until_us(1000000, 10000), 1000000 + 8000 * 1000);
}

Test(lease, leaves_room_for_a_lost_heartbeat)
{
    cr_expect(lease_fits_heartbeat(10000, 4000));
    cr_expect_not(lease_fits_heartbeat(10000, 4001));
    cr_expect_not(lease_fits_heartbeat(10000, 0));
}
