// SPDX-License-Identifier: Apache-2.0
/* Parameters of the query string and the path. */
#include "tests/unit/kit/wire/arena_suite.h"

ARENA_SUITE(params);

#define ID "0190b31e-7c4d-7a11-80ff-102030405060"

/* "name=value&name=value" after the id in the path. */
static const struct err *read_query(const char *query, struct sample_query *q)
{
    struct wire_param params[64] = {{STR("id"), STR(ID), true}};
    struct str rest = str_of(query);
    size_t n = 1;

    while (rest.n > 0) {
        struct str pair = str_split(rest, '&', &rest), value;
        struct str name = str_split(pair, '=', &value);

        cr_assert_lt(n, 64);
        params[n++] = (struct wire_param){name, value, false};
    }
    return wire_from_params(&arena, &sample_query_msg, params, n, q);
}

static const char *told(const char *query)
{
    struct sample_query q = {0};

    return sample_told(&arena, read_query(query, &q));
}

Test(params, fill_the_struct)
{
    struct sample_query q = {0};
    const struct err *e = read_query("limit=20&cursor=abc&filter[colour]=green&deep=true&"
                                     "filter[since]=2026-01-31T23:59:59Z&ratio=0.5&"
                                     "token=AP8&fields=a,b,c",
                                     &q);

    cr_assert_null(e, "%s", sample_told(&arena, e));
    cr_assert_eq(q.id.b[15], 0x60);
    cr_assert(q.has_limit && q.limit == 20);
    cr_assert(str_eq(q.cursor, STR("abc")));
    cr_assert(q.has_filter_colour && q.filter_colour == SAMPLE_GREEN);
    cr_assert_eq(q.filter_since, INT64_C(1769903999000000));
    cr_assert(q.deep);
    cr_assert(q.ratio > 0.49 && q.ratio < 0.51);
    cr_assert(str_eq(q.token, (struct str){"\x00\xff", 2}));
    cr_assert(q.fields.n == 3 && str_eq(q.fields.v[2], STR("c")));
}

Test(params, name_everything_that_is_wrong)
{
    static const struct told_case cases[] = {
        {"", "ok"},
        {"limt=1", "request.bad_parameter ?limt is not a known parameter"},
        {"=1", "request.bad_parameter ? is not a known parameter"},
        {"limit=0", "request.bad_parameter ?limit must be at least 1"},
        {"limit=1", "ok"},
        {"limit=100", "ok"},
        {"limit=101", "request.bad_parameter ?limit must be at most 100"},
        {"limit=99999999999999999999",
         "request.bad_parameter ?limit must be at most 100"},
        {"limit=-99999999999999999999",
         "request.bad_parameter ?limit must be at least 1"},
        {"limit", "request.bad_parameter ?limit must be an integer"},
        {"limit=", "request.bad_parameter ?limit must be an integer"},
        {"limit=-", "request.bad_parameter ?limit must be an integer"},
        {"limit=+1", "request.bad_parameter ?limit must be an integer"},
        {"limit=01", "request.bad_parameter ?limit must be an integer"},
        {"limit=-0", "request.bad_parameter ?limit must be an integer"},
        {"limit= 1", "request.bad_parameter ?limit must be an integer"},
        {"limit=1 ", "request.bad_parameter ?limit must be an integer"},
        {"limit=0x1", "request.bad_parameter ?limit must be an integer"},
        {"limit=1e1", "request.bad_parameter ?limit must be an integer"},
        {"limit=1&limit=1", "request.bad_parameter ?limit must be given once"},
        {"cursor=", "request.bad_parameter ?cursor must have at least 1 character"},
        {"cursor=\xff", "request.bad_parameter ?cursor must be valid UTF-8"},
        {"cursor=a\nb",
         "request.bad_parameter ?cursor must be one line without control characters"},
        {"deep=1", "request.bad_parameter ?deep must be true or false"},
        {"deep=TRUE", "request.bad_parameter ?deep must be true or false"},
        {"deep=false", "ok"},
        {"ratio=x", "request.bad_parameter ?ratio must be a number"},
        {"ratio= 1", "request.bad_parameter ?ratio must be a number"},
        {"ratio=1 ", "request.bad_parameter ?ratio must be a number"},
        {"ratio=", "request.bad_parameter ?ratio must be a number"},
        {"ratio=nan", "request.bad_parameter ?ratio must be a number"},
        {"ratio=1e999", "request.bad_parameter ?ratio must be a number"},
        {"ratio=[1]", "request.bad_parameter ?ratio must be a number"},
        {"ratio=1.5", "request.bad_parameter ?ratio must be at most 1"},
        {"ratio=1", "ok"},
        {"token=%", "request.bad_parameter ?token must be base64url without padding"},
        {"fields=a,,b", "request.bad_parameter ?fields must have at least 1 character"},
        {"fields=a,b,c,d", "request.bad_parameter ?fields must have at most 3 elements"},
        {"line=x", "request.bad_parameter ?line is not a known parameter"},
        {"lines=x", "request.bad_parameter ?lines is not a known parameter"},
        {"limit=x&deep=x&x=x",
         "request.bad_parameter ?limit must be an integer; ?deep must be true or false; "
         "?x is not a known parameter"},
    };

    EACH_CASE(c, cases)
    cr_expect_str_eq(told(c->in), c->told, "%s gave %s", c->in, told(c->in));
}

