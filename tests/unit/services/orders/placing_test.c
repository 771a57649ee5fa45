// SPDX-License-Identifier: Apache-2.0
/* Why an order is refused, with every line that stands against it. */
#include "orders/rules/placing.h"
#include "proto/errors.h"

#include <criterion/criterion.h>

static struct arena arena;

static void setup(void)
{
    arena_init(&arena);
}

static void teardown(void)
{
    arena_fini(&arena);
}

TestSuite(placing, .init = setup, .fini = teardown);

static unsigned field_count(const struct err *e)
{
    unsigned n = 0;

    for (const struct err_field *f = e->fields; f; f = f->next)
        n++;
    return n;
}

static const struct err *refusal(struct placed_line *v, size_t n)
{
    struct placed_lines lines = {v, n};

    return placing_refusal(&arena, &lines);
}

Test(placing, takes_different_products)
{
    struct order_line v[] = {{.product_id = uuid_new()}, {.product_id = uuid_new()}};
    struct order_create in = {.items = {v, 2}};

    cr_assert_null(placing_check(&arena, &in));
}

Test(placing, names_each_line_that_repeats_a_product)
{
    struct uuid id = uuid_new();
    struct order_line v[] = {{.product_id = id}, {.product_id = id}, {.product_id = id}};
    struct order_create in = {.items = {v, 3}};
    const struct err *e = placing_check(&arena, &in);

    cr_assert_eq(e->code, &ERR_CODE_INVALID_FIELDS);
    cr_assert_eq(field_count(e), 2);
    cr_assert(str_eq(e->fields->pointer, STR("/items/1/product_id")));
}

Test(placing, says_which_products_cannot_be_ordered)
{
    struct placed_line v[] = {
        {.active = true, .quantity = 1, .stock = 1, .currency = STR("EUR")},
        {.quantity = 1}};
    const struct err *e = refusal(v, 2);

    cr_assert_eq(e->code, &ERR_CODE_INVALID_FIELDS);
    cr_assert_eq(field_count(e), 1);
    cr_assert(str_eq(e->fields->pointer, STR("/items/1/product_id")));
}

Test(placing, refuses_two_currencies)
{
    struct placed_line v[] = {
        {.active = true, .quantity = 1, .stock = 1, .currency = STR("EUR")},
        {.active = true, .quantity = 1, .stock = 1, .currency = STR("USD")}};

    cr_assert_eq(refusal(v, 2)->code, &ERR_CODE_INVALID_FIELDS);
}

Test(placing, says_what_is_left_of_what_is_short)
{
    struct placed_line v[] = {
        {.active = true, .quantity = 9, .stock = 9, .currency = STR("EUR")},
        {.active = true, .quantity = 3, .stock = 2, .currency = STR("EUR")}};
    const struct err *e = refusal(v, 2);

    cr_assert_eq(e->code, &ERR_CODE_OUT_OF_STOCK);
    cr_assert_eq(field_count(e), 1);
    cr_assert(str_eq(e->fields->pointer, STR("/items/1/quantity")));
    cr_assert(str_eq(e->fields->detail, STR("only 2 in stock")));
}
