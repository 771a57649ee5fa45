// SPDX-License-Identifier: Apache-2.0
/* See gateway/routes.h; what the columns mean is in gateway/edge/route.h. */
#include "gateway/routes.h"

#include "gateway/flows/flows.h"
#include "gateway/flows/overview.h"
#include "proto/jobs.h"
#include "proto/orders.h"
#include "proto/users.h"

#define SMALL     (16 << 10) /* bytes of a body that anybody may send */
#define NO_STORE  "no-store"
#define CATALOGUE "public, max-age=5, stale-while-revalidate=30, stale-if-error=300"
#define DOCUMENT  "public, max-age=300"
#define PAGE      "public, no-cache"

const struct route routes[] = {
    /* ---- users ---- */
    {HTTP_POST, "/v1/users", "users", "Register an account", .class = ROUTE_SIGN_IN,
     .rpc = &USERS_CREATE, .body = &user_create_msg, .body_max = SMALL, .status = 201,
     .location = "/v1/users/{id}"},
    {HTTP_GET, "/v1/users", "users", "List accounts", .auth = ROUTE_USER,
     .scopes = SCOPE_USERS_LIST, .class = ROUTE_ADMIN, .permission = PERM_USERS_LIST,
     .rpc = &USERS_LIST, .query = &user_query_msg, .priority = PRIORITY_BULK,
     .status = 200},
    {HTTP_GET, "/v1/users/me", "users", "Your own account", .auth = ROUTE_USER,
     .scopes = SCOPE_ACCOUNT_READ, .rpc = &USERS_GET, .self = "id", .status = 200},
    {HTTP_GET, "/v1/users/{id}", "users", "An account", .auth = ROUTE_USER,
     .scopes = SCOPE_ACCOUNT_READ, .rpc = &USERS_GET, .status = 200},
    {HTTP_PATCH, "/v1/users/{id}", "users", "Change an account", .auth = ROUTE_USER,
     .rpc = &USERS_PATCH, .body = &user_patch_body_msg, .if_match = IF_MATCH_TAKEN,
     .status = 200},
    {HTTP_DELETE, "/v1/users/{id}", "users", "Delete an account", .auth = ROUTE_USER,
     .rpc = &USERS_DELETE, .status = 204},
    {HTTP_GET, "/v1/users/{id}/overview", "users",
     "An account with its newest orders and jobs; partial when a part is down",
     .auth = ROUTE_USER,
     .scopes = SCOPE_ACCOUNT_READ | SCOPE_ORDERS_READ | SCOPE_JOBS_READ, .flow = overview,
     .in = &by_id_msg, .reply = &overview_reply_msg, .status = 200},

    /* ---- sessions ---- */
    {HTTP_POST, "/v1/auth/login", "auth", "Sign in", .class = ROUTE_SIGN_IN,
     .rpc = &USERS_LOGIN, .binds = true, .body = &login_body_msg, .body_max = SMALL,
     .priority = PRIORITY_VITAL, .status = 200, .cache_control = NO_STORE},
    {HTTP_POST, "/v1/auth/refresh", "auth", "New tokens for a refresh token",
     .class = ROUTE_SIGN_IN, .rpc = &USERS_REFRESH, .binds = true,
     .body = &refresh_body_msg, .body_max = SMALL, .priority = PRIORITY_VITAL,
     .status = 200, .cache_control = NO_STORE},
    {HTTP_POST, "/v1/auth/logout", "auth", "End the session of the token",
     .auth = ROUTE_USER, .rpc = &USERS_LOGOUT, .priority = PRIORITY_VITAL, .status = 204},

    /* ---- API keys: no scopes, so they cannot make or see one another ---- */
    {HTTP_POST, "/v1/api-keys", "api-keys", "Make an API key; it is shown this once",
     .auth = ROUTE_USER, .rpc = &USERS_KEY_CREATE, .body = &api_key_create_msg,
     .status = 201, .location = "/v1/api-keys/{id}", .cache_control = NO_STORE},
    {HTTP_GET, "/v1/api-keys", "api-keys", "Your API keys, newest first",
     .auth = ROUTE_USER, .rpc = &USERS_KEY_LIST, .status = 200},
    {HTTP_GET, "/v1/api-keys/{id}", "api-keys", "An API key", .auth = ROUTE_USER,
     .rpc = &USERS_KEY_GET, .status = 200},
    {HTTP_DELETE, "/v1/api-keys/{id}", "api-keys",
     "Revoke an API key: it is void at once, everywhere", .auth = ROUTE_USER,
     .rpc = &USERS_KEY_REVOKE, .priority = PRIORITY_VITAL, .status = 204},

    /* ---- catalogue ---- */
    {HTTP_GET, "/v1/products", "products", "The catalogue", .class = ROUTE_OPEN,
     .rpc = &PRODUCTS_LIST, .query = &product_query_msg, .status = 200,
     .cache_control = CATALOGUE},
    {HTTP_GET, "/v1/products/{id}", "products", "A product", .class = ROUTE_OPEN,
     .rpc = &PRODUCTS_GET, .status = 200, .cache_control = CATALOGUE},
    {HTTP_POST, "/v1/products", "products", "Add a product", .auth = ROUTE_USER,
     .scopes = SCOPE_PRODUCTS_WRITE, .class = ROUTE_ADMIN,
     .permission = PERM_PRODUCTS_WRITE, .rpc = &PRODUCTS_CREATE,
     .body = &product_create_msg, .keyed = true, .status = 201,
     .location = "/v1/products/{id}"},
    {HTTP_PATCH, "/v1/products/{id}", "products", "Change a product", .auth = ROUTE_USER,
     .scopes = SCOPE_PRODUCTS_WRITE, .class = ROUTE_ADMIN,
     .permission = PERM_PRODUCTS_WRITE, .rpc = &PRODUCTS_PATCH,
     .body = &product_patch_body_msg, .if_match = IF_MATCH_REQUIRED, .status = 200},

    /* ---- orders ---- */
    {HTTP_POST, "/v1/orders", "orders", "Place an order", .auth = ROUTE_USER,
     .scopes = SCOPE_ORDERS_WRITE, .flow = place_order, .in = &order_create_msg,
     .body = &order_create_msg, .reply = &order_msg, .keyed = true, .status = 201,
     .location = "/v1/orders/{id}"},
    {HTTP_GET, "/v1/orders", "orders", "Your orders, newest first", .auth = ROUTE_USER,
     .scopes = SCOPE_ORDERS_READ, .rpc = &ORDERS_LIST, .query = &order_query_msg,
     .priority = PRIORITY_BULK, .status = 200},
    {HTTP_GET, "/v1/orders/{id}", "orders", "An order", .auth = ROUTE_USER,
     .scopes = SCOPE_ORDERS_READ, .rpc = &ORDERS_GET, .status = 200},
    {HTTP_POST, "/v1/orders/{id}/pay", "orders", "Pay an order", .auth = ROUTE_USER,
     .scopes = SCOPE_ORDERS_WRITE, .rpc = &ORDERS_PAY, .keyed = true, .status = 200},
    {HTTP_POST, "/v1/orders/{id}/ship", "orders", "Mark an order as shipped",
     .auth = ROUTE_USER, .scopes = SCOPE_ORDERS_FULFIL, .class = ROUTE_ADMIN,
     .permission = PERM_ORDERS_FULFIL, .rpc = &ORDERS_SHIP, .keyed = true, .status = 200},
    {HTTP_POST, "/v1/orders/{id}/deliver", "orders", "Mark an order as delivered",
     .auth = ROUTE_USER, .scopes = SCOPE_ORDERS_FULFIL, .class = ROUTE_ADMIN,
     .permission = PERM_ORDERS_FULFIL, .rpc = &ORDERS_DELIVER, .keyed = true,
     .status = 200},
    {HTTP_POST, "/v1/orders/{id}/cancel", "orders", "Cancel an order", .auth = ROUTE_USER,
     .scopes = SCOPE_ORDERS_WRITE, .rpc = &ORDERS_CANCEL, .keyed = true, .status = 200},
    {HTTP_POST, "/v1/orders/{id}/refund", "orders", "Refund an order", .auth = ROUTE_USER,
     .scopes = SCOPE_ORDERS_FULFIL, .class = ROUTE_ADMIN,
     .permission = PERM_ORDERS_FULFIL, .rpc = &ORDERS_REFUND, .keyed = true,
     .status = 200},

    {HTTP_GET, "/v1/exports/orders", "orders",
     "All orders of a period, oldest first, as lines of JSON", .auth = ROUTE_USER,
     .scopes = SCOPE_ORDERS_READ, .class = ROUTE_ADMIN,
     .permission = PERM_ORDERS_READ_ANY, .cost = 20, .flow = export_orders,
     .in = &order_export_msg, .query = &order_export_msg, .media = "application/x-ndjson",
     .priority = PRIORITY_BULK, .longest_ms = 3600000, .status = 200,
     .cache_control = NO_STORE},

    /* ---- slow work ---- */
    {HTTP_POST, "/v1/reports", "jobs", "Have a report of a period made",
     .auth = ROUTE_USER, .scopes = SCOPE_REPORTS_CREATE, .class = ROUTE_ADMIN,
     .permission = PERM_REPORTS_CREATE, .cost = 20, .rpc = &JOBS_CREATE_REPORT,
     .body = &report_create_msg, .keyed = true, .priority = PRIORITY_BULK, .status = 202,
     .location = "/v1/jobs/{id}"},
    {HTTP_GET, "/v1/jobs", "jobs", "Your jobs, newest first", .auth = ROUTE_USER,
     .scopes = SCOPE_JOBS_READ, .rpc = &JOBS_LIST, .query = &job_query_msg,
     .priority = PRIORITY_BULK, .status = 200},
    {HTTP_GET, "/v1/jobs/{id}", "jobs", "A job", .auth = ROUTE_USER,
     .scopes = SCOPE_JOBS_READ, .rpc = &JOBS_GET, .status = 200},
    {HTTP_GET, "/v1/jobs/{id}/result", "jobs", "What a job has made", .auth = ROUTE_USER,
     .scopes = SCOPE_JOBS_READ, .cost = 5, .flow = job_result, .in = &by_id_msg,
     .media = "text/csv", .priority = PRIORITY_BULK, .longest_ms = 3600000,
     .status = 200},

    /* ---- about the API ---- */
    {HTTP_GET, "/openapi.json", "about", "This document", .class = ROUTE_OPEN,
     .flow = serve_openapi, .media = "application/json", .status = 200,
     .cache_control = DOCUMENT},
    {HTTP_GET, "/.well-known/jwks.json", "about", "Public keys of the access tokens",
     .class = ROUTE_OPEN, .flow = serve_jwks, .media = "application/json", .status = 200,
     .cache_control = DOCUMENT},
    {HTTP_GET, "/docs", "about", "The API for people", .flow = serve_docs,
     .media = "text/html", .page = true, .status = 200, .cache_control = PAGE},
    {HTTP_GET, "/docs/{name}", "about", "What that page is made of",
     .flow = serve_docs_file, .in = &docs_file_msg, .media = "text/html", .page = true,
     .status = 200, .cache_control = DOCUMENT},
    {.path = NULL},
};

