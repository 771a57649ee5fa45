// SPDX-License-Identifier: Apache-2.0
/* JSON from strangers: what is taken, and what is said about the rest. */
#include "tests/unit/kit/wire/arena_suite.h"

ARENA_SUITE(json_read);

static const char *read_all(struct str json)
{
    struct sample_all m = {0};

    return sample_told(&arena, wire_from_json(&arena, &sample_all_msg, json, &m));
}

static void expect(const struct told_case *c)
{
    cr_expect_str_eq(read_all(str_of(c->in)), c->told, "%s\n gave %s\n not  %s", c->in,
                     read_all(str_of(c->in)), c->told);
}

Test(json_read, fills_the_struct)
{
    struct sample_all m = {0};
    const struct err *e = wire_from_json(
        &arena, &sample_all_msg,
        STR("{\"name\":\"J\\u00f6rg\",\"note\":\"a\\nb\",\"count\":-5,\"ratio\":0.5,"
            "\"active\":true,\"id\":\"0190B31E-7c4d-7a11-80ff-102030405060\","
            "\"created_at\":\"2026-01-31T23:59:59.123456Z\",\"colour\":\"blue\","
            "\"blob\":\"AP8\",\"line\":{\"sku\":\"x\",\"quantity\":2},"
            "\"lines\":[{\"sku\":\"y\",\"quantity\":3}],\"tags\":[\"a\",\"b\"]}"),
        &m);

    cr_assert_null(e, "%s", sample_told(&arena, e));
    cr_assert(m.has_name && str_eq(m.name, STR("J\xc3\xb6rg")));
    cr_assert(str_eq(m.note, STR("a\nb")));
    cr_assert(m.has_count && m.count == -5);
    cr_assert(m.ratio > 0.49 && m.ratio < 0.51);
    cr_assert(m.has_active && m.active);
    cr_assert_eq(m.id.b[15], 0x60);
    cr_assert_eq(m.created_at, INT64_C(1769903999123456));
    cr_assert_eq(m.colour, SAMPLE_BLUE);
    cr_assert(str_eq(m.blob, (struct str){"\x00\xff", 2}));
    cr_assert(m.has_line && m.line->quantity == 2);
    cr_assert(m.lines.n == 1 && m.lines.v[0].quantity == 3);
    cr_assert(m.tags.n == 2 && str_eq(m.tags.v[1], STR("b")));
    cr_assert_not(m.has_mail);
    cr_assert_not(m.has_big);
}

Test(json_read, tells_where_the_syntax_breaks)
{
    static const struct told_case cases[] = {
        {"", "request.malformed_json: the body is empty"},
        {"{\n  \"name\": x}", "request.malformed_json: line 2, byte 11: unexpected "
                              "character, expected a valid JSON value"},
    };

    EACH_CASE(c, cases)
    expect(c);
}

Test(json_read, refuses_what_is_not_json)
{
    static const char *const cases[] = {
        " ",
        "{",
        "{\"name\":\"ok\"",
        "{\"name\":\"ok\",}",
        "{\"name\":\"ok\"}}",
        "{\"name\":\"ok\"} x",
        "{\"name\":\"ok\"}{}",
        "{name:\"ok\"}",
        "{'name':'ok'}",
        "{\"name\":\"ok\"/**/}",
        "{\"name\":\"o\nk\"}",
        "{\"name\":\"\\x41\"}",
        "{\"name\":\"\\ud800\"}",
        "{\"name\":\"ok\xff\"}",
        "{\"name\":\"\xc0\x80\"}",
        "{\"name\":\"\xed\xa0\x80\"}",
        "{\"name\":\"ok\",\"count\":01}",
        "{\"name\":\"ok\",\"count\":+1}",
        "{\"name\":\"ok\",\"ratio\":1.}",
        "{\"name\":\"ok\",\"ratio\":.5}",
        "{\"name\":\"ok\",\"ratio\":NaN}",
        "{\"name\":\"ok\",\"ratio\":Infinity}",
        "{\"name\":\"ok\",\"ratio\":1e999}",
        "{\"name\":\"ok\",\"active\":True}",
        "\xef\xbb\xbf{\"name\":\"ok\"}",
        "{\"name\":\"ok\",\"name\":\"ok\"}",
        "{\"name\":\"ok\",\"line\":{\"sku\":\"x\",\"sku\":\"x\",\"quantity\":1}}",
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *told = read_all(str_of(cases[i]));

        cr_expect(strstr(told, "request.malformed_json: ") == told, "%s gave %s",
                  cases[i], told);
    }
    cr_expect_str_neq(read_all(STR("{\"name\":\"ok\"}\0")), "ok");
}

