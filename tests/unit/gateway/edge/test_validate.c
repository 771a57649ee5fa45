// SPDX-License-Identifier: Apache-2.0
/* Copying between messages by field name. */
#include "gateway/edge/validate.h"
#include "proto/users.h"

#include <criterion/criterion.h>

#define ONE(F, T)   F(T, i64, value, OPTIONAL, 0, 9, "a number")
#define OTHER(F, T) F(T, str, value, OPTIONAL, 0, 9, "a string of the same name")
WIRE_MESSAGE(one, ONE)
WIRE_MESSAGE(other, OTHER)
WIRE_DEFINE(one, ONE)
WIRE_DEFINE(other, OTHER)

Test(validate, copies_set_fields_by_name)
{
    struct user_patch_body body = {0};
    struct user_patch in = {0};

    WIRE_SET(&body, name, STR("Anna"));
    validate_copy(&user_patch_body_msg, &body, &user_patch_msg, &in);
    cr_expect(in.has_name && str_eq(in.name, STR("Anna")));
    cr_expect_not(in.has_status || in.has_id || in.has_if_version);
}

Test(validate, copies_every_kind_whole)
{
    struct user_query query = {0}, copy = {0};

    WIRE_SET(&query, limit, 7);
    WIRE_SET(&query, cursor, STR("c"));
    WIRE_SET(&query, sort, USER_SORT_CREATED_AT_DESC);
    WIRE_SET(&query, filter_status, USER_DELETED);
    WIRE_SET(&query, filter_email, STR("a@example.com"));
    validate_copy(&user_query_msg, &query, &user_query_msg, &copy);
    cr_expect(copy.has_limit && copy.limit == 7);
    cr_expect(copy.has_cursor && str_eq(copy.cursor, STR("c")));
    cr_expect(copy.has_sort && copy.sort == USER_SORT_CREATED_AT_DESC);
    cr_expect(copy.has_filter_status && copy.filter_status == USER_DELETED);
    cr_expect(copy.has_filter_email && str_eq(copy.filter_email, STR("a@example.com")));
}

Test(validate, skips_what_has_no_place)
{
    struct login login = {0};
    struct by_id in = {0};

    WIRE_SET(&login, email, STR("a@example.com"));
    validate_copy(&login_msg, &login, &by_id_msg, &in);
    cr_expect(!in.has_id && uuid_is_nil(in.id));
}

Test(validate, does_not_take_one_kind_for_another)
{
    struct one from = {0};
    struct other to = {0};

    WIRE_SET(&from, value, 7);
    validate_copy(&one_msg, &from, &other_msg, &to);
    cr_expect(!to.has_value && to.value.p == NULL);
}
