// SPDX-License-Identifier: Apache-2.0
/* The page at /docs, from a folder of the test's own, on a stack of its own. */
#include "tests/support/stack/api.h"
#include "tests/support/stack/stack.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct stack stack;
static struct api api;

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[512];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "we");
    cr_assert_not_null(f, "%s", path);
    (void)fputs(text, f);
    (void)fclose(f);
}

static void open_stack(void)
{
    static char dir[] = "/tmp/viaduct-docs-XXXXXX";

    cr_assert_not_null(mkdtemp(dir));
    write_file(dir, "index.html", "<p>page");
    write_file(dir, "app.js", "plain");
    write_file(dir, "app.js.gz", "packed");
    write_file(dir, "secret.conf", "secret");
    (void)setenv("VIADUCT_DOCS_DIR", dir, 1);
    stack_start(&stack, getenv("VIADUCT_TEST_LOGS"));
    api_open(&api, stack.url);
}

static void close_stack(void)
{
    api_close(&api);
    stack_stop(&stack);
}

TestSuite(docs, .init = open_stack, .fini = close_stack, .timeout = 120);

static struct answer get(const char *path, const char *first, const char *second)
{
    const char *headers[] = {first, second, NULL};

    return api_call_with(&api, "GET", path, NULL, NULL, headers);
}

static void expect_header(const struct answer *a, const char *name, const char *want)
{
    struct str got = answer_header(a, name);

    cr_expect(str_eq(got, str_of(want)), "%s: %.*s", name, STR_FMT(got));
}

static void expect_page(void)
{
    struct answer a = get("/docs", "Accept: application/json", NULL);
    struct str policy = answer_header(&a, "content-security-policy");

    cr_expect_eq(a.status, 200);
    cr_expect_str_eq(a.body.p, "<p>page");
    expect_header(&a, "content-type", "text/html; charset=utf-8");
    expect_header(&a, "cache-control", "public, no-cache");
    expect_header(&a, "x-content-type-options", "nosniff");
    cr_assert_not_null(policy.p);
    cr_expect(str_starts(policy, STR("default-src 'none'; script-src 'self';")));
    cr_expect_null(memmem(policy.p, policy.n, "unsafe", 6));
}

static void expect_file(void)
{
    struct answer a = get("/docs/app.js", NULL, NULL);
    const char *tag;

    cr_expect_str_eq(a.body.p, "plain");
    expect_header(&a, "content-type", "text/javascript; charset=utf-8");
    a = get("/docs/app.js", "Accept-Encoding: gzip", NULL);
    cr_expect_str_eq(a.body.p, "packed", "as it lies there");
    expect_header(&a, "content-encoding", "gzip");
    tag = api_text(&api, "If-None-Match: %.*s", STR_FMT(answer_header(&a, "etag")));
    cr_expect_eq(get("/docs/app.js", "Accept-Encoding: gzip", tag).status, 304);
    cr_expect_eq(get("/docs/app.js", tag, NULL).status, 200, "the tag of the other");
}

static const char *const others[] = {
    "/docs/secret.conf",          "/docs/app.js.gz",
    "/docs/nothing.js",           "/docs/..%2findex.html",
    "/docs/%2e%2e%2fetc%2fhosts", "/docs/index.html/x",
};

static void expect_nothing_else(void)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct answer a = get(others[i], NULL, NULL);

        cr_expect(a.status == 404 || a.status == 400, "%s: %d", others[i], a.status);
        expect_header(&a, "content-type", "application/problem+json");
    }
}

Test(docs, are_the_files_of_the_folder_and_no_others)
{
    struct answer a = get("/openapi.json", NULL, NULL);

    expect_page();
    expect_file();
    expect_nothing_else();
    cr_expect_null(strstr(a.body.p, "\"/docs"), "pages are no part of the API");
}

Test(docs, are_not_there_without_a_folder)
{
    (void)setenv("VIADUCT_DOCS_DIR", "", 1);
    stack_stop_replica(&stack, STACK_GATEWAY, 0);
    stack_start_part(&stack, STACK_GATEWAY);
    cr_expect_eq(get("/docs", NULL, NULL).status, 404);
    cr_expect_eq(get("/docs/index.html", NULL, NULL).status, 404);
    cr_expect_eq(get("/openapi.json", NULL, NULL).status, 200);
}
