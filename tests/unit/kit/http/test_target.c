// SPDX-License-Identifier: Apache-2.0
/* Targets and query strings, as clients and attackers write them. */
#include "kit/http/http.h"
#include "kit/http/target.h"

#include <criterion/criterion.h>

static const struct {
    const char *raw;
    const char *path; /* NULL: refused */
    const char *query;
} rows[] = {
    {"/", "/", NULL},
    {"", "/", NULL},
    {"?a=b", "/", "a=b"},
    {"*", "*", NULL},
    {"/v1/users", "/v1/users", NULL},
    {"/v1/users/", "/v1/users/", NULL},
    {"/a?", "/a", ""},
    {"/a?b?c", "/a", "b?c"},
    {"/a%20b", "/a b", NULL},
    {"/a+b", "/a+b", NULL},
    {"/caf%C3%a9", "/caf\xc3\xa9", NULL},
    {"/%252F", "/%2F", NULL},
    {"/%41bc%44%45fgh", "/AbcDEfgh", NULL},
    {"/a/./b", "/a/b", NULL},
    {"/a/../b", "/b", NULL},
    {"/a/b/..", "/a/", NULL},
    {"/a/.", "/a/", NULL},
    {"/a/%2e%2E/b", "/b", NULL},
    {"/a/...", "/a/...", NULL},
    {"/a/..b", "/a/..b", NULL},
    {"/a/b/c/../../d", "/a/d", NULL},

    {"/..", NULL, NULL},
    {"/a/../..", NULL, NULL},
    {"/%2e%2e/etc", NULL, NULL},
    {"//", NULL, NULL},
    {"//evil/x", NULL, NULL},
    {"/a//b", NULL, NULL},
    {"/a%2fb", NULL, NULL},
    {"/a%2Fb", NULL, NULL},
    {"/a%5cb", NULL, NULL},
    {"/a\\b", NULL, NULL},
    {"/a%00b", NULL, NULL},
    {"/a%0d%0ab", NULL, NULL},
    {"/a%7f", NULL, NULL},
    {"/a%", NULL, NULL},
    {"/a%2", NULL, NULL},
    {"/a%zz", NULL, NULL},
    {"/a%+1", NULL, NULL},
    {"/%c3", NULL, NULL},
    {"/%c0%ae", NULL, NULL},
    {"/%ed%a0%80", NULL, NULL},
    {"/{id}", NULL, NULL},
    {"/a|b", NULL, NULL},
    {"a", NULL, NULL},
};

Test(target, is_normalised_once_or_refused)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena a;
        struct target t;
        bool ok;

        arena_init(&a);
        ok = target_parse(&a, str_of(rows[i].raw), &t);
        cr_expect_eq(ok, rows[i].path != NULL, "%s", rows[i].raw);
        if (ok && rows[i].path) {
            cr_expect(str_eq(t.path, str_of(rows[i].path)), "%s gives %.*s", rows[i].raw,
                      STR_FMT(t.path));
            cr_expect_eq(t.query.p != NULL, rows[i].query != NULL, "%s", rows[i].raw);
            cr_expect(str_eq(t.query, str_of(rows[i].query)), "%s", rows[i].raw);
        }
        arena_fini(&a);
    }
}

static int pairs(struct http_req *r, const char *query, struct http_pair *out, int max)
{
    r->query = str_of(query);
    return http_query_pairs(r, out, max);
}

Test(query, pairs_are_decoded_as_forms)
{
    struct http_req r = {0};
    struct http_pair p[4];

    arena_init(&r.arena);
    cr_assert_eq(pairs(&r, "filter[status]=a+b&x=%26%3D&&flag&=v", p, 4), 4);
    cr_expect(str_eq(p[0].name, STR("filter[status]")) && str_eq(p[0].value, STR("a b")));
    cr_expect(str_eq(p[1].name, STR("x")) && str_eq(p[1].value, STR("&=")));
    cr_expect(str_eq(p[2].name, STR("flag")) && str_eq(p[2].value, STR("")));
    cr_expect(str_eq(p[3].name, STR("")) && str_eq(p[3].value, STR("v")));
    arena_fini(&r.arena);
}

Test(query, malformed_ones_are_refused)
{
    static const char *const bad[] = {"a=%",   "a=%zz",    "a=%00",
                                      "%c3=1", "a=%c0%80", "a&b&c&d&e"};
    struct http_req r = {0};
    struct http_pair p[4];

    arena_init(&r.arena);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(pairs(&r, bad[i], p, 4), -1, "%s", bad[i]);
    arena_fini(&r.arena);
}

Test(query, none_is_no_pair)
{
    struct http_req r = {0};
    struct http_pair p[4];

    arena_init(&r.arena);
    cr_expect_eq(pairs(&r, NULL, p, 4), 0);
    cr_expect_eq(pairs(&r, "", p, 4), 0);
    arena_fini(&r.arena);
}