/* ---- does the table make sense ---- */

/* Every field of `from` is one of `to`, of the same kind. */
static const char *check_copy(struct arena *a, const struct route *r,
                              const struct wire_msg *from, const struct wire_msg *to)
{
    if (!from || from == to)
        return NULL;
    for (unsigned i = 0; i < from->count; i++) {
        const struct wire_field *f = &from->fields[i];
        const struct wire_field *g =
            to ? wire_field_find(to, (struct str){f->name, f->name_len}) : NULL;

        if (!g || g->kind != f->kind)
            return arena_printf(a, "%s: field %s of %s has no place", r->path, f->name,
                                from->name)
                .p;
    }
    return NULL;
}

static const char *check_field(struct arena *a, const struct route *r, struct str name,
                               enum wire_kind kind)
{
    const struct wire_msg *in = route_in(r);
    const struct wire_field *f = in ? wire_field_find(in, name) : NULL;

    if (f && f->kind == kind)
        return NULL;
    return arena_printf(a, "%s: no field %.*s of the right kind", r->path, STR_FMT(name))
        .p;
}

/* Every {name} of the path is a field of the request: an id, or a file of a page. */
static const char *check_path(struct arena *a, const struct route *r)
{
    const char *why = NULL;

    for (const char *p = strchr(r->path, '{'); p && !why; p = strchr(p + 1, '{')) {
        const struct str name = {p + 1, strcspn(p + 1, "}")};

        why = check_field(a, r, name, r->page ? WIRE_KIND_str : WIRE_KIND_uuid);
    }
    return why;
}

