// SPDX-License-Identifier: Apache-2.0
/* The capped buffer: content is never cut in the middle of a write, failure sticks. */
#include "kit/base/buf.h"

#include <criterion/criterion.h>

Test(buf, grows_up_to_its_cap_exactly)
{
    struct buf b;

    buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++)
        buf_byte(&b, (uint8_t)i);
    cr_assert_not(b.failed);
    cr_assert_eq(b.n, 1000);
    cr_assert_leq(b.room, 1000);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq((uint8_t)b.p[i], (uint8_t)i);
    buf_byte(&b, 0);
    cr_assert(b.failed);
    cr_assert_eq(b.n, 1000);
    buf_fini(&b);
}

Test(buf, a_write_past_the_cap_is_dropped_whole_and_so_are_later_ones)
{
    struct buf b;

    buf_init(&b, 8);
    buf_str(&b, STR("12345"));
    buf_str(&b, STR("6789"));
    buf_byte(&b, 'x');
    buf_printf(&b, "%d", 1);
    cr_assert_null(buf_grow(&b, 1));
    cr_assert(b.failed);
    cr_assert(str_eq(buf_view(&b), STR("12345")));
    buf_reset(&b);
    cr_assert_not(b.failed);
    buf_str(&b, STR("12345678"));
    cr_assert(str_eq(buf_view(&b), STR("12345678")));
    buf_fini(&b);
}

Test(buf, a_size_that_would_overflow_fails)
{
    struct buf b;

    buf_init(&b, 100);
    buf_byte(&b, 1);
    cr_assert_null(buf_grow(&b, SIZE_MAX));
    cr_assert(b.failed);
    buf_fini(&b);
    buf_init(&b, 0);
    buf_printf(&b, "%s", "");
    buf_put(&b, "", 0);
    cr_assert_not(b.failed);
    cr_assert_not_null(buf_view(&b).p);
    buf_fini(&b);
}

Test(buf, printf_fits_to_the_last_byte)
{
    for (size_t cap = 0; cap < 600; cap++) {
        struct buf b;

        buf_init(&b, cap);
        buf_printf(&b, "%0300d", 7);
        cr_assert_eq(b.failed, cap < 300, "cap %zu", cap);
        cr_assert_eq(b.n, cap < 300 ? 0 : 300);
        buf_printf(&b, "%0*d", (int)(cap > 300 ? cap - 300 : 1), 8);
        cr_assert_eq(b.failed, cap <= 300, "cap %zu", cap);
        cr_assert(cap <= 300 || (b.n == cap && b.p[299] == '7' && b.p[cap - 1] == '8'));
        buf_fini(&b);
    }
}

Test(buf, consume_drops_from_the_front)
{
    struct buf b;

    buf_init(&b, 100);
    buf_str(&b, STR("abcdef"));
    buf_consume(&b, 2);
    cr_assert(str_eq(buf_view(&b), STR("cdef")));
    buf_str(&b, STR("g"));
    buf_consume(&b, 4);
    cr_assert(str_eq(buf_view(&b), STR("g")));
    buf_consume(&b, 50);
    cr_assert_eq(b.n, 0);
    buf_fini(&b);
}
