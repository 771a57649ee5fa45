// SPDX-License-Identifier: Apache-2.0
/* The intrusive ring. */
#include "kit/base/list.h"

#include <criterion/criterion.h>

struct item {
    int value;
    struct list link;
};

static int joined(const struct list *head)
{
    int all = 0;

    LIST_EACH (it, head)
        all = all * 10 + CONTAINER_OF(it, struct item, link)->value;
    return all;
}

static void fill(struct list *head, struct item *items, int n)
{
    list_init(head);
    for (int i = 0; i < n; i++) {
        items[i].value = i + 1;
        list_init(&items[i].link);
        list_push(head, &items[i].link);
    }
}

Test(list, keeps_order_and_removes_anywhere)
{
    struct list head;
    struct item items[3];

    fill(&head, items, 3);
    cr_assert_eq(joined(&head), 123);
    list_remove(&items[1].link);
    list_remove(&items[1].link); /* twice is harmless */
    cr_assert_eq(joined(&head), 13);
    cr_assert_eq(list_pop(&head), &items[0].link);
    cr_assert_eq(list_pop(&head), &items[2].link);
    cr_assert_null(list_pop(&head));
    cr_assert(list_empty(&head));
}

Test(list, splice_moves_all_to_the_end)
{
    struct list to, from, none;
    struct item first[2], second[3];

    fill(&to, first, 2);
    fill(&from, second, 3);
    list_init(&none);
    list_splice(&to, &from);
    list_splice(&to, &none);
    cr_assert_eq(joined(&to), 12123);
    cr_assert(list_empty(&from));
    list_splice(&from, &to);
    cr_assert_eq(joined(&from), 12123);
}
