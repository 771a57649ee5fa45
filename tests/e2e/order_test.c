// SPDX-License-Identifier: Apache-2.0
/* Orders: placed by the server's prices and stock, seen by their owner, moved by the
 * table. */
#include "tests/e2e/e2e.h"

#include "tests/support/stack/db.h"
#include "tests/support/stack/mail.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

E2E_SUITE(order);

Test(order, is_placed_at_the_servers_prices_and_confirmed_by_mail)
{
    struct member m = api_member(api);
    const char *product = new_product(admin_token(), 10), *id;
    struct answer a = order_one(api, m.token, product, 3);

    assert_status(a, 201);
    id = answer_get(api, &a, "/id");
    assert_text(a, "/total", "3750");
    assert_text(a, "/status", "pending");
    assert_text(a, "/items/0/product_id", product);
    cr_assert_str_eq(arena_str(&api->arena, answer_header(&a, "location")).p,
                     api_text(api, "/v1/orders/%s", id));
    mail_wait(m.email, id, 1, 60);
}

Test(order, is_shown_to_its_owner_only)
{
    struct member m = api_member(api), other = api_member(api);
    const char *admin = admin_token();
    struct answer a = order_one(api, m.token, new_product(admin, 1), 1);
    const char *path = api_text(api, "/v1/orders/%s", answer_get(api, &a, "/id"));

    assert_status(api_call(api, "GET", path, m.token, NULL), 200);
    assert_status(api_call(api, "GET", path, admin, NULL), 200);
    assert_problem(api_call(api, "GET", path, other.token, NULL), 404,
                   "orders.not_found");
}

/* The version before wrote items into a table of their own only. */
Test(order, of_the_version_before_has_its_items)
{
    const char *token = api_member(api).token, *admin = admin_token();
    const char *body = api_text(api,
                                "{\"items\":[{\"product_id\":\"%s\",\"quantity\":2},{"
                                "\"product_id\":\"%s\",\"quantity\":1}]}",
                                new_product(admin, 5), new_product(admin, 5));
    struct answer placed = api_call(api, "POST", "/v1/orders", token, body), then;
    const char *id = answer_get(api, &placed, "/id");
    struct db *db = db_open("VIADUCT_ORDERS_PG");

    assert_status(placed, 201);
    db_run(db, api_text(api, "UPDATE orders SET items = NULL WHERE id = '%s'", id));
    db_close(db);
    then = api_call(api, "GET", api_text(api, "/v1/orders/%s", id), token, NULL);
    assert_status(then, 200);
    cr_assert(str_eq(then.body, placed.body));
}

Test(order, list_pages_through_ones_own_orders_newest_first)
{
    struct member m = api_member(api);
    const char *product = new_product(admin_token(), 100), *newest = NULL;
    const char *path = "/v1/orders?limit=2";
    int seen = 0;

    for (int i = 0; i < 5; i++) {
        struct answer a = order_one(api, m.token, product, 1);

        newest = answer_get(api, &a, "/id");
    }
    while (path) {
        struct answer a = api_call(api, "GET", path, m.token, NULL);
        const char *cursor = answer_get(api, &a, "/next_cursor");

        assert_status(a, 200);
        if (seen == 0)
            assert_text(a, "/items/0/id", newest);
        for (int i = 0; answer_get(api, &a, api_text(api, "/items/%d/id", i)); i++)
            seen++;
        path = cursor ? api_text(api, "/v1/orders?limit=2&cursor=%s", cursor) : NULL;
    }
    cr_assert_eq(seen, 5);
}

Test(order, cursor_of_another_list_is_refused)
{
    struct answer a = api_call(api, "GET", "/v1/products?limit=1", NULL, NULL);
    const char *cursor = answer_get(api, &a, "/next_cursor");
    const char *token = api_member(api).token;

    assert_problem(
        api_call(api, "GET", api_text(api, "/v1/orders?cursor=%s", cursor), token, NULL),
        400, "request.bad_cursor");
    assert_problem(api_call(api, "GET", "/v1/orders?cursor=nonsense", token, NULL), 400,
                   "request.bad_cursor");
}

static struct answer move(const char *token, const char *order, const char *action)
{
    return api_call(api, "POST", api_text(api, "/v1/orders/%s/%s", order, action), token,
                    NULL);
}

