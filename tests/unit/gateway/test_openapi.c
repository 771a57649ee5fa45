// SPDX-License-Identifier: Apache-2.0
/* The document: well-formed, complete, without a reference to nothing. */
#include "gateway/openapi.h"

#include "gateway/examples.h"
#include "gateway/routes.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct openapi_limits limits = {11111, 222222};
static struct buf document;
static const char *text;

#define DOCUMENT(F, T) F(T, str, openapi, REQUIRED, 1, 20, "version")

WIRE_MESSAGE(document_head, DOCUMENT)
WIRE_DEFINE(document_head, DOCUMENT)

static void make(void)
{
    buf_init(&document, OPENAPI_BYTES_MAX);
    openapi_write(&document, routes, &limits);
    buf_byte(&document, 0);
    document.n--;
    text = document.p;
}

static void drop(void)
{
    buf_fini(&document);
}

TestSuite(openapi, .init = make, .fini = drop);

static int count(const char *what)
{
    int n = 0;

    for (const char *p = strstr(text, what); p; p = strstr(p + 1, what))
        n++;
    return n;
}

Test(openapi, is_json_of_version_3_1)
{
    struct document_head head = {0};
    struct arena a;

    arena_init(&a);
    cr_assert_not(document.failed);
    cr_assert_null(
        wire_from_json_lenient(&a, &document_head_msg, buf_view(&document), &head));
    cr_expect(str_eq(head.openapi, STR("3.1.0")));
    arena_fini(&a);
}

Test(openapi, has_every_route_but_pages)
{
    for (const struct route *r = routes; r->path; r++) {
        char key[200];

        (void)snprintf(key, sizeof key, "\"%s\":{\"", r->path);
        cr_expect_eq(strstr(text, key) != NULL, !r->page, "%s", key);
    }
}

/* Of each that may have a body, and of no other: the number for programs, 413 for people.
 */
Test(openapi, says_how_much_it_takes)
{
    for (const struct route *r = routes; r->path; r++) {
        const bool takes = r->method == HTTP_POST || r->method == HTTP_PATCH;
        const size_t max = r->body_max ? r->body_max : limits.body_bytes;
        char mark[100], number[100], answer[200];
        const char *at, *end;

        if (r->page)
            continue;
        (void)snprintf(mark, sizeof mark, "\"summary\":\"%s\"", r->summary);
        (void)snprintf(number, sizeof number, "\"x-max-body-bytes\":%zu,", max);
        (void)snprintf(answer, sizeof answer,
                       "\"413\":{\"$ref\":\"#/components/responses/too_large\","
                       "\"description\":\"The body is over %zu bytes\"}",
                       max);
        at = strstr(text, mark);
        cr_assert_not_null(at, "%s", mark);
        end = strstr(at, "\"default\":{");
        at = strstr(at, "\"x-max-body-bytes\"");
        cr_assert_eq(at && at < end, takes, "%s", r->summary);
        cr_expect(!takes || strncmp(at, number, strlen(number)) == 0, "%s", r->summary);
        cr_expect(!takes || (strstr(at, answer) && strstr(at, answer) < end), "%s",
                  r->summary);
    }
    cr_expect_not_null(strstr(text,
                              "\"x-limits\":{\"head_bytes\":11111,\"target_bytes\":8192,"
                              "\"header_fields\":100,\"body_bytes\":222222}"));
    cr_expect_eq(count("\"414\":{"), count("\"operationId\":"));
    cr_expect_eq(count("\"431\":{"), count("\"operationId\":"));
}

Test(openapi, a_change_that_needs_its_version_says_so)
{
    int need = 0;

    for (const struct route *r = routes; r->path; r++)
        need += r->if_match == IF_MATCH_REQUIRED;
    cr_expect_gt(need, 0);
    cr_expect_eq(count("\"name\":\"If-Match\",\"in\":\"header\",\"required\":true,"),
                 need);
    cr_expect_eq(count("\"428\":{"), need);
}

/* What API keys may do, with the scopes they need; and nothing else. */
Test(openapi, says_what_api_keys_may_do)
{
    const char *place = strstr(text, "\"operationId\":\"post_v1_orders\"");
    const char *make = strstr(text, "\"operationId\":\"post_v1_api_keys\"");
    const char *end;

    cr_assert(place && make);
    end = strstr(place, "\"parameters\"");
    cr_expect_lt(strstr(place, "{\"api_key\":[\"orders:write\"]}"), end);
    end = strstr(make, "\"parameters\"");
    cr_expect_gt(strstr(make, "{\"api_key\":"), end);
    cr_expect_not_null(strstr(text, "\"api_key\":{\"type\":\"http\""));
}

