// SPDX-License-Identifier: Apache-2.0
#include "gateway/edge/pages.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/viaduct-pages-XXXXXX";
static struct arena arena;
static struct pages *pages;

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(arena_printf(&arena, "%s/%s", dir, name).p, "we");

    cr_assert_not_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
}

static void open_folder(void)
{
    arena_init(&arena);
    cr_assert_not_null(mkdtemp(dir));
    write_file("index.html", "<p>page");
    write_file("app.js", "plain");
    write_file("app.js.gz", "packed");
    write_file("empty.css", "");
    write_file("secret.conf", "secret");
    write_file(".hidden.html", "hidden");
}

static void close_folder(void)
{
    pages_destroy(pages);
    (void)!system(arena_printf(&arena, "rm -rf %s", dir).p); // NOLINT(cert-env33-c)
    arena_fini(&arena);
}

TestSuite(pages, .init = open_folder, .fini = close_folder);

static void expect_is(const char *name, const char *body, const char *media)
{
    const struct page *p = pages_find(pages, str_of(name));
    struct str all = pages_bytes(pages);

    cr_assert_not_null(p, "%s", name);
    cr_expect(str_eq(p->body, str_of(body)), "%s", name);
    cr_expect_str_eq(p->media, media);
    cr_expect(p->body.p >= all.p && p->body.p + p->body.n <= all.p + all.n);
    cr_expect(p->etag.n > 2);
}

Test(pages, are_what_the_folder_has)
{
    cr_assert_null(pages_load(&arena, dir, &pages));
    expect_is("index.html", "<p>page", "text/html; charset=utf-8");
    expect_is("app.js", "plain", "text/javascript; charset=utf-8");
    expect_is("empty.css", "", "text/css; charset=utf-8");
    cr_expect(str_eq(pages_find(pages, STR("app.js"))->packed, STR("packed")));
    cr_expect_null(pages_find(pages, STR("index.html"))->packed.p);
}

static const char *const others[] = {
    "",        "secret.conf",    ".hidden.html", "app.js.gz",   "APP.JS",
    "app",     "./app.js",       "../etc/hosts", "/etc/passwd", "index.html/",
    "app.js ", "..%2findex.html"};

Test(pages, are_found_by_their_whole_name_only)
{
    cr_assert_null(pages_load(&arena, dir, &pages));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_expect_null(pages_find(pages, str_of(others[i])), "%s", others[i]);
    cr_expect_null(pages_find(NULL, STR("index.html")));
}

Test(pages, are_none_without_a_folder)
{
    cr_assert_null(pages_load(&arena, "", &pages));
    cr_expect_null(pages_find(pages, STR("index.html")));
    cr_expect_eq(pages_bytes(pages).n, 0);
}

Test(pages, of_a_folder_that_is_none_are_an_error)
{
    cr_expect_not_null(pages_load(&arena, "/nowhere/at/all", &pages));
    (void)unlink(arena_printf(&arena, "%s/index.html", dir).p);
    cr_expect_not_null(pages_load(&arena, dir, &pages), "no index.html");
    write_file("index.html", "");
    (void)mkdir(arena_printf(&arena, "%s/folder.js", dir).p, 0700);
    cr_expect_not_null(pages_load(&arena, dir, &pages), "a folder");
}

Test(pages, have_bounds)
{
    const char *path = arena_printf(&arena, "%s/large.js", dir).p;

    write_file("large.js", "");
    cr_assert_eq(truncate(path, PAGES_BYTES_MAX), 0);
    cr_expect_not_null(pages_load(&arena, dir, &pages), "bytes");
    (void)unlink(path);
    for (int i = 0; i < PAGES_MAX; i++)
        write_file(arena_printf(&arena, "%d.txt", i).p, "x");
    cr_expect_not_null(pages_load(&arena, dir, &pages), "files");
}
