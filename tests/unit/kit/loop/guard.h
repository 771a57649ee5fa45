// SPDX-License-Identifier: Apache-2.0
/* A loop that a broken test cannot keep running for ever. */
#ifndef TESTS_UNIT_KIT_LOOP_GUARD_H
#define TESTS_UNIT_KIT_LOOP_GUARD_H

#include "kit/loop/loop.h"

#include <criterion/criterion.h>

enum { GUARD_MS = 20000 };

static inline void guard_expired(struct loop_timer *t)
{
    (void)t;
    cr_assert_fail("the loop was not stopped");
}

/* Runs l until somebody stops it. */
static inline void guard_run(struct loop *l)
{
    struct loop_timer timer;

    loop_timer_init(&timer, l, guard_expired);
    loop_timer_set(&timer, GUARD_MS);
    loop_run(l);
    loop_timer_clear(&timer);
}

#endif