Test(json_read, refuses_a_document_cut_at_any_byte)
{
    static const char whole[] =
        "{\"name\":\"J\xc3\xb6rg\",\"count\":-3,\"line\":{\"sku\":\"x\",\"quantity\":2},"
        "\"tags\":[\"a\"],\"active\":true}";

    cr_assert_str_eq(read_all(str_of(whole)), "ok");
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        struct str part = arena_str(&arena, (struct str){whole, n});

        cr_expect_str_neq(read_all(part), "ok", "%zu bytes", n);
    }
}

Test(json_read, names_a_name_that_comes_twice)
{
    static const struct told_case cases[] = {
        {"{\"name\":\"ok\",\"name\":\"ok\"}",
         "request.malformed_json: /name comes twice"},
        {"{\"name\":\"ok\",\"lines\":[{\"sku\":\"a\",\"quantity\":1,\"quantity\":1}]}",
         "request.malformed_json: /lines/0/quantity comes twice"},
        {"{\"name\":7,\"name\":\"ok\"}", "request.malformed_json: /name comes twice"},
    };

    EACH_CASE(c, cases)
    expect(c);
}

Test(json_read, names_every_bad_field_at_once)
{
    static const struct told_case cases[] = {
        {"{}", "request.invalid /name is required"},
        {"[]", "request.invalid  must be an object"},
        {"null", "request.invalid  must be an object"},
        {"{\"name\":null}", "request.invalid /name must be a string"},
        {"{\"name\":\"ok\",\"naem\":1}", "request.invalid /naem is not a known field"},
        {"{\"naem\":1,\"count\":6,\"lines\":[{\"sku\":\"a\",\"quantity\":0},7]}",
         "request.invalid /naem is not a known field; /count must be at most 5; "
         "/lines/0/quantity must be at least 1; /lines/1 must be an object; /name is "
         "required"},
        {"{\"name\":\"ok\",\"a/b~c\":1}",
         "request.invalid /a~1b~0c is not a known field"},
        {"{\"name\":\"ok\",\"\":1}", "request.invalid / is not a known field"},
        {"{\"name\":\"ok\",\"line\":{}}",
         "request.invalid /line/sku is required; /line/quantity is required"},
        {"{\"name\":\"ok\",\"tags\":[\"a\",1,\"\"]}",
         "request.invalid /tags/1 must be a string; /tags/2 must have at least 1 "
         "character"},
    };

    EACH_CASE(c, cases)
    expect(c);
}

