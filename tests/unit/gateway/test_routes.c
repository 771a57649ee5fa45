// SPDX-License-Identifier: Apache-2.0
/* The route table, and that a broken one is noticed. */
#include "gateway/routes.h"

#include "gateway/flows/flows.h"
#include "proto/orders.h"
#include "proto/users.h"

#include <criterion/criterion.h>

static void expect_noticed(const struct route *row)
{
    const struct route table[] = {*row, {.path = NULL}};
    struct arena a;

    arena_init(&a);
    cr_expect_not_null(routes_check(&a, table), "%s", row->path);
    arena_fini(&a);
}

Test(routes, the_table_makes_sense)
{
    struct arena a;
    const char *why;

    arena_init(&a);
    why = routes_check(&a, routes);
    cr_expect_null(why, "%s", why);
    arena_fini(&a);
}

Test(routes, no_method_and_path_are_there_twice)
{
    for (const struct route *r = routes; r->path; r++)
        for (const struct route *s = routes; s < r; s++)
            cr_expect(r->method != s->method || strcmp(r->path, s->path) != 0, "%s",
                      r->path);
}

Test(routes, all_but_sign_in_the_catalogue_and_documents_need_a_user)
{
    for (const struct route *r = routes; r->path; r++) {
        bool open = strcmp(r->tag, "auth") == 0 || strcmp(r->tag, "about") == 0 ||
                    (strcmp(r->tag, "products") == 0 && r->method == HTTP_GET) ||
                    (strcmp(r->path, "/v1/users") == 0 && r->method == HTTP_POST);

        cr_expect(open || r->auth == ROUTE_USER, "%s", r->path);
    }
}

Test(routes, answers_with_tokens_are_never_stored)
{
    for (const struct route *r = routes; r->path; r++)
        if (route_reply(r) == &tokens_msg)
            cr_expect_str_eq(r->cache_control, "no-store");
}

/* What a key may never do has no scopes. */
Test(routes, keep_accounts_sessions_and_keys_from_api_keys)
{
    for (const struct route *r = routes; r->path; r++) {
        bool reads = r->method == HTTP_GET;

        if (strncmp(r->path, "/v1/auth/", 9) == 0 ||
            strncmp(r->path, "/v1/api-keys", 12) == 0 ||
            (strncmp(r->path, "/v1/users", 9) == 0 && !reads))
            cr_expect_eq(r->scopes, 0, "%s", r->path);
    }
}

static const struct route broken[] = {
    {.path = "/neither", .status = 204},
    {.path = "/both", .rpc = &USERS_GET, .flow = serve_jwks, .status = 200},
    {.path = "/x/{id}", .rpc = &USERS_LIST, .status = 200},
    {.path = "/x/{name}", .rpc = &USERS_GET, .status = 200},
    {.path = "/body", .rpc = &USERS_GET, .body = &login_msg, .status = 200},
    {.path = "/query", .rpc = &USERS_LIST, .query = &product_query_msg, .status = 200},
    {.path = "/self", .rpc = &USERS_LIST, .self = "id", .status = 200},
    {.path = "/if-match", .rpc = &USERS_GET, .if_match = IF_MATCH_TAKEN, .status = 200},
    {.path = "/anybody",
     .rpc = &USERS_LIST,
     .permission = PERM_USERS_LIST,
     .status = 200},
    {.path = "/open", .rpc = &USERS_LIST, .scopes = SCOPE_USERS_LIST, .status = 200},
    {.path = "/binds", .rpc = &USERS_GET, .binds = true, .status = 200},
    {.path = "/location", .rpc = &USERS_LIST, .location = "/x/{id}", .status = 201},
    {.path = "/nothing", .flow = serve_jwks, .status = 200},
};

Test(routes, every_kind_of_broken_row_is_noticed)
{
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        expect_noticed(&broken[i]);
}
