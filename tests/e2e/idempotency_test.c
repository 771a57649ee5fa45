// SPDX-License-Identifier: Apache-2.0
/* Requests with an Idempotency-Key: done once, whatever is asked again. */
#include "tests/e2e/e2e.h"

#include "tests/support/stack/db.h"
#include "tests/support/stack/program.h"

#include <pthread.h>

E2E_SUITE(idempotency);

static const char *new_key(void)
{
    return uuid_str(&api->arena, uuid_new()).p;
}

static struct answer post(struct api *client, const char *path, const char *token,
                          const char *key, const char *json)
{
    const char *const headers[] = {api_text(client, "Idempotency-Key: %s", key), NULL};

    return api_call_with(client, "POST", path, token, json, headers);
}

static const char *lines(struct api *client, const char *product, int quantity)
{
    return api_text(client, "{\"items\":[{\"product_id\":\"%s\",\"quantity\":%d}]}",
                    product, quantity);
}

static struct answer order(const char *token, const char *key, const char *product,
                           int quantity)
{
    return post(api, "/v1/orders", token, key, lines(api, product, quantity));
}

/* Body, and what the header fields say about it. */
static void assert_same(struct answer a, struct answer b)
{
    static const char *const names[] = {"location", "etag", "content-type"};

    cr_assert_eq(a.status, b.status, "%s", b.body.p);
    cr_assert_str_eq(a.body.p, b.body.p);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_assert(str_eq(answer_header(&a, names[i]), answer_header(&b, names[i])), "%s",
                  names[i]);
}

Test(idempotency, the_answer_of_then_is_given_again_and_nothing_is_done_again)
{
    struct member m = api_member(api);
    const char *product = new_product(admin_token(), 10), *key = new_key();
    struct answer first = order(m.token, key, product, 7);
    const char *id = answer_get(api, &first, "/id");

    assert_status(first, 201);
    assert_same(first, order(m.token, key, product, 7));
    assert_status(
        api_call(api, "POST", api_text(api, "/v1/orders/%s/pay", id), m.token, NULL),
        200);
    assert_same(first, order(m.token, key, product, 7));
    assert_status(order_one(api, m.token, product, 3), 201);
}

Test(idempotency, another_request_with_the_key_is_refused)
{
    struct member m = api_member(api);
    const char *product = new_product(admin_token(), 10), *key = new_key();

    assert_status(order(m.token, key, product, 1), 201);
    assert_problem(order(m.token, key, product, 2), 422, "request.key_reused");
}

Test(idempotency, a_key_is_its_users_and_its_routes)
{
    struct member m = api_member(api), other = api_member(api);
    const char *product = new_product(admin_token(), 10), *key = new_key();
    struct answer mine = order(m.token, key, product, 1);
    struct answer others = order(other.token, key, product, 1);
    const char *id = answer_get(api, &mine, "/id");
    const char *pay = api_text(api, "/v1/orders/%s/pay", id);
    struct answer paid = post(api, pay, m.token, key, NULL);

    assert_status(mine, 201);
    assert_status(others, 201);
    cr_assert_str_neq(id, answer_get(api, &others, "/id"));
    assert_status(paid, 200);
    cr_assert_str_eq(answer_get(api, &paid, "/id"), id);
    assert_same(mine, order(m.token, key, product, 1));
    assert_same(others, order(other.token, key, product, 1));
    assert_same(paid, post(api, pay, m.token, key, NULL));
    assert_problem(order(m.token, key, product, 2), 422, "request.key_reused");
    assert_problem(order(other.token, key, product, 2), 422, "request.key_reused");
}

Test(idempotency, a_refusal_leaves_the_key_free)
{
    struct member m = api_member(api);
    const char *product = new_product(admin_token(), 1), *key = new_key();
    const char *any[] = {"If-Match: *", NULL};
    struct answer a;

    assert_problem(order(m.token, key, product, 2), 409, "orders.out_of_stock");
    a = api_call_with(api, "PATCH", api_text(api, "/v1/products/%s", product),
                      admin_token(), "{\"stock\":2}", any);
    assert_status(a, 200);
    assert_status(order(m.token, key, product, 2), 201);
}

