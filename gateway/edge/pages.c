// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/pages.h. */
#include "gateway/edge/pages.h"

#include "gateway/edge/respond.h"
#include "kit/base/buf.h"
#include "kit/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_BYTES = 65536 };

struct pages {
    struct arena names; /* and tags */
    struct buf bytes;
    struct page v[PAGES_MAX];
    unsigned n;
};

static const struct {
    const char *suffix, *media;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".txt", "text/plain; charset=utf-8"},
};

static bool ends_with(struct str s, struct str end)
{
    return s.n > end.n && memcmp(s.p + s.n - end.n, end.p, end.n) == 0;
}

static const char *media_of(struct str name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (ends_with(name, str_of(types[i].suffix)))
            return types[i].media;
    return NULL;
}

const struct page *pages_find(const struct pages *p, struct str name)
{
    for (unsigned i = 0; p && i < p->n; i++)
        if (str_eq(str_of(p->v[i].name), name))
            return &p->v[i];
    return NULL;
}

/* ---- reading ---- */

static const struct err *fail(struct arena *a, const char *path, const char *why)
{
    return err_new(a, &ERR_CODE_BAD_REQUEST, "VIADUCT_DOCS_DIR: %s: %s", path, why);
}

/* The file's bytes at the end of the buffer. */
static const struct err *read_file(struct arena *a, const char *path, struct buf *b)
{
    FILE *f = fopen(path, "re");
    const struct err *e = NULL;
    char piece[READ_BYTES];
    size_t n;

    if (!f)
        return fail(a, path, strerror(errno));
    do {
        n = fread(piece, 1, sizeof piece, f);
        buf_put(b, piece, n);
    } while (n == sizeof piece && !b->failed);
    if (ferror(f))
        e = fail(a, path, strerror(errno));
    else if (b->failed)
        e = fail(a, path, "the files are too large together");
    (void)fclose(f);
    return e;
}

/* Bodies move while the buffer grows: until all are in, only their lengths are true. */
static const struct err *add(struct arena *a, struct pages *p, const char *dir,
                             struct str name)
{
    struct str path = arena_printf(a, "%s/%.*s", dir, STR_FMT(name));
    struct str packed = arena_printf(a, "%.*s.gz", STR_FMT(path));
    struct page *page = &p->v[p->n];
    size_t before = p->bytes.n;
    const struct err *e;

    if (p->n == PAGES_MAX)
        return fail(a, dir, "too many files");
    *page = (struct page){.name = arena_str(&p->names, name).p, .media = media_of(name)};
    p->n++;
    e = read_file(a, path.p, &p->bytes);
    page->body.n = p->bytes.n - before;
    if (e || access(packed.p, F_OK) != 0)
        return e;
    before = p->bytes.n;
    e = read_file(a, packed.p, &p->bytes);
    page->packed.n = p->bytes.n - before;
    return e;
}

static const struct err *add_all(struct arena *a, struct pages *p, const char *dir)
{
    DIR *d = opendir(dir);
    const struct err *e = NULL;
    const struct dirent *it;

    if (!d)
        return fail(a, dir, strerror(errno));
    while (!e && (it = readdir(d)))
        if (it->d_name[0] != '.' && media_of(str_of(it->d_name)))
            e = add(a, p, dir, str_of(it->d_name));
    closedir(d);
    if (!e && !pages_find(p, STR("index.html")))
        e = fail(a, dir, "there is no index.html");
    return e;
}

static void settle(struct pages *p)
{
    const char *at = p->bytes.p;

    for (unsigned i = 0; i < p->n; i++) {
        struct page *page = &p->v[i];

        page->body.p = at;
        at += page->body.n;
        page->packed.p = page->packed.n ? at : NULL;
        at += page->packed.n;
        page->etag = respond_etag(&p->names, 0, page->body);
    }
}

const struct err *pages_load(struct arena *a, const char *dir, struct pages **out)
{
    struct pages *p = MEM_NEW(struct pages);
    const struct err *e;

    arena_init(&p->names);
    buf_init(&p->bytes, PAGES_BYTES_MAX);
    e = *dir ? add_all(a, p, dir) : NULL;
    if (e) {
        pages_destroy(p);
        return e;
    }
    settle(p);
    *out = p;
    return NULL;
}

void pages_destroy(struct pages *p)
{
    if (!p)
        return;
    buf_fini(&p->bytes);
    arena_fini(&p->names);
    free(p);
}

struct str pages_bytes(const struct pages *p)
{
    return buf_view(&p->bytes);
}