Test(openapi, operation_ids_are_unique)
{
    static const char mark[] = "\"operationId\":\"";

    cr_expect_eq(count(mark), count("\"responses\":{\"2"));
    for (const char *p = strstr(text, mark); p; p = strstr(p + 1, mark)) {
        char id[200];

        (void)snprintf(id, sizeof id, "%.*s", (int)strcspn(p + sizeof mark - 1, ",") + 15,
                       p);
        cr_expect_eq(count(id), 1, "%s", id);
    }
}

/* Of all "NAME" that follow mark: how they are defined, one of two ways. */
static void expect_references(const char *mark, const char *form, const char *other)
{
    size_t n = strlen(mark);

    cr_expect_not_null(strstr(text, mark));
    for (const char *p = strstr(text, mark); p; p = strstr(p + 1, mark)) {
        int length = (int)strcspn(p + n, "\"");
        char key[2][200];

        (void)snprintf(key[0], sizeof *key, "\"%.*s\":{%s", length, p + n, form);
        (void)snprintf(key[1], sizeof *key, "\"%.*s\":{%s", length, p + n, other);
        cr_assert_eq(count(key[0]) + count(key[1]), 1, "%s", key[0]);
    }
}

Test(openapi, every_reference_has_its_one_target)
{
    expect_references("#/components/schemas/", "\"type\":\"object\"",
                      "\"type\":\"string\",\"enum\"");
    expect_references("#/components/responses/", "\"description\":", "none");
}

Test(openapi, what_creates_or_moves_takes_a_key)
{
    cr_expect_eq(count("\"name\":\"Idempotency-Key\",\"in\":\"header\""), 8);
}

Test(openapi, filters_are_named_as_clients_write_them)
{
    cr_expect_not_null(strstr(text, "\"name\":\"filter[status]\""));
    cr_expect_null(strstr(text, "\"name\":\"filter_status\""));
}

Test(openapi, every_tag_says_what_it_is_about)
{
    cr_expect_eq(count("\"tags\":[{\"name\":"), 1);
    cr_expect_eq(count("\"description\":\"\""), 0);
}

/* A client made from the document would drop what is only for requests, the tokens too.
 */
Test(openapi, no_reply_has_a_field_that_only_requests_may_have)
{
    cr_expect_eq(count("\"writeOnly\""), 0);
}

/* ---- examples ---- */

static void expect_fits(const struct wire_msg *m)
{
    struct buf b;
    struct arena a;
    const struct err *e;

    if (!m)
        return;
    arena_init(&a);
    buf_init(&b, OPENAPI_BYTES_MAX);
    example_write(&b, m);
    e = wire_from_json(&a, m, buf_view(&b), arena_alloc(&a, m->size));
    cr_expect_null(e, "%s: %.*s: %.*s", m->name, STR_FMT(buf_view(&b)),
                   STR_FMT(e && e->fields ? e->fields->pointer : STR("")));
    buf_fini(&b);
    arena_fini(&a);
}

Test(openapi, every_example_is_what_its_rules_accept)
{
    for (const struct route *r = routes; r->path; r++) {
        expect_fits(r->body);
        expect_fits(r->status == 204 ? NULL : route_reply(r));
    }
}

Test(openapi, every_body_and_answer_has_an_example)
{
    static const char mark[] = "{\"schema\":{\"$ref\":\"#/components/schemas/";

    cr_expect(count(mark) > 30);
    for (const char *p = strstr(text, mark); p; p = strstr(p + 1, mark)) {
        const char *after = strchr(p + sizeof mark, '}');

        cr_expect(strncmp(after, "},\"example\":{", 13) == 0, "%.80s", p);
    }
}

/* By the bounds alone, where no name is known. */
#define ODD(F, T)                                       \
    F(T, str, kurz, REQUIRED, 1, 3, "")                 \
    F(T, text, lang, REQUIRED, 20, 40, "")              \
    F(T, secret, geheim, REQUIRED, 10, 128, "")         \
    F(T, i64, viel, REQUIRED, 100, 200, "")             \
    F(T, i64, wenig, REQUIRED, -9, -5, "")              \
    F(T, f64, bruch, REQUIRED, 0, 1, "")                \
    F(T, bytes, roh, REQUIRED, 5, 9, "")                \
    F(T, url, wohin, OPTIONAL, 1, 200, "")              \
    F(T, currency, geld, OPTIONAL, 3, 3, "")            \
    F(T, time, wann, OPTIONAL, 0, 0, "")                \
    F(T, strs, drei, REQUIRED, 3, 8, "")                \
    F(T, list(document_head), zwei, REQUIRED, 2, 8, "") \
    F(T, obj(document_head), eines, OPTIONAL, 0, 0, "")
WIRE_MESSAGE(odd, ODD)
WIRE_DEFINE(odd, ODD)

Test(openapi, a_message_that_nobody_wrote_an_example_for_has_one)
{
    expect_fits(&odd_msg);
}