Test(params, write_filters_with_brackets_and_in_no_other_way)
{
    static const struct told_case cases[] = {
        {"filter[colour]=red", "ok"},
        {"filter[colour]=pink",
         "request.bad_parameter ?filter[colour] must be one of red, green, blue"},
        {"filter_colour=red",
         "request.bad_parameter ?filter_colour is not a known parameter"},
        {"filter[size]=1",
         "request.bad_parameter ?filter[size] is not a known parameter"},
        {"filter[=1", "request.bad_parameter ?filter[ is not a known parameter"},
        {"filter[]=1", "request.bad_parameter ?filter[] is not a known parameter"},
        {"filter]=1", "request.bad_parameter ?filter] is not a known parameter"},
        {"filter[colour]x=1",
         "request.bad_parameter ?filter[colour]x is not a known parameter"},
        {"li[mit]=1", "request.bad_parameter ?li[mit] is not a known parameter"},
    };

    EACH_CASE(c, cases)
    cr_expect_str_eq(told(c->in), c->told, "%s gave %s", c->in, told(c->in));
}

Test(params, show_names_in_the_path_in_braces)
{
    struct wire_param params[] = {{STR("id"), STR("7"), true}};
    struct sample_query q = {0};

    cr_assert_str_eq(
        sample_told(&arena, wire_from_params(&arena, &sample_query_msg, params, 1, &q)),
        "request.bad_parameter {id} must be a UUID");
}

Test(params, tell_what_is_missing_by_the_name_to_use)
{
    struct sample_filter f = {0};
    struct sample_query q = {0};

    cr_expect_str_eq(
        sample_told(&arena, wire_from_params(&arena, &sample_query_msg, NULL, 0, &q)),
        "request.bad_parameter ?id is required");
    cr_expect_str_eq(
        sample_told(&arena, wire_from_params(&arena, &sample_filter_msg, NULL, 0, &f)),
        "request.bad_parameter ?filter[name] is required");
}

Test(params, clean_and_cut_the_names_they_show)
{
    char *name = arena_alloc(&arena, 1000);
    struct wire_param params[] = {{STR("id"), STR(ID), true},
                                  {{name, 1000}, STR("x"), false}};
    struct sample_query q = {0};
    const struct err *e;

    memset(name, '\n', 1000);
    e = wire_from_params(&arena, &sample_query_msg, params, 2, &q);
    cr_assert_not_null(e);
    cr_assert_eq(e->fields->pointer.n, 1 + 64);
    cr_assert_null(memchr(e->fields->pointer.p, '\n', 65));
}

Test(params, bear_filters_with_very_long_names)
{
    char *name = arena_alloc(&arena, 1000);
    struct wire_param params[] = {{{name, 1000}, STR("x"), false}};
    struct sample_query q = {0};

    memset(name, 'x', 1000);
    memcpy(name, "filter[", 7);
    name[999] = ']';
    for (size_t n = 250; n <= 1000; n++) {
        params[0].name = (struct str){name + 1000 - n, n};
        memcpy(name + 1000 - n, "filter[", 7);
        cr_assert_not_null(wire_from_params(&arena, &sample_query_msg, params, 1, &q));
    }
}

Test(params, never_show_what_was_sent)
{
    cr_assert_null(strstr(told("limit=hunter2&deep=hunter2&filter[colour]=hunter2&"
                               "fields=hunter2,,&ratio=hunter2&filter[since]=hunter2"),
                          "hunter2"));
}