Test(json_read, tells_the_kind_that_was_expected)
{
    static const struct told_case cases[] = {
        {"{\"name\":1}", "request.invalid /name must be a string"},
        {"{\"name\":\"ok\",\"note\":[]}", "request.invalid /note must be a string"},
        {"{\"name\":\"ok\",\"mail\":1}", "request.invalid /mail must be a string"},
        {"{\"name\":\"ok\",\"link\":{}}", "request.invalid /link must be a string"},
        {"{\"name\":\"ok\",\"password\":12345678}",
         "request.invalid /password must be a string"},
        {"{\"name\":\"ok\",\"currency\":978}",
         "request.invalid /currency must be a string"},
        {"{\"name\":\"ok\",\"blob\":1}", "request.invalid /blob must be a string"},
        {"{\"name\":\"ok\",\"blob\":\"A\"}",
         "request.invalid /blob must be base64url without padding"},
        {"{\"name\":\"ok\",\"blob\":\"AAA=\"}",
         "request.invalid /blob must be base64url without padding"},
        {"{\"name\":\"ok\",\"active\":1}",
         "request.invalid /active must be true or false"},
        {"{\"name\":\"ok\",\"active\":\"true\"}",
         "request.invalid /active must be true or false"},
        {"{\"name\":\"ok\",\"ratio\":\"1\"}", "request.invalid /ratio must be a number"},
        {"{\"name\":\"ok\",\"id\":7}", "request.invalid /id must be a string"},
        {"{\"name\":\"ok\",\"id\":\"7\"}", "request.invalid /id must be a UUID"},
        {"{\"name\":\"ok\",\"created_at\":1769903999}",
         "request.invalid /created_at must be a string"},
        {"{\"name\":\"ok\",\"created_at\":\"2026-02-30T00:00:00Z\"}",
         "request.invalid /created_at must be an RFC 3339 time, such as "
         "2026-01-31T12:00:00Z"},
        {"{\"name\":\"ok\",\"colour\":\"pink\"}",
         "request.invalid /colour must be one of red, green, blue"},
        {"{\"name\":\"ok\",\"colour\":0}", "request.invalid /colour must be a string"},
        {"{\"name\":\"ok\",\"line\":[]}", "request.invalid /line must be an object"},
        {"{\"name\":\"ok\",\"lines\":{}}",
         "request.invalid /lines must be an array of objects"},
        {"{\"name\":\"ok\",\"tags\":\"a\"}",
         "request.invalid /tags must be an array of strings"},
    };

    EACH_CASE(c, cases)
    expect(c);
}

Test(json_read, takes_only_integers_for_integers)
{
    static const struct told_case cases[] = {
        {"{\"name\":\"ok\",\"big\":9223372036854775807}", "ok"},
        {"{\"name\":\"ok\",\"big\":-9223372036854775808}", "ok"},
        {"{\"name\":\"ok\",\"big\":0}", "ok"},
        {"{\"name\":\"ok\",\"big\":9223372036854775808}",
         "request.invalid /big must be at most 9223372036854775807"},
        {"{\"name\":\"ok\",\"big\":-9223372036854775809}",
         "request.invalid /big must be an integer"},
        {"{\"name\":\"ok\",\"big\":-92233720368547758090}",
         "request.invalid /big must be at least -9223372036854775808"},
        {"{\"name\":\"ok\",\"count\":18446744073709551616}",
         "request.invalid /count must be at most 5"},
        {"{\"name\":\"ok\",\"count\":-99999999999999999999}",
         "request.invalid /count must be at least -5"},
        {"{\"name\":\"ok\",\"count\":1e0}", "request.invalid /count must be an integer"},
        {"{\"name\":\"ok\",\"count\":1.0}", "request.invalid /count must be an integer"},
        {"{\"name\":\"ok\",\"count\":-0}", "request.invalid /count must be an integer"},
        {"{\"name\":\"ok\",\"count\":\"1\"}",
         "request.invalid /count must be an integer"},
        {"{\"name\":\"ok\",\"count\":true}", "request.invalid /count must be an integer"},
    };

    EACH_CASE(c, cases)
    expect(c);
}

Test(json_read, refuses_nul_in_any_string)
{
    static const struct told_case cases[] = {
        {"{\"name\":\"a\\u0000b\"}",
         "request.invalid /name must be one line without control characters"},
        {"{\"name\":\"ok\",\"note\":\"a\\u0000b\"}",
         "request.invalid /note must not contain control characters"},
        {"{\"name\":\"ok\",\"password\":\"12345678\\u0000\"}",
         "request.invalid /password must not contain control characters"},
        {"{\"name\":\"ok\",\"mail\":\"a@b.example\\u0000\"}",
         "request.invalid /mail must be an e-mail address"},
        {"{\"name\":\"ok\",\"colour\":\"red\\u0000\"}",
         "request.invalid /colour must be one of red, green, blue"},
        {"{\"name\":\"ok\",\"tags\":[\"\\u0000\"]}",
         "request.invalid /tags/0 must be one line without control characters"},
        {"{\"name\":\"ok\",\"name\\u0000\":1}",
         "request.invalid /name? is not a known field"},
    };

    EACH_CASE(c, cases)
    expect(c);
}

