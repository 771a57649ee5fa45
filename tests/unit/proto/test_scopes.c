// SPDX-License-Identifier: Apache-2.0
/* A key is good for what is named, and never for more than its account. */
#include "proto/scopes.h"

#include <criterion/criterion.h>

enum { BOSS = ROLE_USER | ROLE_ADMIN };

Test(scopes, come_back_from_their_text)
{
    uint32_t all = (1u << SCOPES_COUNT) - 1;
    struct arena a;

    arena_init(&a);
    cr_expect_eq(scopes_of(scopes_text(&a, all)), all);
    cr_expect_eq(scopes_of(scopes_text(&a, SCOPE_ORDERS_READ | SCOPE_ADMIN)),
                 SCOPE_ORDERS_READ | SCOPE_ADMIN);
    cr_expect(str_eq(scopes_text(&a, 0), STR("")));
    arena_fini(&a);
}

Test(scopes, nobody_knows_are_nothing)
{
    cr_expect_eq(scope_of(STR("orders:eat")), 0);
    cr_expect_eq(scope_of(STR("")), 0);
    cr_expect_eq(scopes_of(STR("orders:eat orders:read ORDERS:WRITE")),
                 SCOPE_ORDERS_READ);
}

Test(scopes, have_the_names_of_their_bits)
{
    cr_expect_str_eq(scope_name(SCOPE_ACCOUNT_READ), "account:read");
    cr_expect_str_eq(scope_name(SCOPE_REPORTS_CREATE), "reports:create");
}

Test(scopes, without_admin_act_as_a_user)
{
    cr_expect_eq(scopes_roles(SCOPE_ORDERS_READ, BOSS), ROLE_USER);
    cr_expect_eq(scopes_roles(SCOPE_ORDERS_READ | SCOPE_ADMIN, BOSS), BOSS);
}

/* Who lost the role does not keep it by a key. */
Test(scopes, with_admin_give_no_role_that_the_account_has_not)
{
    cr_expect_eq(scopes_roles(SCOPE_ADMIN, ROLE_USER), ROLE_USER);
}

Test(scopes, of_administrators_are_beyond_a_user)
{
    cr_expect_eq(scopes_beyond(SCOPE_ORDERS_WRITE | SCOPE_JOBS_READ, ROLE_USER), 0);
    cr_expect_eq(scopes_beyond(SCOPE_ADMIN | SCOPE_ORDERS_READ, ROLE_USER), SCOPE_ADMIN);
    cr_expect_eq(scopes_beyond(SCOPE_ADMIN | SCOPE_PRODUCTS_WRITE, ROLE_USER),
                 SCOPE_ADMIN | SCOPE_PRODUCTS_WRITE);
}

Test(scopes, of_administrators_go_with_admin)
{
    cr_expect_eq(scopes_beyond(SCOPE_PRODUCTS_WRITE, BOSS), SCOPE_PRODUCTS_WRITE);
    cr_expect_eq(scopes_beyond(SCOPE_PRODUCTS_WRITE | SCOPE_ADMIN, BOSS), 0);
}
