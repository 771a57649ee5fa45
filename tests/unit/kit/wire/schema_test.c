// SPDX-License-Identifier: Apache-2.0
/* The schema says what the validation does. */
#include "tests/unit/kit/wire/arena_suite.h"

ARENA_SUITE(schema);

static const char *text_of(struct buf *b)
{
    const char *text = arena_str(&arena, buf_view(b)).p;

    cr_assert_not(b->failed);
    buf_fini(b);
    return text;
}

static const char *field_schema(const char *name)
{
    struct buf b;

    buf_init(&b, 1 << 16);
    wire_field_schema(&b, wire_field_find(&sample_all_msg, str_of(name)));
    return text_of(&b);
}

Test(schema, describes_each_kind)
{
    static const struct told_case cases[] = {
        {"name", "{\"type\":\"string\",\"minLength\":2,\"maxLength\":10,"
                 "\"description\":\"display name\"}"},
        {"note", "{\"type\":\"string\",\"minLength\":0,\"maxLength\":20,"
                 "\"description\":\"free text\"}"},
        {"mail", "{\"type\":\"string\",\"format\":\"email\",\"minLength\":6,"
                 "\"maxLength\":254,\"description\":\"address\"}"},
        {"link", "{\"type\":\"string\",\"format\":\"uri\",\"pattern\":\"^[Hh][Tt][Tt][Pp]"
                 "[Ss]?://\",\"minLength\":10,\"maxLength\":60,"
                 "\"description\":\"where to send it\"}"},
        {"password", "{\"type\":\"string\",\"format\":\"password\",\"minLength\":8,"
                     "\"maxLength\":64,\"description\":\"password\"}"},
        {"currency", "{\"type\":\"string\",\"pattern\":\"^[A-Z]{3}$\","
                     "\"description\":\"of the prices\"}"},
        {"blob", "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_-]*$\",\"minLength\":3,"
                 "\"maxLength\":11,\"contentEncoding\":\"base64url\","
                 "\"description\":\"a few bytes\"}"},
        {"count", "{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":-5,"
                  "\"maximum\":5,\"description\":\"how often\"}"},
        {"ratio", "{\"type\":\"number\",\"format\":\"double\",\"minimum\":-1,"
                  "\"maximum\":2,\"description\":\"part of the whole\"}"},
        {"active", "{\"type\":\"boolean\",\"description\":\"whether it is on\"}"},
        {"id", "{\"type\":\"string\",\"format\":\"uuid\",\"description\":\"its name\"}"},
        {"created_at", "{\"type\":\"string\",\"format\":\"date-time\","
                       "\"description\":\"when\"}"},
        {"colour", "{\"$ref\":\"#/components/schemas/sample_colour\","
                   "\"description\":\"which\"}"},
        {"line", "{\"$ref\":\"#/components/schemas/sample_line\","
                 "\"description\":\"one line\"}"},
        {"lines", "{\"type\":\"array\",\"minItems\":1,\"maxItems\":3,\"items\":{\"$ref\":"
                  "\"#/components/schemas/sample_line\"},\"description\":\"lines\"}"},
        {"tags", "{\"type\":\"array\",\"minItems\":1,\"maxItems\":3,\"items\":{\"type\":"
                 "\"string\",\"minLength\":1,\"maxLength\":256},\"description\":"
                 "\"words\"}"},
    };

    EACH_CASE(c, cases)
    cr_expect_str_eq(field_schema(c->in), c->told, "%s gave %s", c->in,
                     field_schema(c->in));
}

Test(schema, describes_a_message)
{
    struct buf b;

    buf_init(&b, 1 << 16);
    wire_schema(&b, &sample_line_msg);
    cr_assert_str_eq(text_of(&b),
                     "{\"type\":\"object\",\"properties\":{\"sku\":{\"type\":\"string\","
                     "\"minLength\":1,\"maxLength\":5,\"description\":\"what\"},"
                     "\"quantity\":{\"type\":\"integer\",\"format\":\"int64\","
                     "\"minimum\":1,\"maximum\":99,\"description\":\"how many\"}},"
                     "\"required\":[\"sku\",\"quantity\"],"
                     "\"additionalProperties\":false}");
}

Test(schema, has_no_required_when_all_is_optional)
{
    struct buf b;

    buf_init(&b, 1 << 16);
    wire_schema(&b, &sample_node_msg);
    cr_assert_null(strstr(text_of(&b), "required"));
}

Test(schema, describes_an_enum)
{
    struct buf b;

    buf_init(&b, 1 << 16);
    wire_enum_schema(&b, &sample_colour_enum);
    cr_assert_str_eq(text_of(&b),
                     "{\"type\":\"string\",\"enum\":[\"red\",\"green\",\"blue\"]}");
}
