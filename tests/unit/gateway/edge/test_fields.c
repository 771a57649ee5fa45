// SPDX-License-Identifier: Apache-2.0
/* Looking into replies, entity tags, limit fields. */
#include "gateway/edge/auth.h"
#include "gateway/edge/fields.h"
#include "gateway/edge/respond.h"
#include "proto/users.h"

#include <criterion/criterion.h>

static struct buf packed;

static struct str reply(void)
{
    struct user u = {0};

    WIRE_SET(&u, name, STR("Anna"));
    WIRE_SET(&u, roles, ((struct str_list){NULL, 0}));
    WIRE_SET(&u, version, 7);
    buf_init(&packed, 4096);
    wire_to_msgpack(&packed, &user_msg, &u);
    return buf_view(&packed);
}

Test(fields, peek_finds_what_is_at_the_top)
{
    struct mp_value v;

    cr_assert(fields_peek(reply(), "version", &v));
    cr_expect(v.type == MP_INT && v.i == 7);
    cr_expect_not(fields_peek(buf_view(&packed), "id", &v));
    buf_fini(&packed);
}

Test(fields, peek_survives_every_cut)
{
    struct str whole = reply();
    struct mp_value v;

    for (size_t n = 0; n < whole.n; n++)
        cr_expect_not(fields_peek((struct str){whole.p, n}, "nothing", &v));
    buf_fini(&packed);
}

Test(fields, etags_depend_on_version_and_body_only)
{
    struct arena a;
    struct str one, two;

    arena_init(&a);
    one = respond_etag(&a, 0, STR("{}"));
    two = respond_etag(&a, 0, STR("{ }"));
    cr_expect_eq(one.n, 18);
    cr_expect_not(str_eq(one, two));
    cr_expect(str_eq(one, respond_etag(&a, 0, STR("{}"))));
    cr_expect(str_starts(respond_etag(&a, 12, STR("{}")), STR("\"12-")));
    arena_fini(&a);
}

Test(fields, bearer_takes_the_token_of_its_scheme_only)
{
    bool by_proof;

    cr_expect(str_eq(auth_token(STR("Bearer abc"), &by_proof), STR("abc")));
    cr_expect_not(by_proof);
    cr_expect(str_eq(auth_token(STR("bearer  abc"), &by_proof), STR("abc")));
    cr_expect(str_eq(auth_token(STR("dpop abc"), &by_proof), STR("abc")));
    cr_expect(by_proof);
    cr_expect_null(auth_token(STR("Basic abc"), &by_proof).p);
    cr_expect_null(auth_token(STR("Bearer"), &by_proof).p);
    cr_expect_null(auth_token((struct str){NULL, 0}, &by_proof).p);
}

/* ---- by route ---- */

static struct str value_of(const struct fields *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->v[i].name, name) == 0)
            return f->v[i].value;
    return (struct str){NULL, 0};
}

static void expect_field(const struct fields *f, const char *name, const char *want)
{
    struct str got = value_of(f, name);

    cr_expect(str_eq(got, str_of(want)), "%s: %.*s", name, STR_FMT(got));
}

Test(fields, say_that_a_route_goes_away)
{
    static const struct route old = {.path = "/v1/old",
                                     .rpc = &USERS_GET,
                                     .deprecated_s = 1767225600,
                                     .sunset_s = 1798761600,
                                     .successor = "/v1/new"};
    struct http_req http = {0};
    struct request rq = {.http = &http, .match.route = &old};
    struct fields f = {.n = 0};

    arena_init(&http.arena);
    fields_of_route(&f, &rq, (struct str){NULL, 0});
    expect_field(&f, "Deprecation", "@1767225600");
    expect_field(&f, "Sunset", "Fri, 01 Jan 2027 00:00:00 GMT");
    expect_field(&f, "Link", "</v1/new>; rel=\"successor-version\"");
    expect_field(&f, "Cache-Control", "private, no-cache");
    f.n = 0; /* also to a client that only meets errors there */
    fields_of_error(&f, &rq, ERR_STATIC(INTERNAL));
    expect_field(&f, "Deprecation", "@1767225600");
    expect_field(&f, "Sunset", "Fri, 01 Jan 2027 00:00:00 GMT");
    arena_fini(&http.arena);
}

Test(fields, link_the_next_page_with_the_same_filters)
{
    static const struct route list = {.path = "/v1/users", .rpc = &USERS_LIST};
    struct http_pair pairs[] = {{STR("filter[email]"), STR("a&b@x.org")},
                                {STR("cursor"), STR("old")}};
    struct user_page page = {0};
    struct http_req http = {0};
    struct request rq = {
        .http = &http, .match.route = &list, .pairs = pairs, .n_pairs = 2};
    struct fields f = {.n = 0};

    arena_init(&http.arena);
    WIRE_SET(&page, items, ((struct user_list){NULL, 0}));
    WIRE_SET(&page, next_cursor, STR("a+b"));
    buf_init(&packed, 4096);
    wire_to_msgpack(&packed, &user_page_msg, &page);
    fields_of_route(&f, &rq, buf_view(&packed));
    expect_field(
        &f, "Link",
        "</v1/users?cursor=a%2Bb&filter%5Bemail%5D=a%26b%40x.org>; rel=\"next\"");
    buf_fini(&packed);
    arena_fini(&http.arena);
}

Test(fields, give_the_place_of_what_was_made)
{
    static const struct route make = {
        .path = "/v1/users", .rpc = &USERS_CREATE, .location = "/v1/users/{id}"};
    struct user u = {0};
    struct http_req http = {0};
    struct request rq = {.http = &http, .match.route = &make};
    struct fields f = {.n = 0};

    arena_init(&http.arena);
    cr_assert(uuid_parse(STR("01890000-0000-7000-8000-000000000001"), &u.id));
    u.has_id = true;
    buf_init(&packed, 4096);
    wire_to_msgpack(&packed, &user_msg, &u);
    fields_of_route(&f, &rq, buf_view(&packed));
    expect_field(&f, "Location", "/v1/users/01890000-0000-7000-8000-000000000001");
    buf_fini(&packed);
    arena_fini(&http.arena);
}
