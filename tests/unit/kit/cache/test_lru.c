// SPDX-License-Identifier: Apache-2.0
/* The least-recently-used store: order, bound, replacement, growth. */
#include "kit/cache/lru.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct lru l;
static int disposed;

static void dispose(void *arg, void *entry)
{
    (*(int *)arg)++;
    free(entry);
}

static void begin(void)
{
    disposed = 0;
    lru_init(&l, 4096, dispose, &disposed);
}

static void end(void)
{
    lru_fini(&l);
}

TestSuite(lru, .init = begin, .fini = end);

static struct str numbered(int i)
{
    static char text[2][32];
    static int turn;
    int n;

    turn = !turn;
    n = snprintf(text[turn], sizeof text[turn], "key-%d", i);
    return (struct str){text[turn], (size_t)n};
}

Test(lru, gives_back_what_was_put)
{
    cr_assert(lru_put(&l, STR("a"), STR("one")));
    cr_assert(str_eq(lru_get(&l, STR("a"))->value, STR("one")));
    cr_assert_null(lru_get(&l, STR("b")));
}

Test(lru, keeps_an_absent_value_apart_from_an_empty_one)
{
    lru_put(&l, STR("none"), (struct str){0});
    lru_put(&l, STR("empty"), STR(""));
    cr_assert_null(lru_get(&l, STR("none"))->value.p);
    cr_assert_not_null(lru_get(&l, STR("empty"))->value.p);
}

Test(lru, replaces_under_the_same_key)
{
    lru_put(&l, STR("a"), STR("one"));
    lru_put(&l, STR("a"), STR("two"));
    cr_assert(str_eq(lru_get(&l, STR("a"))->value, STR("two")));
    cr_assert_eq(l.count, 1u);
    cr_assert_eq(disposed, 1);
}

Test(lru, distinguishes_keys_with_zero_bytes)
{
    lru_put(&l, STR("a\0b"), STR("one"));
    lru_put(&l, STR("a\0c"), STR("two"));
    cr_assert(str_eq(lru_get(&l, STR("a\0b"))->value, STR("one")));
}

Test(lru, never_holds_more_bytes_than_its_bound)
{
    for (int i = 0; i < 1000; i++) {
        lru_put(&l, numbered(i), STR("0123456789"));
        cr_assert_leq(l.bytes, l.max_bytes);
    }
    cr_assert_gt(l.count, 10u);
    cr_assert_eq((size_t)disposed + l.count, 1000u);
}

Test(lru, lets_go_of_the_least_recently_used_first)
{
    int before;

    lru_put(&l, STR("old"), STR("x"));
    lru_put(&l, STR("used"), STR("x"));
    for (int i = 0; disposed == 0; i++) {
        cr_assert(lru_get(&l, STR("used")));
        lru_put(&l, numbered(i), STR("x"));
    }
    cr_assert_null(lru_get(&l, STR("old")));
    cr_assert_not_null(lru_get(&l, STR("used")));
    before = disposed;
    lru_drop(&l, STR("old"));
    cr_assert_eq(disposed, before);
}

Test(lru, refuses_what_is_larger_than_itself_and_drops_the_old_value)
{
    static char huge[8192];

    lru_put(&l, STR("a"), STR("one"));
    cr_assert_null(lru_put(&l, STR("a"), (struct str){huge, sizeof huge}));
    cr_assert_null(lru_get(&l, STR("a")));
    cr_assert_eq(l.bytes, 0u);
}

Test(lru, finds_every_key_after_growing)
{
    struct lru big;
    int freed = 0;

    lru_init(&big, 4 << 20, dispose, &freed);
    for (int i = 0; i < 5000; i++)
        lru_put(&big, numbered(i), numbered(i));
    for (int i = 0; i < 5000; i++) {
        struct lru_entry *e = lru_get(&big, numbered(i));

        cr_assert_not_null(e);
        cr_assert(str_eq(e->value, numbered(i)));
    }
    for (int i = 0; i < 5000; i += 2)
        lru_drop(&big, numbered(i));
    cr_assert_eq(big.count, 2500u);
    cr_assert_null(lru_get(&big, numbered(0)));
    cr_assert_not_null(lru_get(&big, numbered(1)));
    lru_fini(&big);
    cr_assert_eq(freed, 5000);
}
