// SPDX-License-Identifier: Apache-2.0
/* Error values and the table of kinds. */
#include "kit/base/err.h"

#include <criterion/criterion.h>

Test(err, every_kind_has_a_status_and_a_label_of_its_own)
{
    for (int k = 0; k < ERR_KIND_COUNT; k++) {
        const struct err_kind_info *info = err_kind_info((enum err_kind)k);

        cr_assert(info->http_status >= 400 && info->http_status < 600);
        cr_assert_not_null(info->label);
        for (int other = 0; other < k; other++)
            cr_assert_str_neq(info->label, err_kind_info((enum err_kind)other)->label);
    }
    cr_assert_eq(err_kind_info((enum err_kind)9999)->http_status, 500);
}

Test(err, a_static_error_outlives_its_block)
{
    const struct err *e;

    {
        e = ERR_STATIC(DEADLINE);
    }
    cr_assert_str_eq(e->code->name, "request.deadline");
    cr_assert_eq(err_kind(e), ERR_DEADLINE);
    cr_assert_eq(err_info(e)->http_status, 504);
}

static const struct err *one_with_fields(struct arena *a)
{
    struct err *e = err_new(a, &ERR_CODE_INVALID_FIELDS, "%d fields", 2);
    char pointer[] = "/items/0";

    err_add_field(a, e, str_of(pointer), "must be at most %d", 5);
    memset(pointer, 'x', sizeof pointer - 1); /* it was copied */
    err_add_field(a, e, STR("?limit"), "must be a number");
    e->retry_after_ms = 1500;
    return e;
}

static void assert_fields(const struct err *e)
{
    cr_assert(str_eq(e->detail, STR("2 fields")));
    cr_assert(str_eq(e->fields->pointer, STR("/items/0")));
    cr_assert(str_eq(e->fields->detail, STR("must be at most 5")));
    cr_assert(str_eq(e->fields->next->pointer, STR("?limit")));
    cr_assert(str_eq(e->fields->next->detail, STR("must be a number")));
    cr_assert_null(e->fields->next->next);
    cr_assert_eq(e->retry_after_ms, 1500);
    cr_assert_eq(e->code, &ERR_CODE_INVALID_FIELDS);
}

Test(err, a_copy_does_not_need_the_first_arena)
{
    struct arena first, second;
    const struct err *e, *copy;

    arena_init(&first);
    arena_init(&second);
    e = one_with_fields(&first);
    assert_fields(e);
    copy = err_copy(&second, e);
    arena_fini(&first);
    assert_fields(copy);
    arena_fini(&second);
}

Test(err, a_copy_of_a_static_error_has_no_detail)
{
    struct arena a;

    arena_init(&a);
    cr_assert_null(err_copy(&a, ERR_STATIC(SHED))->detail.p);
    arena_fini(&a);
}
