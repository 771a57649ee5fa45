// SPDX-License-Identifier: Apache-2.0
/* Decisions about placing an order. */
#include "orders/rules/placing.h"

#include "proto/errors.h"

#include <inttypes.h>

const struct err *placing_check(struct arena *a, const struct order_create *in)
{
    struct err *err = NULL;

    for (size_t i = 1; i < in->items.n; i++)
        for (size_t j = 0; j < i; j++) {
            if (!uuid_eq(in->items.v[i].product_id, in->items.v[j].product_id))
                continue;
            if (!err)
                err =
                    err_new(a, &ERR_CODE_INVALID_FIELDS, "A product stands in two lines");
            err_add_field(a, err, arena_printf(a, "/items/%zu/product_id", i),
                          "is in line %zu already; add up the quantities", j);
            break;
        }
    return err;
}

static struct err *unorderable(struct arena *a, const struct placed_lines *lines)
{
    struct err *err = NULL;

    for (size_t i = 0; i < lines->n; i++) {
        const struct placed_line *line = &lines->v[i];
        struct str pointer = arena_printf(a, "/items/%zu/product_id", i);
        bool other_currency = line->active && lines->v[0].active &&
                              !str_eq(line->currency, lines->v[0].currency);

        if (line->active && !other_currency)
            continue;
        if (!err)
            err = err_new(a, &ERR_CODE_INVALID_FIELDS,
                          "Some of the products cannot be ordered");
        err_add_field(a, err, pointer, "%s",
                      other_currency ? "is priced in another currency than the first line"
                                     : "is not a product that can be ordered");
    }
    return err;
}

const struct err *placing_refusal(struct arena *a, const struct placed_lines *lines)
{
    struct err *err = unorderable(a, lines);

    if (err)
        return err;
    err = err_new(a, &ERR_CODE_OUT_OF_STOCK, "There are fewer pieces than ordered");
    for (size_t i = 0; i < lines->n; i++)
        if (lines->v[i].stock < lines->v[i].quantity)
            err_add_field(a, err, arena_printf(a, "/items/%zu/quantity", i),
                          "only %" PRId64 " in stock", lines->v[i].stock);
    return err;
}
