// SPDX-License-Identifier: Apache-2.0
/*
 * Query and path parameters to structs.
 */
#include "kit/wire/internal.h"

#include <stdio.h>

enum { PARAM_NAME_MAX = 255 }; /* as long as a field's name can be */

struct param_read {
    struct arena *a;
    struct wire_report report;
};

#define FILTER "filter"

/* A parameter's place as a path: one step, whose index says whether it is in the URL's
 * path. */
static struct wire_path place_of(const struct wire_param *p)
{
    return (struct wire_path){.name = p->name, .index = p->in_path};
}

/* Elements of a list in one parameter have no name of their own. */
static struct str param_pointer(struct arena *a, const struct wire_path *at)
{
    struct str name;

    while (at->up)
        at = at->up;
    name = wire_name_shown(a, at->name);
    if (at->index)
        return arena_printf(a, "{%.*s}", STR_FMT(name));
    return arena_printf(a, "?%.*s", STR_FMT(name));
}

/* The field's name for the parameter's: "filter[status]" is filter_status, and nothing
 * else is. Absent: there is no such field. */
static struct str field_name(struct str name, char *room)
{
    static const struct str open = {FILTER "[", sizeof FILTER},
                            plain = {FILTER "_", sizeof FILTER};

    if (name.n > PARAM_NAME_MAX || str_starts(name, plain))
        return (struct str){0};
    if (!str_starts(name, open) || name.p[name.n - 1] != ']')
        return name;
    memcpy(room, name.p, name.n - 1);
    room[open.n - 1] = '_';
    return (struct str){room, name.n - 1};
}

static const struct wire_field *find_field(const struct wire_msg *m, struct str name)
{
    char room[PARAM_NAME_MAX];
    struct str wanted = field_name(name, room);
    const struct wire_field *f = wanted.p ? wire_field_find(m, wanted) : NULL;

    return f && f->kind != WIRE_KIND_obj && f->kind != WIRE_KIND_list ? f : NULL;
}

/* ---- values ---- */

static bool flag_from_text(struct str text, bool *out)
{
    *out = str_eq(text, STR("true"));
    return *out || str_eq(text, STR("false"));
}

/* Digits with a minus, no leading zeros: one spelling per number, as in JSON. */
static bool is_integer(struct str s)
{
    size_t start = s.n > 0 && s.p[0] == '-';

    if (s.n == start || (s.p[start] == '0' && s.n > 1))
        return false;
    for (size_t i = start; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    }
    return true;
}

static bool read_i64(struct param_read *c, const struct wire_path *at,
                     const struct wire_field *f, struct str text, int64_t *out)
{
    if (!is_integer(text))
        wire_bad_kind(&c->report, at, f);
    else if (str_to_i64(text, INT64_MIN, INT64_MAX, out))
        return true;
    else if (text.p[0] == '-')
        wire_bad_low(&c->report, at, f);
    else
        wire_bad_high(&c->report, at, f);
    return false;
}

static bool from_text(struct param_read *c, const struct wire_field *f, struct str text,
                      void *out)
{
    if (f->kind == WIRE_KIND_f64)
        return wire_f64_from_text(c->a, text, out);
    if (f->kind == WIRE_KIND_flag)
        return flag_from_text(text, out);
    return wire_value_from_text(c->a, f, text, out);
}

static void read_leaf(struct param_read *c, const struct wire_path *at,
                      const struct wire_field *f, struct str text, void *out)
{
    if (f->kind == WIRE_KIND_i64) {
        if (!read_i64(c, at, f, text, out))
            return;
    } else if (!from_text(c, f, text, out)) {
        wire_bad_kind(&c->report, at, f);
        return;
    }
    wire_check_leaf(&c->report, at, f, out);
}

static size_t count_elements(struct str text)
{
    size_t n = 1;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == ',';
    return n;
}

/* a,b,c */
static void read_strs(struct param_read *c, const struct wire_path *at,
                      const struct wire_field *f, struct str text, struct str_list *out)
{
    size_t n = count_elements(text);

    if (!wire_check_count(&c->report, at, f, n))
        return;
    out->n = n;
    out->v = ARENA_ARRAY(c->a, struct str, n);
    for (size_t i = 0; i < n; i++) {
        const struct wire_path here = {.up = at, .index = i};

        out->v[i] = str_split(text, ',', &text);
        wire_check_strs_item(&c->report, &here, out->v[i]);
    }
}

static void read_param(struct param_read *c, const struct wire_msg *m,
                       const struct wire_param *p, void *out)
{
    const struct wire_path at = place_of(p);
    const struct wire_field *f = find_field(m, p->name);
    const struct str value = p->value.p ? p->value : STR("");
    bool *has;

    if (!f) {
        wire_bad(&c->report, &at, "is not a known parameter");
        return;
    }
    has = wire_has_flag(out, f);
    if (*has)
        wire_bad(&c->report, &at, "must be given once");
    else if (f->kind == WIRE_KIND_strs)
        read_strs(c, &at, f, value, wire_value(out, f));
    else
        read_leaf(c, &at, f, value, wire_value(out, f));
    *has = true;
}

/* ---- what is missing, under the name the caller would have used ---- */

static struct str param_name(struct arena *a, const struct wire_field *f)
{
    const struct str name = {f->name, f->name_len}, plain = STR(FILTER "_");

    if (!str_starts(name, plain))
        return name;
    return arena_printf(a, FILTER "[%s]", f->name + plain.n);
}

static void check_missing(struct param_read *c, const struct wire_msg *m, const void *out)
{
    for (unsigned i = 0; i < m->count; i++) {
        const struct wire_field *f = m->fields + i;

        if (f->required && !wire_has(out, f)) {
            const struct wire_path at = {.name = param_name(c->a, f)};

            wire_bad(&c->report, &at, "is required");
        }
    }
}

const struct err *wire_from_params(struct arena *a, const struct wire_msg *m,
                                   const struct wire_param *params, size_t n, void *out)
{
    struct param_read c = {.a = a,
                           .report = {.a = a,
                                      .code = &ERR_CODE_BAD_PARAMETERS,
                                      .thing = "parameter",
                                      .pointer = param_pointer}};

    for (size_t i = 0; i < n; i++)
        read_param(&c, m, params + i, out);
    check_missing(&c, m, out);
    return wire_report_end(&c.report);
}
