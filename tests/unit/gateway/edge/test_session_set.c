// SPDX-License-Identifier: Apache-2.0
/* The set of revoked sessions. */
#include "gateway/edge/session_set.h"

#include <criterion/criterion.h>

static struct uuid id_of(uint32_t n)
{
    struct uuid id = {{0}};

    memcpy(id.b, &n, sizeof n);
    return id;
}

Test(session_set, has_what_was_added_until_it_ends)
{
    struct session_set s;

    session_set_init(&s);
    cr_expect_not(session_set_has(&s, id_of(1), 0));
    session_set_add(&s, id_of(1), 100, 0);
    cr_expect(session_set_has(&s, id_of(1), 99));
    cr_expect_not(session_set_has(&s, id_of(1), 100));
    cr_expect_not(session_set_has(&s, id_of(2), 0));
    session_set_fini(&s);
}

Test(session_set, keeps_the_later_end)
{
    struct session_set s;

    session_set_init(&s);
    session_set_add(&s, id_of(1), 100, 0);
    session_set_add(&s, id_of(1), 50, 0);
    cr_expect(session_set_has(&s, id_of(1), 99));
    session_set_fini(&s);
}

Test(session_set, grows_and_forgets_what_has_ended)
{
    struct session_set s;

    session_set_init(&s);
    for (uint32_t i = 0; i < 1000; i++)
        session_set_add(&s, id_of(i), 100 + i, 0);
    for (uint32_t i = 0; i < 1000; i++)
        cr_assert(session_set_has(&s, id_of(i), 99));
    for (uint32_t i = 0; i < 100000; i++) /* a second each; a thousand live at a time */
        session_set_add(&s, id_of(i), i + 1000, i);
    cr_expect_leq(s.room, 16384);
    cr_expect(session_set_has(&s, id_of(99999), 100000));
    session_set_fini(&s);
}

Test(session_set, is_bounded_and_drops_what_ends_first)
{
    struct session_set s;

    session_set_init(&s);
    for (uint32_t i = 0; i < 3 * SESSION_SET_MAX; i++)
        session_set_add(&s, id_of(i), 1000 + i, 0);
    cr_expect_leq(s.n, SESSION_SET_MAX);
    cr_expect(session_set_has(&s, id_of(3 * SESSION_SET_MAX - 1), 0));
    cr_expect_not(session_set_has(&s, id_of(0), 0));
    session_set_fini(&s);
}
