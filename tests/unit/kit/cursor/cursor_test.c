// SPDX-License-Identifier: Apache-2.0
/* A cursor says where to go on, and nobody but us can make one. */
#include "kit/cursor/cursor.h"

#include <criterion/criterion.h>

#define SECRET STR("0123456789abcdef0123456789abcdef")
#define LIST   STR("orders:-created_at:")

static struct arena arena;

static void setup(void)
{
    arena_init(&arena);
}

static void teardown(void)
{
    arena_fini(&arena);
}

TestSuite(cursor, .init = setup, .fini = teardown);

static struct cursor some_cursor(void)
{
    return (struct cursor){.key = -1234567890123456789, .id = uuid_new()};
}

Test(cursor, comes_back_as_it_was)
{
    struct cursor c = some_cursor(), back;
    struct str text = cursor_encode(&arena, SECRET, LIST, c);

    cr_assert(cursor_decode(&arena, SECRET, LIST, text, &back));
    cr_assert_eq(back.key, c.key);
    cr_assert(uuid_eq(back.id, c.id));
}

Test(cursor, is_refused_by_another_list_or_secret)
{
    struct str text = cursor_encode(&arena, SECRET, LIST, some_cursor());
    struct cursor back;

    cr_assert_not(cursor_decode(&arena, SECRET, STR("orders:created_at:"), text, &back));
    cr_assert_not(cursor_decode(&arena, STR("another"), LIST, text, &back));
}

Test(cursor, is_refused_with_any_character_changed)
{
    struct str text = cursor_encode(&arena, SECRET, LIST, some_cursor());
    struct cursor back;

    for (size_t i = 0; i < text.n; i++) {
        struct str copy = arena_str(&arena, text);
        char *p = (char *)(uintptr_t)copy.p;

        p[i] = p[i] == 'A' ? 'B' : 'A';
        cr_assert_not(cursor_decode(&arena, SECRET, LIST, copy, &back), "at %zu", i);
    }
}

Test(cursor, is_refused_when_it_is_no_cursor)
{
    static const char *const cases[] = {"", "x", "????", "AAAA", "a.b.c"};
    struct cursor back;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_assert_not(cursor_decode(&arena, SECRET, LIST, str_of(cases[i]), &back));
}
