// SPDX-License-Identifier: Apache-2.0
/* The catalogue is public to read and cached, and administrators change it. */
#include "tests/e2e/e2e.h"

#include <stdlib.h>

E2E_SUITE(catalogue);

Test(catalogue, is_public_and_cacheable)
{
    struct answer a = api_call(api, "GET", "/v1/products?limit=5", NULL, NULL);

    assert_status(a, 200);
    cr_assert_not_null(answer_get(api, &a, "/items/4/id"));
    cr_assert_null(answer_get(api, &a, "/items/5"));
    cr_assert(strstr(answer_header(&a, "cache-control").p, "public"));
}

Test(catalogue, pages_show_every_product_once_in_order)
{
    const char *path = "/v1/products?limit=7&sort=price";
    long last = -1;
    int seen = 0, pages = 0;

    for (; path && pages < 200; pages++) {
        struct answer a = api_call(api, "GET", path, NULL, NULL);
        const char *cursor = answer_get(api, &a, "/next_cursor"), *price;

        assert_status(a, 200);
        for (int i = 0;
             (price = answer_get(api, &a, api_text(api, "/items/%d/price", i))); i++) {
            cr_assert_geq(strtol(price, NULL, 10), last);
            last = strtol(price, NULL, 10);
            seen++;
        }
        cr_assert_eq(answer_header(&a, "link").p != NULL, cursor != NULL);
        path = cursor ? api_text(api, "/v1/products?limit=7&sort=price&cursor=%s", cursor)
                      : NULL;
    }
    cr_assert_null(path);
    cr_assert_geq(seen, 20);
}

Test(catalogue, answers_304_when_nothing_changed)
{
    struct answer list =
        api_call(api, "GET", "/v1/products?limit=1&sort=created_at", NULL, NULL);
    const char *path =
        api_text(api, "/v1/products/%s", answer_get(api, &list, "/items/0/id"));
    struct answer a = api_call(api, "GET", path, NULL, NULL), b;
    const char *etag = arena_str(&api->arena, answer_header(&a, "etag")).p;
    const char *headers[] = {api_text(api, "If-None-Match: %s", etag), NULL};

    assert_status(a, 200);
    b = api_call_with(api, "GET", path, NULL, NULL, headers);
    assert_status(b, 304);
    cr_assert_eq(b.body.n, 0);
}

Test(catalogue, changes_are_for_administrators_and_seen_at_once)
{
    const char *admin = admin_token(), *id = new_product(admin, 10);
    const char *path = api_text(api, "/v1/products/%s", id);
    struct answer a = api_call(api, "GET", path, NULL, NULL);
    const char *headers[] = {NULL, NULL};

    assert_text(a, "/price", "1250");
    headers[0] = api_text(api, "If-Match: %.*s", STR_FMT(answer_header(&a, "etag")));
    assert_problem(api_call(api, "PATCH", path, api_member(api).token, "{\"price\":1}"),
                   403, "auth.insufficient_scope");
    assert_problem(api_call(api, "PATCH", path, admin, "{\"price\":1}"), 428,
                   "request.version_required");
    assert_status(api_call_with(api, "PATCH", path, admin, "{\"price\":999}", headers),
                  200);
    assert_problem(api_call_with(api, "PATCH", path, admin, "{\"price\":1}", headers),
                   412, "request.version_mismatch");
    a = api_call(api, "GET", path, NULL, NULL);
    assert_text(a, "/price", "999");
}

Test(catalogue, sku_is_unique)
{
    const char *admin = admin_token();
    struct answer a =
        api_call(api, "POST", "/v1/products", admin,
                 "{\"sku\":\"TEA-ASSAM-100\",\"name\":\"Thing\",\"price\":1,"
                 "\"currency\":\"EUR\",\"stock\":1}");

    assert_problem(a, 409, "products.sku_taken");
}

Test(catalogue, unknown_product_is_not_found)
{
    assert_problem(api_call(api, "GET",
                            "/v1/products/01890000-0000-7000-8000-000000000000", NULL,
                            NULL),
                   404, "products.not_found");
}
