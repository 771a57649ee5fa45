// SPDX-License-Identifier: Apache-2.0
/* Reading orders: one's own, or anybody's with the right to. */
#include "orders/rules/orders.h"
#include "orders/store/env.h"
#include "orders/store/orders.h"

#include "proto/errors.h"
#include "proto/roles.h"

static bool reads_any(const struct flow *f)
{
    return permission_granted(f->caller.roles, PERM_ORDERS_READ_ANY);
}

/* ---- one
 * ----------------------------------------------------------------------------------- */

static enum step order_found(struct flow *f)
{
    struct order *out = f->out;

    /* Somebody else's order is not there: its id tells nothing. */
    if (!store_order_get_read(f, f->state, out) ||
        !(uuid_eq(out->user_id, f->caller.user) || reads_any(f)))
        return flow_fail(f, ERR_STATIC(ORDER_NOT_FOUND));
    return flow_done(f);
}

enum step order_get(struct flow *f)
{
    const struct by_id *in = f->in;

    f->state = store_order_get(f, in->id);
    return flow_await(f, order_found);
}

/* ---- many
 * ---------------------------------------------------------------------------------- */

struct listing {
    struct page page;
    struct pg_query *rows;
};

static enum step orders_listed(struct flow *f)
{
    const struct listing *l = f->state;

    store_order_list_read(f, l->rows, &l->page, f->out);
    return flow_done(f);
}

/* The cursor is good for the same owner, filter and order only. */
static struct str list_name(struct flow *f, const struct order_query *in,
                            const struct order_filter *filter)
{
    return arena_printf(
        &f->arena, "orders:%s:%d:%.*s", filter->descending ? "desc" : "asc",
        in->has_filter_status ? (int)in->filter_status : -1,
        STR_FMT(filter->user ? uuid_str(&f->arena, *filter->user) : STR("all")));
}

enum step order_list(struct flow *f)
{
    const struct orders_env *env = f->env;
    const struct order_query *in = f->in;
    const struct uuid *owner =
        in->has_filter_user_id ? &in->filter_user_id : &f->caller.user;
    struct order_filter filter = {
        .user = owner,
        .has_status = in->has_filter_status,
        .status = in->filter_status,
        .descending = !in->has_sort || in->sort == ORDER_SORT_CREATED_AT_DESC,
    };
    struct listing *l = f->state = ARENA_NEW(&f->arena, struct listing);

    if (!uuid_eq(*owner, f->caller.user) && !reads_any(f))
        return flow_fail(f, ERR_STATIC(INSUFFICIENT_SCOPE));
    if (!page_open(&f->arena, env->cursor_secret, list_name(f, in, &filter),
                   filter.descending, in->has_limit ? in->limit : PAGE_LIMIT_DEFAULT,
                   in->cursor, &l->page))
        return flow_fail(f, ERR_STATIC(BAD_CURSOR));
    l->rows = store_order_list(f, &filter, &l->page);
    return flow_await(f, orders_listed);
}

/* ---- of a period, for reports
 * --------------------------------------------------------------- */

static enum step period_listed(struct flow *f)
{
    const struct listing *l = f->state;

    store_order_period_read(f, l->rows, &l->page, f->out);
    return flow_done(f);
}

enum step order_period(struct flow *f)
{
    const struct orders_env *env = f->env;
    const struct order_period *in = f->in;
    struct listing *l = f->state = ARENA_NEW(&f->arena, struct listing);

    if (!reads_any(f))
        return flow_fail(f, ERR_STATIC(INSUFFICIENT_SCOPE));
    if (!page_open(&f->arena, env->cursor_secret, STR("orders:period"), false, in->limit,
                   in->cursor, &l->page))
        return flow_fail(f, ERR_STATIC(BAD_CURSOR));
    l->rows = store_order_period(f, in->from, in->to, &l->page);
    return flow_await(f, period_listed);
}