Test(json_read, never_shows_what_was_sent)
{
    static const char *const cases[] = {
        "{\"password\":\"hunter2\"}",
        "{\"password\":\"hunter2 hunter2\\u0001\"}",
        "{\"password\":[\"hunter2\"]}",
        "{\"password\":{\"hunter2\":1}}",
        "{\"mail\":\"hunter2\",\"link\":\"hunter2\",\"id\":\"hunter2\"}",
        "{\"colour\":\"hunter2\",\"tags\":[\"hunter2\\n\"],\"blob\":\"hunter2!\"}",
        "{\"password\":\"hunter2",
        "{\"password\":\"hunter2\",}",
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *told = read_all(str_of(cases[i]));

        cr_expect_str_neq(told, "ok");
        cr_expect_null(strstr(told, "hunter2"), "%s", told);
    }
}

Test(json_read, cuts_and_cleans_the_unknown_names_it_shows)
{
    struct buf b;
    const char *told;

    buf_init(&b, 4096);
    buf_str(&b, STR("{\"name\":\"ok\",\"a\\n\xc3\xbc\\u001b\": 1, \""));
    for (int i = 0; i < 500; i++)
        buf_byte(&b, 'x');
    buf_str(&b, STR("\":2}"));
    told = read_all(buf_view(&b));
    cr_assert_str_eq(told,
                     "request.invalid /a???? is not a known field; "
                     "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                     "xxx is not a known field");
    buf_fini(&b);
}

Test(json_read, lists_at_most_32_bad_fields_but_counts_all)
{
    struct sample_all m = {0};
    const struct err *e;
    struct buf b;
    unsigned listed = 0;

    buf_init(&b, 1 << 20);
    buf_str(&b, STR("{\"name\":\"ok\""));
    for (int i = 0; i < 5000; i++)
        buf_printf(&b, ",\"x%d\":%d", i, i);
    buf_byte(&b, '}');
    e = wire_from_json(&arena, &sample_all_msg, buf_view(&b), &m);
    cr_assert_not_null(e);
    for (const struct err_field *f = e->fields; f; f = f->next)
        listed++;
    cr_assert_eq(listed, 32);
    cr_assert(str_eq(e->detail,
                     STR("5000 fields are not acceptable; the first 32 are listed")));
    buf_fini(&b);
}

/* n arrays inside one another as the value of an unknown field. */
static const char *nested(size_t n, char open, char close)
{
    struct buf b;
    const char *told;

    buf_init(&b, 8 << 20);
    buf_str(&b, STR("{\"name\":\"ok\",\"x\":"));
    for (size_t i = 0; i < n; i++)
        buf_str(&b, open == '[' ? STR("[") : STR("{\"a\":"));
    buf_str(&b, STR("1"));
    for (size_t i = 0; i < n; i++)
        buf_byte(&b, (uint8_t)close);
    buf_byte(&b, '}');
    told = read_all(buf_view(&b));
    buf_fini(&b);
    return told;
}

Test(json_read, bounds_the_depth_wherever_it_is)
{
    static const char deep[] = "request.malformed_json: nested deeper than 16 levels";
    static const char unknown[] = "request.invalid /x is not a known field";

    cr_expect_str_eq(nested(15, '[', ']'), unknown);
    cr_expect_str_eq(nested(16, '[', ']'), deep);
    cr_expect_str_eq(nested(15, '{', '}'), unknown);
    cr_expect_str_eq(nested(16, '{', '}'), deep);
    cr_expect_str_eq(nested(500000, '[', ']'), deep);
    cr_expect_str_eq(nested(500000, '{', '}'), deep);
}

Test(json_read, forgets_the_depth_of_containers_that_closed)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_str(&b, STR("{\"name\":\"ok\",\"x\":[[],{},[[1]],[{\"a\":[]}],1"));
    for (int i = 0; i < 1000; i++)
        buf_str(&b, STR(",[[[[[[[[[[[[[[1]]]]]]]]]]]]],[]]"));
    buf_str(&b, STR("]}"));
    cr_expect_str_eq(read_all(buf_view(&b)), "request.invalid /x is not a known field");
    buf_fini(&b);
}

