// SPDX-License-Identifier: Apache-2.0
/* Paths and methods to routes. */
#include "gateway/edge/router.h"

#include <criterion/criterion.h>

static const struct route table[] = {
    {.method = HTTP_GET, .path = "/a/{id}", .summary = "one"},
    {.method = HTTP_GET, .path = "/a", .summary = "list"},
    {.method = HTTP_POST, .path = "/a", .summary = "make"},
    {.method = HTTP_GET, .path = "/a/me", .summary = "mine"},
    {.method = HTTP_GET, .path = "/a/{id}/b/{other}", .summary = "deep"},
    {.method = HTTP_DELETE, .path = "/", .summary = "root"},
    {.path = NULL},
};

static struct router *router;

static void make(void)
{
    router = router_create(table);
}

static void drop(void)
{
    router_destroy(router);
}

TestSuite(router, .init = make, .fini = drop);

static struct router_match find(enum http_method method, const char *path)
{
    struct router_match m;

    router_find(router, method, str_of(path), &m);
    return m;
}

static void expect_route(enum http_method method, const char *path, const char *summary)
{
    struct router_match m = find(method, path);

    cr_assert_not_null(m.route, "%s", path);
    cr_expect_str_eq(m.route->summary, summary);
}

Test(router, finds_literals_and_parameters)
{
    expect_route(HTTP_GET, "/a", "list");
    expect_route(HTTP_POST, "/a", "make");
    expect_route(HTTP_GET, "/a/x", "one");
    expect_route(HTTP_GET, "/a/x/b/y", "deep");
    expect_route(HTTP_DELETE, "/", "root");
}

Test(router, prefers_the_literal)
{
    expect_route(HTTP_GET, "/a/me", "mine");
    expect_route(HTTP_GET, "/a/met", "one");
}

Test(router, gives_the_parameters)
{
    struct router_match m = find(HTTP_GET, "/a/x y/b/z");

    cr_assert_eq(m.n_params, 2);
    cr_expect(str_eq(m.params[0].name, STR("id")) &&
              str_eq(m.params[0].value, STR("x y")));
    cr_expect(str_eq(m.params[1].name, STR("other")) &&
              str_eq(m.params[1].value, STR("z")));
}

Test(router, takes_head_for_get)
{
    expect_route(HTTP_HEAD, "/a", "list");
}

Test(router, knows_what_is_not_there)
{
    static const char *const paths[] = {"/b",      "/a/",        "/a/x/",
                                        "/a/x/b",  "/a/x/b/y/z", "/A",
                                        "/a//b/c", "/*",         "/1/2/3/4/5/6/7/8/9"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        cr_expect_eq(find(HTTP_GET, paths[i]).allowed, 0, "%s", paths[i]);
}

static void expect_allow(const char *path, const char *list)
{
    struct arena a;

    arena_init(&a);
    cr_expect(str_eq(router_allow(&a, find(HTTP_PUT, path).allowed), str_of(list)));
    arena_fini(&a);
}

Test(router, says_which_methods_there_are)
{
    cr_expect_null(find(HTTP_PUT, "/a").route);
    expect_allow("/a", "GET, HEAD, POST, OPTIONS");
    expect_allow("/a/x", "GET, HEAD, OPTIONS");
    expect_allow("/", "DELETE, OPTIONS");
    cr_expect_null(find(HTTP_OPTIONS, "*").route);
    expect_allow("*", "GET, HEAD, POST, DELETE, OPTIONS");
}
