// SPDX-License-Identifier: Apache-2.0
/* The catalogue: public to read, changed by those with the right to. */
#include "orders/rules/products.h"
#include "orders/store/env.h"
#include "orders/store/products.h"

#include "proto/errors.h"
#include "proto/roles.h"

/* ---- reading
 * ------------------------------------------------------------------------------- */

static enum step product_found(struct flow *f)
{
    bool found;
    const struct err *err = store_product_get_read(f, f->state, f->out, &found);

    if (err || !found)
        return flow_fail(f, err ? err : ERR_STATIC(PRODUCT_NOT_FOUND));
    return flow_done(f);
}

enum step product_get(struct flow *f)
{
    const struct by_id *in = f->in;

    f->state = store_product_get(f, in->id);
    return flow_await(f, product_found);
}

struct listing {
    enum product_sort sort;
    struct page page;
    struct pg_query *rows;
};

static enum step products_listed(struct flow *f)
{
    const struct listing *l = f->state;

    store_product_list_read(f, l->rows, l->sort, &l->page, f->out);
    return flow_done(f);
}

enum step product_list(struct flow *f)
{
    const struct orders_env *env = f->env;
    const struct product_query *in = f->in;
    struct listing *l = f->state = ARENA_NEW(&f->arena, struct listing);
    struct str name;

    l->sort = in->has_sort ? in->sort : PRODUCT_SORT_CREATED_AT_DESC;
    name = arena_printf(&f->arena, "products:%d:%.*s", (int)l->sort,
                        STR_FMT(in->filter_sku));
    if (!page_open(&f->arena, env->cursor_secret, name,
                   l->sort == PRODUCT_SORT_CREATED_AT_DESC ||
                       l->sort == PRODUCT_SORT_PRICE_DESC,
                   in->has_limit ? in->limit : PAGE_LIMIT_DEFAULT, in->cursor, &l->page))
        return flow_fail(f, ERR_STATIC(BAD_CURSOR));
    l->rows = store_product_list(f, l->sort, in->filter_sku, &l->page);
    return flow_await(f, products_listed);
}

/* ---- writing
 * ------------------------------------------------------------------------------- */

static enum step written(struct flow *f, const struct pg_query *q)
{
    switch (store_product_write_read(f, q, f->out)) {
    case PRODUCT_NONE: return flow_fail(f, ERR_STATIC(PRODUCT_NOT_FOUND));
    case PRODUCT_OTHER_VERSION: return flow_fail(f, ERR_STATIC(VERSION_MISMATCH));
    case PRODUCT_SKU_TAKEN: return flow_fail(f, ERR_STATIC(SKU_TAKEN));
    case PRODUCT_WRITTEN: break;
    }
    return flow_done(f);
}

static enum step product_created(struct flow *f)
{
    const struct idempotency *k = f->state;

    return written(f, k->work);
}

enum step product_create(struct flow *f)
{
    struct idempotency *k;

    if (!permission_granted(f->caller.roles, PERM_PRODUCTS_WRITE))
        return flow_fail(f, ERR_STATIC(INSUFFICIENT_SCOPE));
    k = f->state = store_product_insert(f, uuid_new(), f->in);
    return idempotency_await(f, k, product_created);
}

static enum step product_patched(struct flow *f)
{
    return written(f, f->state);
}

enum step product_patch(struct flow *f)
{
    if (!permission_granted(f->caller.roles, PERM_PRODUCTS_WRITE))
        return flow_fail(f, ERR_STATIC(INSUFFICIENT_SCOPE));
    f->state = store_product_update(f, f->in);
    return flow_await(f, product_patched);
}
