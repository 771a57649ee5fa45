// SPDX-License-Identifier: Apache-2.0
/* Answers of users.get, orders.get and orders.period. */
#include "peers.h"

#include "kit/rpc/server.h"
#include "proto/errors.h"
#include "proto/orders.h"
#include "proto/roles.h"
#include "proto/users.h"

#include <criterion/criterion.h>
#include <stdlib.h>

struct peers peers;

static struct rpc_server *users, *orders;

static void set_user(struct flow *f, struct user *out, struct uuid id)
{
    (void)f;
    WIRE_SET(out, id, id);
    WIRE_SET(out, email, str_of(peers.email));
    WIRE_SET(out, name, str_of(peers.name));
    WIRE_SET(out, roles, ((struct str_list){0}));
    WIRE_SET(out, status, USER_ACTIVE);
    WIRE_SET(out, version, 1);
    WIRE_SET(out, created_at, 1);
    WIRE_SET(out, updated_at, 1);
}

static enum step users_get(struct flow *f)
{
    const struct by_id *in = f->in;

    cr_assert(f->caller.roles & ROLE_SERVICE, "the worker asks as a service");
    if (!peers.email)
        return flow_fail(f, ERR_STATIC(USER_NOT_FOUND));
    set_user(f, f->out, in->id);
    return flow_done(f);
}

static enum step orders_get(struct flow *f)
{
    const struct by_id *in = f->in;
    struct order *out = f->out;
    struct order_item *item = ARENA_NEW(&f->arena, struct order_item);

    WIRE_SET(item, product_id, in->id);
    WIRE_SET(item, sku, STR("TEA-1"));
    WIRE_SET(item, name, STR("Green tea"));
    WIRE_SET(item, quantity, 2);
    WIRE_SET(item, unit_price, 450);
    WIRE_SET(out, id, in->id);
    WIRE_SET(out, user_id, in->id);
    WIRE_SET(out, status, ORDER_PENDING);
    WIRE_SET(out, currency, STR("EUR"));
    WIRE_SET(out, total, 900);
    WIRE_SET(out, items, ((struct order_item_list){item, 1}));
    WIRE_SET(out, version, 1);
    WIRE_SET(out, created_at, 1);
    WIRE_SET(out, updated_at, 1);
    return flow_done(f);
}

static void set_row(struct order_row *row, int number)
{
    WIRE_SET(row, id, uuid_new());
    WIRE_SET(row, user_id, uuid_new());
    WIRE_SET(row, status, ORDER_PAID);
    WIRE_SET(row, currency, STR("EUR"));
    WIRE_SET(row, total, number);
    WIRE_SET(row, pieces, 1);
    WIRE_SET(row, created_at, number + 1);
}

static enum step page_ready(struct flow *f)
{
    const struct order_period *in = f->in;
    struct order_rows *out = f->out;
    int first =
        in->has_cursor ? (int)strtol(arena_str(&f->arena, in->cursor).p, NULL, 10) : 0;
    int left = peers.rows - first;
    int n = left < in->limit ? left : (int)in->limit;
    struct order_row *rows = ARENA_ARRAY(&f->arena, struct order_row, (size_t)n + 1);

    for (int i = 0; i < n; i++)
        set_row(&rows[i], first + i);
    WIRE_SET(out, items, ((struct order_row_list){rows, (size_t)n}));
    if (n < left)
        WIRE_SET(out, next_cursor, arena_printf(&f->arena, "%d", first + n));
    return flow_done(f);
}

static enum step page_may_come(struct flow *f)
{
    if (peers.pages_most && peers.pages_asked > peers.pages_most)
        return flow_sleep(f, 10, page_may_come);
    return flow_sleep(f, peers.page_ms, page_ready);
}

static enum step orders_period(struct flow *f)
{
    peers.pages_asked++;
    return page_may_come(f);
}

static const struct rpc_handler users_handlers[] = {{&USERS_GET, users_get}, {0}};
static const struct rpc_handler orders_handlers[] = {
    {&ORDERS_GET, orders_get}, {&ORDERS_PERIOD, orders_period}, {0}};

static struct rpc_server *serve(struct loop *l, const char *service,
                                const struct rpc_handler *handlers)
{
    const struct rpc_server_conf conf = {
        .service = service,
        .url = "tcp://127.0.0.1:0",
        .handlers = handlers,
        .max_in_flight = 1000,
    };
    struct rpc_server *server;
    struct arena a;

    arena_init(&a);
    cr_assert_null(rpc_server_create(&a, &conf, &server));
    arena_fini(&a);
    rpc_server_join(server, l, NULL);
    return server;
}

void peers_start(struct loop *l)
{
    users = serve(l, "users", users_handlers);
    orders = serve(l, "orders", orders_handlers);
}

void peers_stop(struct loop *l)
{
    rpc_server_leave(users, l);
    rpc_server_leave(orders, l);
    rpc_server_destroy(users);
    rpc_server_destroy(orders);
}

const char *peers_users_url(void)
{
    return rpc_server_url(users);
}

const char *peers_orders_url(void)
{
    return rpc_server_url(orders);
}
