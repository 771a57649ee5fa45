// SPDX-License-Identifier: Apache-2.0
/* Templates are few: they are compared in order, segment by segment. */
#include "gateway/edge/router.h"

#include "kit/base/mem.h"

#include <stdlib.h>

struct segment {
    struct str text; /* of a parameter: its name */
    bool param;
};

struct place {
    const char *path;
    struct segment segments[ROUTER_SEGMENTS_MAX];
    unsigned n;
    const struct route *routes[HTTP_METHOD_COUNT];
    unsigned allowed;
};

struct router {
    struct place places[ROUTES_MAX];
    unsigned n;
    unsigned first[ROUTER_SEGMENTS_MAX + 2]; /* place of so many segments, or of more */
    unsigned allowed;                        /* anywhere */
};

static unsigned split(struct str path, struct str *out)
{
    struct str rest = {path.p + 1, path.n - 1};
    unsigned n = 0;

    while (rest.p && n < ROUTER_SEGMENTS_MAX)
        out[n++] = str_split(rest, '/', &rest);
    return rest.p ? 0 : n;
}

static void read_template(struct place *p, const char *path)
{
    struct str texts[ROUTER_SEGMENTS_MAX];

    p->path = path;
    p->n = split(str_of(path), texts);
    if (p->n == 0)
        mem_die("router: %s has too many segments", path);
    for (unsigned i = 0; i < p->n; i++) {
        struct str t = texts[i];

        p->segments[i].param = t.n > 2 && t.p[0] == '{';
        p->segments[i].text = p->segments[i].param ? (struct str){t.p + 1, t.n - 2} : t;
    }
}

static struct place *place_of(struct router *r, const char *path)
{
    for (unsigned i = 0; i < r->n; i++)
        if (strcmp(r->places[i].path, path) == 0)
            return &r->places[i];
    if (r->n == ROUTES_MAX)
        mem_die("router: more than %d routes", ROUTES_MAX);
    read_template(&r->places[r->n], path);
    return &r->places[r->n++];
}

/* By the number of segments; '{' sorts after all letters, so literals come first. */
static int by_path(const void *a, const void *b)
{
    const struct place *one = a, *other = b;

    return one->n != other->n ? (one->n < other->n ? -1 : 1)
                              : strcmp(one->path, other->path);
}

static void sort(struct router *r)
{
    qsort(r->places, r->n, sizeof *r->places, by_path);
    for (unsigned n = 0, i = 0; n < ROUTER_SEGMENTS_MAX + 2; n++) {
        while (i < r->n && r->places[i].n < n)
            i++;
        r->first[n] = i;
    }
}

struct router *router_create(const struct route *routes)
{
    struct router *r = MEM_NEW(struct router);

    for (const struct route *it = routes; it->path; it++) {
        struct place *p = place_of(r, it->path);

        p->routes[it->method] = it;
        p->allowed |= 1u << it->method | 1u << HTTP_OPTIONS;
        if (it->method == HTTP_GET)
            p->allowed |= 1u << HTTP_HEAD;
        r->allowed |= p->allowed;
    }
    sort(r);
    return r;
}

void router_destroy(struct router *r)
{
    free(r);
}

/* From the end on, as most paths begin alike. */
static bool literals_fit(const struct place *p, const struct str *segments, unsigned n)
{
    for (unsigned i = n; i-- > 0;) {
        const struct segment *s = &p->segments[i];

        if (!s->param && (s->text.n != segments[i].n || !str_eq(s->text, segments[i])))
            return false;
    }
    return true;
}

/* Of n segments, as the place has. */
static bool fits(const struct place *p, const struct str *segments, unsigned n,
                 struct router_match *m)
{
    if (!literals_fit(p, segments, n))
        return false;
    m->n_params = 0;
    for (unsigned i = 0; i < n; i++) {
        const struct segment *s = &p->segments[i];

        if (!s->param)
            continue;
        if (segments[i].n == 0 || m->n_params == ROUTER_PARAMS_MAX)
            return false;
        m->params[m->n_params++] = (struct router_param){s->text, segments[i]};
    }
    return true;
}

void router_find(const struct router *r, enum http_method method, struct str path,
                 struct router_match *out)
{
    struct str segments[ROUTER_SEGMENTS_MAX];
    unsigned n = path.p[0] == '/' ? split(path, segments) : 0;

    *out = (struct router_match){0};
    if (str_eq(path, STR("*")))
        out->allowed = r->allowed;
    for (unsigned i = r->first[n]; i < r->first[n + 1]; i++) { /* none has 0 */
        const struct place *p = &r->places[i];

        if (!fits(p, segments, n, out))
            continue;
        out->route = p->routes[method == HTTP_HEAD ? HTTP_GET : method];
        out->allowed = p->allowed;
        return;
    }
}

struct str router_allow(struct arena *a, unsigned allowed)
{
    struct str list = STR("");

    for (unsigned m = 0; m < HTTP_METHOD_COUNT; m++)
        if (allowed & 1u << m)
            list = arena_printf(a, "%.*s%s%s", STR_FMT(list), list.n > 0 ? ", " : "",
                                http_method_name((enum http_method)m));
    return list;
}
