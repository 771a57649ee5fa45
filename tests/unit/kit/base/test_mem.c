// SPDX-License-Identifier: Apache-2.0
/* Heap memory: zeroed, and a broken invariant ends the process. */
#include "kit/base/mem.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

Test(mem, is_zeroed_and_copies_strings)
{
    char *p = mem_alloc(1000);
    char *s = mem_strdup("text");

    for (int i = 0; i < 1000; i++)
        cr_assert_eq(p[i], 0);
    p = mem_realloc(p, 2000);
    cr_assert_eq(p[999], 0);
    cr_assert_str_eq(s, "text");
    free(p);
    free(s);
    free(mem_alloc(0));
}

Test(mem, die_aborts_the_process, .signal = SIGABRT)
{
    mem_die("this line is expected: %d", 1);
}
