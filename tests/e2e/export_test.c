// SPDX-License-Identifier: Apache-2.0
/* Exports: lines of JSON, all of a period, for those who may. */
#include "tests/e2e/e2e.h"

#include "kit/base/clock.h"

enum { ORDERS = 5 };

E2E_SUITE(export);

static const char *rfc3339(int64_t wall_us)
{
    char text[CLOCK_RFC3339_LEN];

    clock_format_rfc3339(wall_us, text);
    return arena_str(&api->arena, (struct str){text, sizeof text}).p;
}

static unsigned lines_of(const struct answer *a)
{
    unsigned n = 0;

    for (size_t i = 0; i < a->body.n; i++)
        n += a->body.p[i] == '\n';
    return n;
}

static struct answer export_since(const char *token, int64_t from_us)
{
    return api_call(api, "GET",
                    api_text(api, "/v1/exports/orders?from=%s", rfc3339(from_us)), token,
                    NULL);
}

Test(export, has_every_order_of_the_period_once_as_a_line_of_json)
{
    const char *admin = admin_token(), *product = new_product(admin, ORDERS);
    struct member m = api_member(api);
    int64_t from_us = clock_wall_us();
    const char *ids[ORDERS], *last;
    struct answer seen;

    for (int i = 0; i < ORDERS; i++) {
        struct answer order = order_one(api, m.token, product, 1);

        assert_status(order, 201);
        ids[i] = answer_get(api, &order, "/id");
    }
    seen = export_since(admin, from_us);
    assert_status(seen, 200);
    cr_assert(str_eq(answer_header(&seen, "content-type"), STR("application/x-ndjson")));
    cr_assert(str_eq(answer_header(&seen, "transfer-encoding"), STR("chunked")));
    last = seen.body.p;
    for (int i = 0; i < ORDERS; i++) {
        const char *at = strstr(seen.body.p, ids[i]);

        cr_assert_not_null(at, "order %d is not there", i);
        cr_assert_null(strstr(at + 1, ids[i]), "order %d is there twice", i);
        cr_assert_geq(at, last, "oldest first");
        last = at;
    }
    cr_assert_geq(lines_of(&seen), ORDERS); /* others order too */
}

Test(export, of_an_empty_period_is_empty)
{
    struct answer a = api_call(api, "GET", "/v1/exports/orders?to=2000-01-01T00:00:00Z",
                               admin_token(), NULL);

    assert_status(a, 200);
    cr_assert_eq(a.body.n, 0u);
}

Test(export, head_sends_no_lines)
{
    struct answer a = api_call(api, "HEAD", "/v1/exports/orders", admin_token(), NULL);

    assert_status(a, 200);
    cr_assert_eq(a.body.n, 0u);
}

Test(export, is_for_administrators_and_needs_times)
{
    struct member m = api_member(api);
    struct answer a = api_call(api, "GET", "/v1/exports/orders", m.token, NULL);

    assert_problem(a, 403, "auth.insufficient_scope");
    a = api_call(api, "GET", "/v1/exports/orders", NULL, NULL);
    assert_status(a, 401);
    a = api_call(api, "GET", "/v1/exports/orders?from=yesterday", admin_token(), NULL);
    assert_status(a, 400);
    cr_assert(names_field(&a, "?from"));
}
