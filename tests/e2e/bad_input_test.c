// SPDX-License-Identifier: Apache-2.0
/* Input that is not acceptable gets an answer that names what is wrong. */
#include "tests/e2e/e2e.h"

#include <stdlib.h>

E2E_SUITE(bad_input);

#define OK_PASSWORD "\"password\":\"0123456789\""

struct bad_body {
    const char *body;
    int status;
    const char *code;
    const char *field; /* NULL: none to name */
};

static const struct bad_body bodies[] = {
    {"{", 400, "request.malformed_json", NULL},
    {"", 400, "request.malformed_json", NULL},
    {"{\"email\":\"a@example.com\",}", 400, "request.malformed_json", NULL},
    {"{\"email\":\"a@example.com\"} {}", 400, "request.malformed_json", NULL},
    {"{\"name\":\"\xff\xfe\"}", 400, "request.malformed_json", NULL},
    {"{\"name\":\"\\ud800\"}", 400, "request.malformed_json", NULL},
    {"{\"name\":\"a\",\"name\":\"b\"}", 400, "request.malformed_json", NULL},
    {"[]", 422, "request.invalid", ""},
    {"{}", 422, "request.invalid", "/email"},
    {"{}", 422, "request.invalid", "/password"},
    {"{\"email\":\"a@example.com\",\"name\":5," OK_PASSWORD "}", 422, "request.invalid",
     "/name"},
    {"{\"email\":null,\"name\":\"n\"," OK_PASSWORD "}", 422, "request.invalid", "/email"},
    {"{\"email\":\"nobody\",\"name\":\"n\"," OK_PASSWORD "}", 422, "request.invalid",
     "/email"},
    {"{\"email\":\"a@example.com\",\"name\":\"\"," OK_PASSWORD "}", 422,
     "request.invalid", "/name"},
    {"{\"email\":\"a@example.com\",\"name\":\"n\",\"password\":\"short\"}", 422,
     "request.invalid", "/password"},
    {"{\"email\":\"a@example.com\",\"name\":\"a\\u0000b\"," OK_PASSWORD "}", 422,
     "request.invalid", "/name"},
    {"{\"email\":\"a@example.com\",\"name\":\"n\",\"admin\":true," OK_PASSWORD "}", 422,
     "request.invalid", "/admin"},
};

Test(bad_input, body_is_refused_by_name)
{
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        const struct bad_body *b = &bodies[i];
        struct answer a = api_call(api, "POST", "/v1/users", NULL, b->body);

        assert_problem(a, b->status, b->code);
        cr_assert(!b->field || names_field(&a, b->field), "%zu: %s", i, a.body.p);
        cr_assert_null(strstr(a.body.p, "0123456789"), "a password came back");
    }
}

Test(bad_input, every_bad_field_is_named_at_once)
{
    struct answer a =
        api_call(api, "POST", "/v1/users", NULL,
                 "{\"email\":\"x\",\"name\":\"\",\"password\":1,\"extra\":2}");

    assert_problem(a, 422, "request.invalid");
    cr_assert(names_field(&a, "/email") && names_field(&a, "/name") &&
                  names_field(&a, "/password") && names_field(&a, "/extra"),
              "%s", a.body.p);
}

Test(bad_input, quantities_out_of_range_are_named)
{
    static const char *const quantities[] = {
        "0", "-1", "10001", "1.5", "1e2", "99999999999999999999", "\"1\"", "true"};
    struct member m = api_member(api);

    for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++) {
        struct answer a = api_call(
            api, "POST", "/v1/orders", m.token,
            api_text(
                api,
                "{\"items\":[{\"product_id\":\"01890000-0000-7000-8000-000000000000\","
                "\"quantity\":%s}]}",
                quantities[i]));

        assert_problem(a, 422, "request.invalid");
        cr_assert(names_field(&a, "/items/0/quantity"), "%s: %s", quantities[i],
                  a.body.p);
    }
}

static char *repeated(const char *what, int n)
{
    char *text = calloc((size_t)n + 1, strlen(what));

    for (int i = 0; i < n; i++)
        memcpy(text + (size_t)i * strlen(what), what, strlen(what));
    return text;
}

Test(bad_input, deep_nesting_is_refused)
{
    char *deep = repeated("[", 10000);

    assert_problem(api_call(api, "POST", "/v1/users", NULL, deep), 400,
                   "request.malformed_json");
    free(deep);
}

Test(bad_input, too_many_items_are_refused)
{
    struct member m = api_member(api);
    char *items = repeated("{\"product_id\":\"01890000-0000-7000-8000-000000000000\","
                           "\"quantity\":1},",
                           101);
    struct answer a;

    items[strlen(items) - 1] = 0;
    a = api_call(api, "POST", "/v1/orders", m.token,
                 api_text(api, "{\"items\":[%s]}", items));
    assert_problem(a, 422, "request.invalid");
    cr_assert(names_field(&a, "/items"));
    free(items);
}

Test(bad_input, oversized_body_is_413)
{
    char *big = repeated("0123456789abcdef", 20000);
    struct answer a =
        api_call(api, "POST", "/v1/users", NULL, api_text(api, "{\"name\":\"%s\"}", big));

    assert_problem(a, 413, "request.too_large");
    free(big);
}

Test(bad_input, other_media_types_are_415)
{
    const char *headers[] = {"Content-Type: text/plain", NULL};
    struct answer a = api_call_with(api, "POST", "/v1/users", NULL, NULL, headers);

    cr_assert(a.status == 415 || a.status == 400, "%d %s", a.status, a.body.p);
}

struct bad_path {
    const char *method, *path;
    int status;
    const char *code;
};

static const struct bad_path paths[] = {
    {"GET", "/", 404, "route.not_found"},
    {"GET", "/v1/nothing", 404, "route.not_found"},
    {"GET", "/v2/products", 404, "route.not_found"},
    {"PUT", "/v1/products", 405, "route.method_not_allowed"},
    {"DELETE", "/v1/auth/login", 405, "route.method_not_allowed"},
    {"GET", "/v1/products/not-a-uuid", 400, "request.bad_parameter"},
    {"GET", "/v1/products?limit=0", 400, "request.bad_parameter"},
    {"GET", "/v1/products?limit=101", 400, "request.bad_parameter"},
    {"GET", "/v1/products?limit=ten", 400, "request.bad_parameter"},
    {"GET", "/v1/products?limit=1&limit=2", 400, "request.bad_parameter"},
    {"GET", "/v1/products?sort=colour", 400, "request.bad_parameter"},
    {"GET", "/v1/products?colour=red", 400, "request.bad_parameter"},
    {"GET", "/v1/products?cursor=AAAA", 400, "request.bad_cursor"},
};

Test(bad_input, paths_and_parameters_are_refused_by_name)
{
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct answer a = api_call(api, paths[i].method, paths[i].path, NULL, NULL);

        assert_problem(a, paths[i].status, paths[i].code);
        cr_assert_eq(paths[i].status == 405, answer_header(&a, "allow").p != NULL, "%s",
                     a.headers.p);
    }
}

Test(bad_input, bad_parameters_name_the_parameter)
{
    struct answer a = api_call(api, "GET", "/v1/products?limit=0&colour=red", NULL, NULL);

    cr_assert(names_field(&a, "?limit") && names_field(&a, "?colour"), "%s", a.body.p);
}
