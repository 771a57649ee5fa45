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
    cr_expect(str_eq(auth_bearer(STR("Bearer abc")), STR("abc")));
    cr_expect(str_eq(auth_bearer(STR("bearer  abc")), STR("abc")));
    cr_expect_null(auth_bearer(STR("Basic abc")).p);
    cr_expect_null(auth_bearer(STR("Bearer")).p);
    cr_expect_null(auth_bearer((struct str){NULL, 0}).p);
}
