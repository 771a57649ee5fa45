// SPDX-License-Identifier: Apache-2.0
/*
 * The report of bad fields: JSON pointers and sentences for people. It never shows a
 * value that came in, and of names only so much that the caller finds the typo.
 */
#include "kit/wire/internal.h"

#include <inttypes.h>

enum { POINTER_MAX_BYTES = 4096, LABELS_MAX_BYTES = 1024 };

struct str wire_name_shown(struct arena *a, struct str name)
{
    size_t n = name.n < WIRE_NAME_SHOWN_MAX ? name.n : WIRE_NAME_SHOWN_MAX;
    char *out = arena_alloc(a, n + 1);

    for (size_t i = 0; i < n; i++)
        out[i] = name.p[i] >= ' ' && name.p[i] <= '~' ? name.p[i] : '?';
    return (struct str){out, n};
}

/* RFC 6901 section 3: "~" is "~0" and "/" is "~1". */
static void put_escaped(struct buf *b, struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '~')
            buf_str(b, STR("~0"));
        else if (name.p[i] == '/')
            buf_str(b, STR("~1"));
        else
            buf_byte(b, (uint8_t)name.p[i]);
    }
}

static void put_steps(struct buf *b, struct arena *a, const struct wire_path *at)
{
    if (!at)
        return;
    put_steps(b, a, at->up);
    buf_byte(b, '/');
    if (at->name.p)
        put_escaped(b, wire_name_shown(a, at->name));
    else
        buf_printf(b, "%zu", at->index);
}

struct str wire_json_pointer(struct arena *a, const struct wire_path *at)
{
    struct buf b;
    struct str pointer;

    buf_init(&b, POINTER_MAX_BYTES);
    put_steps(&b, a, at);
    pointer = arena_str(a, buf_view(&b));
    buf_fini(&b);
    return pointer;
}

struct wire_report wire_report_of_body(struct arena *a)
{
    return (struct wire_report){
        .a = a,
        .code = &ERR_CODE_INVALID_FIELDS,
        .thing = "field",
        .pointer = wire_json_pointer,
    };
}

void wire_bad(struct wire_report *r, const struct wire_path *at, const char *fmt, ...)
{
    va_list ap;
    struct str detail;

    if (r->count++ >= WIRE_ERRORS_MAX)
        return;
    if (!r->err)
        r->err = err_new(r->a, r->code, "%s", "");
    va_start(ap, fmt);
    detail = arena_vprintf(r->a, fmt, ap);
    va_end(ap);
    err_add_field(r->a, r->err, r->pointer(r->a, at), "%.*s", STR_FMT(detail));
}

const struct err *wire_report_end(struct wire_report *r)
{
    if (!r->err)
        return NULL;
    r->err->detail =
        arena_printf(r->a, "%u %s%s not acceptable%s", r->count, r->thing,
                     r->count == 1 ? " is" : "s are",
                     r->count > WIRE_ERRORS_MAX ? "; the first 32 are listed" : "");
    return r->err;
}

/* ---- sentences ---- */

static struct str labels_of(struct arena *a, const struct wire_enum *e)
{
    struct buf b;
    struct str labels;

    buf_init(&b, LABELS_MAX_BYTES);
    for (unsigned i = 0; i < e->count; i++)
        buf_printf(&b, "%s%s", i ? ", " : "", e->labels[i]);
    labels = arena_str(a, buf_view(&b));
    buf_fini(&b);
    return labels;
}

void wire_bad_kind(struct wire_report *r, const struct wire_path *at,
                   const struct wire_field *f)
{
    static const char *const sentences[] = {
        [WIRE_KIND_str] = "must be a string",
        [WIRE_KIND_text] = "must be a string",
        [WIRE_KIND_email] = "must be an e-mail address",
        [WIRE_KIND_url] = "must be an http or https URL",
        [WIRE_KIND_secret] = "must be a string",
        [WIRE_KIND_currency] = "must be a currency of three capital letters, such as EUR",
        [WIRE_KIND_bytes] = "must be base64url without padding",
        [WIRE_KIND_i64] = "must be an integer",
        [WIRE_KIND_f64] = "must be a number",
        [WIRE_KIND_flag] = "must be true or false",
        [WIRE_KIND_uuid] = "must be a UUID",
        [WIRE_KIND_time] = "must be an RFC 3339 time, such as 2026-01-31T12:00:00Z",
        [WIRE_KIND_obj] = "must be an object",
        [WIRE_KIND_list] = "must be an array of objects",
        [WIRE_KIND_strs] = "must be an array of strings",
    };

    if (f->kind != WIRE_KIND_enum)
        wire_bad(r, at, "%s", sentences[f->kind]);
    else if (r->count < WIRE_ERRORS_MAX)
        wire_bad(r, at, "must be one of %.*s", STR_FMT(labels_of(r->a, f->en)));
    else
        wire_bad(r, at, "%s", "");
}

/* What min and max of the kind count; absent for values. */
static const char *unit_of(enum wire_kind kind)
{
    static const char *const units[] = {
        [WIRE_KIND_str] = "character", [WIRE_KIND_text] = "character",
        [WIRE_KIND_email] = "byte",    [WIRE_KIND_url] = "byte",
        [WIRE_KIND_secret] = "byte",   [WIRE_KIND_currency] = "byte",
        [WIRE_KIND_bytes] = "byte",    [WIRE_KIND_list] = "element",
        [WIRE_KIND_strs] = "element",
    };

    return units[kind];
}

static void bad_bound(struct wire_report *r, const struct wire_path *at, const char *unit,
                      const char *word, int64_t bound)
{
    if (unit)
        wire_bad(r, at, "must have at %s %" PRId64 " %s%s", word, bound, unit,
                 bound == 1 ? "" : "s");
    else
        wire_bad(r, at, "must be at %s %" PRId64, word, bound);
}

void wire_bad_low(struct wire_report *r, const struct wire_path *at,
                  const struct wire_field *f)
{
    bad_bound(r, at, unit_of(f->kind), "least", f->min);
}

void wire_bad_high(struct wire_report *r, const struct wire_path *at,
                   const struct wire_field *f)
{
    bad_bound(r, at, unit_of(f->kind), "most", f->max);
}