Test(order, goes_from_pending_to_delivered)
{
    struct member m = api_member(api);
    const char *admin = admin_token();
    struct answer a = order_one(api, m.token, new_product(admin, 1), 1);
    const char *id = answer_get(api, &a, "/id");

    a = move(m.token, id, "pay");
    assert_status(a, 200);
    assert_text(a, "/status", "paid");
    assert_problem(move(m.token, id, "ship"), 403, "auth.insufficient_scope");
    assert_status(move(admin, id, "ship"), 200);
    a = move(admin, id, "deliver");
    assert_text(a, "/status", "delivered");
    assert_text(a, "/version", "4");
}

Test(order, refuses_a_move_that_its_status_does_not_allow)
{
    struct member m = api_member(api);
    struct answer a = order_one(api, m.token, new_product(admin_token(), 1), 1);
    const char *id = answer_get(api, &a, "/id");

    assert_status(move(m.token, id, "pay"), 200);
    assert_problem(move(m.token, id, "pay"), 409, "orders.illegal_transition");
    assert_problem(move(m.token, id, "cancel"), 409, "orders.illegal_transition");
    assert_problem(move(api_member(api).token, id, "pay"), 404, "orders.not_found");
}

Test(order, gives_its_pieces_back_when_cancelled)
{
    struct member m = api_member(api);
    const char *product = new_product(admin_token(), 2);
    struct answer a = order_one(api, m.token, product, 2);

    assert_status(a, 201);
    assert_problem(order_one(api, m.token, product, 1), 409, "orders.out_of_stock");
    assert_status(move(m.token, answer_get(api, &a, "/id"), "cancel"), 200);
    assert_status(order_one(api, m.token, product, 2), 201);
}

Test(order, out_of_stock_names_the_line)
{
    struct member m = api_member(api);
    struct answer a = order_one(api, m.token, new_product(admin_token(), 2), 3);

    assert_problem(a, 409, "orders.out_of_stock");
    cr_assert(names_field(&a, "/items/0/quantity"), "%s", a.body.p);
}

Test(order, unknown_product_and_doubled_line_are_named)
{
    struct member m = api_member(api);
    const char *unknown = "01890000-0000-7000-8000-000000000000";
    struct answer a = order_one(api, m.token, unknown, 1);

    assert_problem(a, 422, "request.invalid");
    cr_assert(names_field(&a, "/items/0/product_id"), "%s", a.body.p);
    a = api_call(api, "POST", "/v1/orders", m.token,
                 api_text(api,
                          "{\"items\":[{\"product_id\":\"%s\",\"quantity\":1},"
                          "{\"product_id\":\"%s\",\"quantity\":1}]}",
                          unknown, unknown));
    assert_problem(a, 422, "request.invalid");
    cr_assert(names_field(&a, "/items/1/product_id"), "%s", a.body.p);
}

/* ---- the last pieces, wanted by many
 * --------------------------------------------------------- */

enum { BUYERS = 50, PIECES = 70, PER_ORDER = 2 };

struct rush {
    const char *token, *product;
    atomic_int sold, refused;
};

static void *buy(void *arg)
{
    struct rush *r = arg;
    struct api mine;
    int status;

    api_open(&mine, api->url);
    status = order_one(&mine, r->token, r->product, PER_ORDER).status;
    if (status == 201)
        atomic_fetch_add(&r->sold, PER_ORDER);
    else if (status == 409)
        atomic_fetch_add(&r->refused, PER_ORDER);
    api_close(&mine);
    return NULL;
}

Test(order, fifty_clients_buy_exactly_what_is_in_stock)
{
    struct member m = api_member(api);
    struct rush r = {.token = m.token, .product = new_product(admin_token(), PIECES)};
    pthread_t buyers[BUYERS];

    for (int i = 0; i < BUYERS; i++)
        cr_assert_eq(pthread_create(&buyers[i], NULL, buy, &r), 0);
    for (int i = 0; i < BUYERS; i++)
        pthread_join(buyers[i], NULL);
    cr_assert_eq(r.sold, PIECES);
    cr_assert_eq(r.refused, BUYERS * PER_ORDER - PIECES);
    assert_problem(order_one(api, m.token, r.product, 1), 409, "orders.out_of_stock");
}
