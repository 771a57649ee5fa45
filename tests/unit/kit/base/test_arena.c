// SPDX-License-Identifier: Apache-2.0
/* The arena: zeroed, aligned, dies as a whole, destructors newest first. */
#include "kit/base/arena.h"

#include <criterion/criterion.h>
#include <pthread.h>

Test(arena, memory_is_zeroed_aligned_and_apart)
{
    struct arena a;
    char *all[400];

    for (int round = 0; round < 3;
         round++) { /* later rounds reuse blocks that were dirty */
        arena_init(&a);
        for (size_t i = 0; i < 400; i++) {
            size_t n = i * 7 % 901;

            all[i] = arena_alloc(&a, n);
            cr_assert_eq((uintptr_t)all[i] % _Alignof(max_align_t), 0);
            for (size_t k = 0; k < n; k++)
                cr_assert_eq(all[i][k], 0);
            memset(all[i], (int)(i % 255 + 1), n);
        }
        for (size_t i = 0; i < 400; i++)
            for (size_t k = 0; k < i * 7 % 901; k++)
                cr_assert_eq((unsigned char)all[i][k], i % 255 + 1, "overwritten");
        arena_fini(&a);
    }
}

Test(arena, empty_allocations_are_distinct)
{
    struct arena a;

    arena_init(&a);
    cr_assert_neq(arena_alloc(&a, 0), arena_alloc(&a, 0));
    arena_fini(&a);
}

Test(arena, takes_nothing_before_the_first_allocation)
{
    struct arena a;

    arena_init(&a);
    cr_assert_null(a.blocks);
    arena_fini(&a);
}

Test(arena, a_big_allocation_leaves_the_block_being_filled_alone)
{
    struct arena a;
    char *before, *big, *after;

    arena_init(&a);
    before = arena_alloc(&a, 16);
    big = arena_alloc(&a, 1 << 20);
    after = arena_alloc(&a, 16);
    memset(big, 0xFF, 1 << 20);
    cr_assert(after > before && after - before <= 64, "the block was given up");
    arena_fini(&a);

    arena_init(&a); /* and as the very first */
    big = arena_alloc(&a, 1 << 20);
    after = arena_alloc(&a, 16);
    memset(big, 0xFF, 1 << 20);
    cr_assert_eq(after[0], 0);
    arena_fini(&a);
}

Test(arena, copies_are_terminated_and_absent_stays_absent)
{
    struct arena a;
    struct str s;

    arena_init(&a);
    s = arena_str(&a, (struct str){"hello", 4});
    cr_assert_str_eq(s.p, "hell");
    cr_assert_eq(s.n, 4);
    s = arena_str(&a, STR(""));
    cr_assert_str_eq(s.p, "");
    cr_assert_null(arena_str(&a, (struct str){NULL, 0}).p);
    arena_fini(&a);
}

Test(arena, printf_is_whole_at_any_length)
{
    struct arena a;

    arena_init(&a);
    for (int n = 0; n < 600; n++) {
        struct str s = arena_printf(&a, "%0*d%s", n ? n : 1, 7, "end");

        cr_assert_eq(s.n, (size_t)(n ? n : 1) + 3);
        cr_assert_str_eq(s.p + s.n - 4, "7end");
    }
    arena_fini(&a);
}

static char order[8];

static void note(void *ptr)
{
    strncat(order, ptr, 1);
}

static char last[] = "n";

static void note_and_use_arena(void *ptr)
{
    struct arena *a = ptr;

    strncat(order, arena_str(a, STR("u")).p, 1);
    arena_defer(a, note, last);
}

Test(arena, destructors_run_newest_first_and_may_use_the_arena)
{
    static char first[] = "1", second[] = "2";
    struct arena a;

    arena_init(&a);
    arena_defer(&a, note, first);
    arena_defer(&a, note, second);
    arena_fini(&a);
    cr_assert_str_eq(order, "21");
    arena_defer(&a, note_and_use_arena, &a); /* after fini it is as after init */
    arena_fini(&a);
    cr_assert_str_eq(order, "21un");
}

static void *fill_and_free(void *arg)
{
    struct arena a;

    arena_init(&a);
    for (int i = 0; i < 100; i++)
        arena_alloc(&a, 5000);
    arena_fini(&a);
    return arg;
}

/* LeakSanitizer is the judge in the asan build. */
Test(arena, a_thread_that_ends_keeps_no_blocks)
{
    pthread_t t;

    cr_assert_eq(pthread_create(&t, NULL, fill_and_free, NULL), 0);
    pthread_join(t, NULL);
}
