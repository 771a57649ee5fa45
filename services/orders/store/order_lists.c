// SPDX-License-Identifier: Apache-2.0
/* Lists of orders: keyset pages over (created_at, id). */
#include "orders/store/orders.h"

#include "orders/store/env.h"
#include "sql.h"

#include "kit/pg/pg.h"

struct pg_query *store_order_list(struct flow *f, const struct order_filter *filter,
                                  const struct page *page)
{
    static const struct pg_stmt *const stmts[2][2] = {
        {&sql_orders_all_asc, &sql_orders_all_desc},
        {&sql_orders_of_user_asc, &sql_orders_of_user_desc},
    };
    const struct orders_env *env = f->env;
    struct pg_query *q =
        pg_query(f, env->pg, stmts[filter->user != NULL][filter->descending]);

    if (filter->user)
        pg_uuid(q, *filter->user);
    pg_str(q, filter->has_status
                  ? str_of(wire_enum_label(&order_status_enum, filter->status))
                  : (struct str){0});
    pg_time(q, page->after.key);
    pg_uuid(q, page->after.id);
    pg_i64(q, page->limit + 1);
    pg_start(f, q, true);
    return q;
}

void store_order_list_read(struct flow *f, const struct pg_query *q,
                           const struct page *page, struct order_page *out)
{
    int64_t n = q->rows.count > page->limit ? page->limit : q->rows.count;
    struct order *v = ARENA_ARRAY(&f->arena, struct order, (size_t)n);

    for (int i = 0; i < n; i++)
        pg_get_msg(&f->arena, &q->rows, i, &order_msg, &v[i]);
    WIRE_SET(out, items, ((struct order_list){v, (size_t)n}));
    if (q->rows.count > n)
        WIRE_SET(out, next_cursor,
                 page_next(&f->arena, page,
                           (struct cursor){v[n - 1].created_at, v[n - 1].id}));
}

struct pg_query *store_order_period(struct flow *f, int64_t from_us, int64_t to_us,
                                    const struct page *page)
{
    const struct orders_env *env = f->env;
    struct pg_query *q = pg_query(f, env->pg, &sql_orders_of_period);

    pg_time(q, from_us);
    pg_time(q, to_us);
    pg_time(q, page->after.key);
    pg_uuid(q, page->after.id);
    pg_i64(q, page->limit + 1);
    pg_start(f, q, true);
    return q;
}

void store_order_period_read(struct flow *f, const struct pg_query *q,
                             const struct page *page, struct order_rows *out)
{
    int64_t n = q->rows.count > page->limit ? page->limit : q->rows.count;
    struct order_row *v = ARENA_ARRAY(&f->arena, struct order_row, (size_t)n);

    for (int i = 0; i < n; i++)
        pg_get_msg(&f->arena, &q->rows, i, &order_row_msg, &v[i]);
    WIRE_SET(out, items, ((struct order_row_list){v, (size_t)n}));
    if (q->rows.count > n)
        WIRE_SET(out, next_cursor,
                 page_next(&f->arena, page,
                           (struct cursor){v[n - 1].created_at, v[n - 1].id}));
}