static const char *check_answer(struct arena *a, const struct route *r)
{
    const struct wire_msg *reply = route_reply(r);
    const struct wire_field *id = reply ? wire_field_find(reply, STR("id")) : NULL;

    if (!reply && !r->media && r->status != 204)
        return arena_printf(a, "%s: nothing to answer", r->path).p;
    if (r->location && strchr(r->location, '{') && (!id || id->kind != WIRE_KIND_uuid))
        return arena_printf(a, "%s: the reply has no id for Location", r->path).p;
    return NULL;
}

/* What does not go together, whatever the messages are. */
static const char *contradiction(const struct route *r)
{
    if (!r->rpc == !r->flow)
        return "a method or a flow";
    if (r->permission != PERM_NONE && r->auth == ROUTE_PUBLIC)
        return "a permission without a user";
    if (r->scopes && r->auth == ROUTE_PUBLIC)
        return "scopes without a user";
    if ((r->permission != PERM_NONE) != (r->class == ROUTE_ADMIN))
        return "a permission goes with ROUTE_ADMIN";
    if (r->keyed && (r->method != HTTP_POST || r->auth != ROUTE_USER))
        return "a key is a user's, for a POST";
    return NULL;
}

/* Fields of the request that come from elsewhere than the client's words. */
static const char *check_fields(struct arena *a, const struct route *r)
{
    const char *why = NULL;

    if (r->self)
        why = check_field(a, r, str_of(r->self), WIRE_KIND_uuid);
    if (!why && r->binds)
        why = check_field(a, r, STR("jkt"), WIRE_KIND_str);
    if (!why && r->if_match)
        why = check_field(a, r, STR("if_version"), WIRE_KIND_i64);
    return why;
}

static const char *check(struct arena *a, const struct route *r)
{
    const struct wire_msg *in = route_in(r);
    const char *why = contradiction(r);

    if (why)
        return arena_printf(a, "%s: %s", r->path, why).p;
    why = check_path(a, r);
    if (!why)
        why = check_copy(a, r, r->query, in);
    if (!why)
        why = check_copy(a, r, r->body, in);
    if (!why)
        why = check_fields(a, r);
    return why ? why : check_answer(a, r);
}

const char *routes_check(struct arena *a, const struct route *table)
{
    const char *why = NULL;

    for (const struct route *r = table; r->path && !why; r++)
        why = check(a, r);
    return why;
}
