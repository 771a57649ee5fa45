// SPDX-License-Identifier: Apache-2.0
/* The document: well-formed, complete, without a reference to nothing. */
#include "gateway/openapi.h"
#include "gateway/routes.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct buf document;
static const char *text;

#define DOCUMENT(F, T) F(T, str, openapi, REQUIRED, 1, 20, "version")

WIRE_MESSAGE(document_head, DOCUMENT)
WIRE_DEFINE(document_head, DOCUMENT)

static void make(void)
{
    buf_init(&document, OPENAPI_BYTES_MAX);
    openapi_write(&document, routes);
    buf_byte(&document, 0);
    document.n--;
    text = document.p;
}

static void drop(void)
{
    buf_fini(&document);
}

TestSuite(openapi, .init = make, .fini = drop);

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

Test(openapi, has_every_route)
{
    for (const struct route *r = routes; r->path; r++) {
        char key[200];

        (void)snprintf(key, sizeof key, "\"%s\":{\"", r->path);
        cr_expect_not_null(strstr(text, key), "%s", key);
    }
}

static int count(const char *what)
{
    int n = 0;

    for (const char *p = strstr(text, what); p; p = strstr(p + 1, what))
        n++;
    return n;
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
