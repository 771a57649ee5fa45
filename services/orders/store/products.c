// SPDX-License-Identifier: Apache-2.0
/* Products: one statement per operation. */
#include "orders/store/products.h"

#include "orders/store/env.h"
#include "sql.h"

#include "kit/cache/cache.h"
#include "kit/pg/pg.h"

enum { PRODUCT_BYTES_MAX = 64 * 1024 };

/* ---- one product, through the cache
 * ------------------------------------------------------ */

static void free_buf(void *b)
{
    buf_fini(b);
}

static enum step product_loaded(struct flow *f)
{
    const struct pg_query *q = f->state;
    struct product *p = ARENA_NEW(&f->arena, struct product);
    struct buf *b = ARENA_NEW(&f->arena, struct buf);

    if (q->rows.count == 0)
        return flow_done(f);
    pg_get_msg(&f->arena, &q->rows, 0, &product_msg, p);
    buf_init(b, PRODUCT_BYTES_MAX);
    arena_defer(&f->arena, free_buf, b);
    wire_to_msgpack(b, &product_msg, p);
    *(struct str *)f->out = buf_view(b);
    return flow_done(f);
}

static enum step load_product(struct flow *f)
{
    const struct orders_env *env = f->env;
    const struct str *key = f->in;
    struct pg_query *q = pg_query(f, env->pg, &sql_product_get);
    struct uuid id;

    if (!uuid_parse(*key, &id))
        return flow_done(f);
    pg_uuid(q, id);
    f->state = q;
    return pg_await(f, q, product_loaded);
}

struct cache_get *store_product_get(struct flow *f, struct uuid id)
{
    const struct orders_env *env = f->env;
    struct cache_get *g = ARENA_NEW(&f->arena, struct cache_get);

    cache_start(f, g, env->products, uuid_str(&f->arena, id), load_product, true);
    return g;
}

const struct err *store_product_get_read(struct flow *f, const struct cache_get *g,
                                         struct product *out, bool *found)
{
    *found = g->found;
    return g->found ? wire_from_msgpack(&f->arena, &product_msg, g->value, out) : NULL;
}

/* ---- writing
 * ----------------------------------------------------------------------------- */

struct idempotency *store_product_insert(struct flow *f, struct uuid id,
                                         const struct product_create *in)
{
    const struct orders_env *env = f->env;
    struct idempotency *k = idempotency_write(f, env->pg, &sql_product_insert);
    struct pg_query *q = k->work;

    pg_uuid(q, id);
    pg_str(q, in->sku);
    pg_str(q, in->name);
    pg_str(q, in->description);
    pg_i64(q, in->price);
    pg_str(q, in->currency);
    pg_i64(q, in->stock);
    idempotency_start(f, k, &sql_product_keep, id);
    return k;
}

struct pg_query *store_product_update(struct flow *f, const struct product_patch *in)
{
    const struct orders_env *env = f->env;
    struct pg_query *q = pg_query(f, env->pg, &sql_product_update);

    pg_uuid(q, in->id);
    pg_i64_opt(q, in->has_if_version, in->if_version);
    pg_str(q, in->sku);
    pg_str(q, in->name);
    pg_str(q, in->description);
    pg_i64_opt(q, in->has_price, in->price);
    pg_str(q, in->currency);
    pg_i64_opt(q, in->has_stock, in->stock);
    pg_flag_opt(q, in->has_active, in->active);
    pg_start(f, q, true);
    return q;
}

enum product_written store_product_write_read(struct flow *f, const struct pg_query *q,
                                              struct product *out)
{
    const struct orders_env *env = f->env;

    if (q->violated.p)
        return PRODUCT_SKU_TAKEN;
    if (q->rows.count == 0)
        return PRODUCT_NONE;
    pg_get_msg(&f->arena, &q->rows, 0, &product_msg, out);
    if (!out->has_id)
        return PRODUCT_OTHER_VERSION;
    cache_invalidate(env->products, uuid_str(&f->arena, out->id));
    return PRODUCT_WRITTEN;
}

/* ---- lists
 * --------------------------------------------------------------------------------- */

static bool by_price(enum product_sort sort)
{
    return sort == PRODUCT_SORT_PRICE || sort == PRODUCT_SORT_PRICE_DESC;
}

struct pg_query *store_product_list(struct flow *f, enum product_sort sort,
                                    struct str sku, const struct page *page)
{
    static const struct pg_stmt *const stmts[] = {
        [PRODUCT_SORT_CREATED_AT] = &sql_products_by_created_at_asc,
        [PRODUCT_SORT_CREATED_AT_DESC] = &sql_products_by_created_at_desc,
        [PRODUCT_SORT_PRICE] = &sql_products_by_price_asc,
        [PRODUCT_SORT_PRICE_DESC] = &sql_products_by_price_desc,
    };
    const struct orders_env *env = f->env;
    struct pg_query *q = pg_query(f, env->pg, stmts[sort]);

    pg_str(q, sku);
    if (by_price(sort))
        pg_i64(q, page->after.key);
    else
        pg_time(q, page->after.key);
    pg_uuid(q, page->after.id);
    pg_i64(q, page->limit + 1);
    pg_start(f, q, true);
    return q;
}

void store_product_list_read(struct flow *f, const struct pg_query *q,
                             enum product_sort sort, const struct page *page,
                             struct product_page *out)
{
    int64_t n = q->rows.count > page->limit ? page->limit : q->rows.count;
    struct product *v = ARENA_ARRAY(&f->arena, struct product, (size_t)n);
    const struct product *last = v + n - 1;

    for (int i = 0; i < n; i++)
        pg_get_msg(&f->arena, &q->rows, i, &product_msg, &v[i]);
    WIRE_SET(out, items, ((struct product_list){v, (size_t)n}));
    if (q->rows.count > n)
        WIRE_SET(
            out, next_cursor,
            page_next(&f->arena, page,
                      (struct cursor){by_price(sort) ? last->price : last->created_at,
                                      last->id}));
}