Test(idempotency, what_stands_against_the_work_does_not_stand_against_the_answer)
{
    struct member m = api_member(api);
    const char *product = new_product(admin_token(), 1), *key = new_key();
    struct answer first = order(m.token, key, product, 1);

    assert_status(first, 201);
    assert_same(first, order(m.token, key, product, 1));
}

Test(idempotency, moves_products_and_reports_take_keys_as_well)
{
    struct member m = api_member(api);
    const char *admin = admin_token(), *key = new_key();
    struct answer placed = order_one(api, m.token, new_product(admin, 1), 1);
    const char *pay = api_text(api, "/v1/orders/%s/pay", answer_get(api, &placed, "/id"));
    const char *product = api_text(api,
                                   "{\"sku\":\"%s\",\"name\":\"Thing\",\"price\":1,"
                                   "\"currency\":\"EUR\",\"stock\":1}",
                                   key);
    const char *report =
        "{\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2026-01-02T00:00:00Z\"}";
    struct answer paid = post(api, pay, m.token, key, NULL);
    struct answer made = post(api, "/v1/products", admin, key, product);
    struct answer asked = post(api, "/v1/reports", admin, key, report);

    assert_status(paid, 200);
    assert_status(made, 201);
    assert_status(asked, 202);
    assert_same(paid, post(api, pay, m.token, key, NULL));
    assert_same(made, post(api, "/v1/products", admin, key, product));
    assert_same(asked, post(api, "/v1/reports", admin, key, report));
}

Test(idempotency, a_key_that_cannot_be_one_is_named)
{
    struct member m = api_member(api);
    const char *product = new_product(admin_token(), 1);
    struct answer a = order(m.token, "two words", product, 1);

    assert_problem(a, 400, "request.bad_parameter");
    cr_assert(names_field(&a, "Idempotency-Key"), "%s", a.body.p);
}

/* ---- in flight ------------------------------------------------------------------ */

struct buyer {
    const char *token, *key, *product;
    int status;
};

static void *buy(void *arg)
{
    struct buyer *b = arg;
    struct api mine;

    api_open(&mine, api->url);
    b->status =
        post(&mine, "/v1/orders", b->token, b->key, lines(&mine, b->product, 1)).status;
    api_close(&mine);
    return NULL;
}

/* Of this test's own: other cases have orders that wait for a moment. */
static bool waits_for_our_row(void *holder)
{
    return db_number(
               "VIADUCT_ORDERS_PG",
               api_text(api,
                        "SELECT count(*) FROM pg_stat_activity w, pg_stat_activity h "
                        "WHERE h.application_name = '%s' "
                        "AND h.pid = ANY (pg_blocking_pids(w.pid))",
                        (const char *)holder)) > 0;
}

Test(idempotency, a_key_in_flight_is_a_conflict_and_done_by_the_first)
{
    struct member m = api_member(api);
    const char *product = new_product(admin_token(), 5);
    struct buyer b = {m.token, new_key(), product, 0};
    char *holder = (char *)(uintptr_t)new_key();
    struct db *db = db_open("VIADUCT_ORDERS_PG");
    pthread_t first;

    db_run(db, api_text(api, "SET application_name = '%s'", holder));
    db_run(db, "BEGIN");
    db_run(db, api_text(api, "SELECT FROM products WHERE id = '%s' FOR UPDATE", product));
    cr_assert_eq(pthread_create(&first, NULL, buy, &b), 0);
    wait_until(waits_for_our_row, holder, 30, "the first to wait for its product");
    assert_problem(order(m.token, b.key, product, 1), 409, "request.key_in_flight");
    db_run(db, "COMMIT");
    db_close(db);
    pthread_join(first, NULL);
    cr_assert_eq(b.status, 201);
    assert_status(order(m.token, b.key, product, 1), 201);
    cr_assert_eq(
        db_number("VIADUCT_ORDERS_PG",
                  api_text(api,
                           "SELECT count(*) FROM order_items WHERE product_id = '%s'",
                           product)),
        1);
}