Test(json_read, reads_a_message_within_itself_to_the_bound)
{
    struct sample_node m = {0};
    const struct sample_node *n = &m;
    const struct err *e;
    struct buf b;
    int depth = 1;

    buf_init(&b, 4096);
    for (int i = 0; i < WIRE_DEPTH_MAX - 1; i++)
        buf_str(&b, STR("{\"child\":"));
    buf_str(&b, STR("{\"depth\":16}"));
    for (int i = 0; i < WIRE_DEPTH_MAX - 1; i++)
        buf_byte(&b, '}');
    e = wire_from_json(&arena, &sample_node_msg, buf_view(&b), &m);
    cr_assert_null(e, "%s", sample_told(&arena, e));
    for (; n->has_child; n = n->child)
        depth++;
    cr_assert_eq(depth, WIRE_DEPTH_MAX);
    cr_assert_eq(n->depth, WIRE_DEPTH_MAX);
    buf_fini(&b);
}

Test(json_read, skips_unknown_fields_when_the_document_is_of_others)
{
    static const struct told_case cases[] = {
        {"{\"x\":[{\"name\":1}],\"name\":\"ok\",\"x\":2}", "ok"},
        {"{\"name\":\"ok\",\"line\":{\"sku\":\"x\",\"quantity\":1,\"x\":{}}}", "ok"},
        {"{\"x\":1}", "request.invalid /name is required"},
        {"{\"name\":\"ok\",\"x\":1,\"count\":6}",
         "request.invalid /count must be at most 5"},
        {"{\"name\":\"ok\",\"name\":\"ok\"}",
         "request.malformed_json: /name comes twice"},
        {"{\"name\":\"ok\",\"x\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}",
         "request.malformed_json: nested deeper than 16 levels"},
    };

    EACH_CASE(c, cases)
    {
        struct sample_all m = {0};
        const struct err *e =
            wire_from_json_lenient(&arena, &sample_all_msg, str_of(c->in), &m);

        cr_expect_str_eq(sample_told(&arena, e), c->told, "%s", c->in);
    }
}

Test(json_read, keeps_its_strings_when_the_input_of_any_size_is_gone)
{
    static const size_t sizes[] = {0, 900, 1000, 1100, 20000};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct sample_all m = {0};
        struct buf b;

        buf_init(&b, 1 << 16);
        buf_printf(&b, "{\"name\":\"J\\u00f6rg\",\"tags\":[\"a\"%*s]}", (int)sizes[i],
                   "");
        cr_assert_null(wire_from_json(&arena, &sample_all_msg, buf_view(&b), &m));
        memset(b.p, 'x', b.n);
        buf_fini(&b);
        cr_assert(str_eq(m.name, STR("J\xc3\xb6rg")));
        cr_assert(str_eq(m.tags.v[0], STR("a")));
    }
}

Test(json_read, does_not_look_at_elements_beyond_the_bound)
{
    struct buf b;

    buf_init(&b, 4 << 20);
    buf_str(&b, STR("{\"name\":\"ok\",\"lines\":[{}"));
    for (int i = 0; i < 100000; i++)
        buf_str(&b, STR(",{}"));
    buf_str(&b, STR("]}"));
    cr_expect_str_eq(read_all(buf_view(&b)),
                     "request.invalid /lines must have at most 3 elements");
    buf_fini(&b);
}
