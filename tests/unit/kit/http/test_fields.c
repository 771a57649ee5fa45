// SPDX-License-Identifier: Apache-2.0
/* Lists, weights and media ranges, row by row. */
#include "kit/http/fields.h"

#include <criterion/criterion.h>

Test(fields, lists_are_divided_at_commas_outside_quotes)
{
    struct str list = STR(" a ,, \"b,\\\"c\" ;d=\",\", \t,e,");

    cr_expect(str_eq(http_list_next(&list), STR("a")));
    cr_expect(str_eq(http_list_next(&list), STR("\"b,\\\"c\" ;d=\",\"")));
    cr_expect(str_eq(http_list_next(&list), STR("e")));
    cr_expect_null(http_list_next(&list).p);
    cr_expect_null(http_list_next(&list).p);
}

static const struct {
    const char *parameters;
    int weight;
} weights[] = {
    {"q=0", 0},          {"Q=0", 0},         {" charset=utf-8 ; Q = 0.000", 0},
    {"q=0.001", 1},      {"q=0.25", 250},    {"q=.5", 1000},
    {"q=1", 1000},       {"q=1.000", 1000},  {"q=1.1", 1000},
    {"q=2", 1000},       {"q=0.0000", 1000}, {"q=", 1000},
    {"q", 1000},         {"", 1000},         {"p=\";q=0\";q=0.5", 500},
    {"quality=0", 1000},
};

Test(fields, weights_are_read_in_any_case)
{
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        cr_expect_eq(http_quality(str_of(weights[i].parameters)), weights[i].weight, "%s",
                     weights[i].parameters);
    cr_expect_eq(http_quality((struct str){NULL, 0}), 1000);
}

static const struct {
    const char *accept;
    int weight;
} accepts[] = {
    {"", 1000},
    {" , ", 1000},
    {"*/*", 1000},
    {"*", 1000},
    {"text/html", 0},
    {"application/json", 1000},
    {"APPLICATION/Json;q=0.3", 300},
    {"application/*;q=0.1, text/html", 100},
    /* the most specific range decides, wherever it stands */
    {"application/json;q=0, */*", 0},
    {"*/*, application/json;q=0", 0},
    {"*/*, application/*;Q=0", 0},
    {"application/*;q=0, application/json;q=0.2, */*;q=0.9", 200},
    {"application/json;v=2;q=0, application/json", 1000},
    {"text/plain;p=\"a, application/json\"", 0},
    {"application/jsonp", 0},
    {"application", 0},
};

Test(fields, the_most_specific_range_says_how_welcome_a_type_is)
{
    for (size_t i = 0; i < sizeof accepts / sizeof *accepts; i++)
        cr_expect_eq(http_accepts(str_of(accepts[i].accept), STR("application/json")),
                     accepts[i].weight, "%s", accepts[i].accept);
    cr_expect_eq(http_accepts((struct str){NULL, 0}, STR("a/b")), 1000);
}
