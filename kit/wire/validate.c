// SPDX-License-Identifier: Apache-2.0
/*
 * What a value of each kind may be. One function per kind; readers call them value by
 * value while they read, wire_validate for a struct made in C.
 */
#include "kit/wire/internal.h"

#include "kit/base/swar.h"

#include <math.h>

enum text_fault { TEXT_OK, TEXT_NOT_UTF8, TEXT_CONTROL };

/* Unicode category Cc: C0, DEL and C1 (C2 80 to C2 9F in UTF-8). */
static bool is_control(const char *p, const char *end, bool lines)
{
    uint8_t c = (uint8_t)*p;

    if (lines && (c == '\t' || c == '\n' || c == '\r'))
        return false;
    return c < 0x20 || c == 0x7f || (c == 0xc2 && p + 1 < end && (uint8_t)p[1] < 0xa0);
}

static enum text_fault scan_text(struct str s, bool lines, size_t *points)
{
    size_t plain = swar_printable_prefix(s.p, s.n);

    *points = s.n;
    if (plain == s.n)
        return TEXT_OK;
    if (!str_is_utf8(s))
        return TEXT_NOT_UTF8;
    for (const char *p = s.p + plain, *end = s.p + s.n; p < end; p++) {
        if (is_control(p, end, lines))
            return TEXT_CONTROL;
    }
    *points = str_utf8_len(s);
    return TEXT_OK;
}

/* Sets *points; false: reported. */
static bool check_characters(struct wire_report *r, const struct wire_path *at,
                             struct str s, bool lines, size_t *points)
{
    switch (scan_text(s, lines, points)) {
    case TEXT_NOT_UTF8: wire_bad(r, at, "must be valid UTF-8"); return false;
    case TEXT_CONTROL:
        wire_bad(r, at,
                 lines ? "must not contain control characters"
                       : "must be one line without control characters");
        return false;
    case TEXT_OK: break;
    }
    return true;
}

static bool check_bounds(struct wire_report *r, const struct wire_path *at,
                         const struct wire_field *f, int64_t n)
{
    if (n < f->min)
        wire_bad_low(r, at, f);
    else if (n > f->max)
        wire_bad_high(r, at, f);
    else
        return true;
    return false;
}

/* ---- one function per kind ---- */

typedef void check_fn(struct wire_report *r, const struct wire_path *at,
                      const struct wire_field *f, const void *value);

static void check_line(struct wire_report *r, const struct wire_path *at,
                       const struct wire_field *f, const void *value)
{
    size_t points;

    if (check_characters(r, at, *(const struct str *)value, false, &points))
        check_bounds(r, at, f, (int64_t)points);
}

static void check_text(struct wire_report *r, const struct wire_path *at,
                       const struct wire_field *f, const void *value)
{
    size_t points;

    if (check_characters(r, at, *(const struct str *)value, true, &points))
        check_bounds(r, at, f, (int64_t)points);
}

static void check_secret(struct wire_report *r, const struct wire_path *at,
                         const struct wire_field *f, const void *value)
{
    const struct str *s = value;
    size_t points;

    if (check_characters(r, at, *s, true, &points))
        check_bounds(r, at, f, (int64_t)s->n);
}

static void check_email(struct wire_report *r, const struct wire_path *at,
                        const struct wire_field *f, const void *value)
{
    const struct str *s = value;

    if (check_bounds(r, at, f, (int64_t)s->n) && !wire_is_email(*s))
        wire_bad_kind(r, at, f);
}

static void check_url(struct wire_report *r, const struct wire_path *at,
                      const struct wire_field *f, const void *value)
{
    const struct str *s = value;

    if (check_bounds(r, at, f, (int64_t)s->n) && !wire_is_url(*s))
        wire_bad_kind(r, at, f);
}

static void check_currency(struct wire_report *r, const struct wire_path *at,
                           const struct wire_field *f, const void *value)
{
    const struct str *s = value;
    bool good = s->n == 3;

    for (size_t i = 0; good && i < s->n; i++)
        good = s->p[i] >= 'A' && s->p[i] <= 'Z';
    if (!good)
        wire_bad_kind(r, at, f);
}

static void check_bytes(struct wire_report *r, const struct wire_path *at,
                        const struct wire_field *f, const void *value)
{
    check_bounds(r, at, f, (int64_t)((const struct str *)value)->n);
}

static void check_i64(struct wire_report *r, const struct wire_path *at,
                      const struct wire_field *f, const void *value)
{
    check_bounds(r, at, f, *(const int64_t *)value);
}

static void check_f64(struct wire_report *r, const struct wire_path *at,
                      const struct wire_field *f, const void *value)
{
    double v = *(const double *)value;

    if (!isfinite(v))
        wire_bad(r, at, "must be a finite number");
    else if (v < (double)f->min)
        wire_bad_low(r, at, f);
    else if (v > (double)f->max)
        wire_bad_high(r, at, f);
}

static void check_time(struct wire_report *r, const struct wire_path *at,
                       const struct wire_field *f, const void *value)
{
    int64_t us = *(const int64_t *)value;

    if (us < WIRE_TIME_MIN_US || us > WIRE_TIME_MAX_US)
        wire_bad_kind(r, at, f);
}

static void check_enum(struct wire_report *r, const struct wire_path *at,
                       const struct wire_field *f, const void *value)
{
    if (wire_enum_get(value) >= f->en->count)
        wire_bad_kind(r, at, f);
}

void wire_check_leaf(struct wire_report *r, const struct wire_path *at,
                     const struct wire_field *f, const void *value)
{
    static check_fn *const checks[] = {
        [WIRE_KIND_str] = check_line,      [WIRE_KIND_text] = check_text,
        [WIRE_KIND_email] = check_email,   [WIRE_KIND_url] = check_url,
        [WIRE_KIND_secret] = check_secret, [WIRE_KIND_currency] = check_currency,
        [WIRE_KIND_bytes] = check_bytes,   [WIRE_KIND_i64] = check_i64,
        [WIRE_KIND_f64] = check_f64,       [WIRE_KIND_time] = check_time,
        [WIRE_KIND_enum] = check_enum,     [WIRE_KIND_strs] = NULL,
    };

    if (checks[f->kind])
        checks[f->kind](r, at, f, value);
}

bool wire_check_count(struct wire_report *r, const struct wire_path *at,
                      const struct wire_field *f, size_t n)
{
    check_bounds(r, at, f, (int64_t)n);
    return (int64_t)n <= f->max;
}

void wire_check_strs_item(struct wire_report *r, const struct wire_path *at, struct str s)
{
    static const struct wire_field item = {
        .name = "", .kind = WIRE_KIND_str, .min = 1, .max = WIRE_STRS_ITEM_MAX};

    check_line(r, at, &item, &s);
}

void wire_check_missing(struct wire_report *r, const struct wire_path *at,
                        const struct wire_msg *m, const void *msg)
{
    for (unsigned i = 0; i < m->count; i++) {
        const struct wire_field *f = m->fields + i;

        if (f->required && !wire_has(msg, f)) {
            const struct wire_path here = {.up = at, .name = {f->name, f->name_len}};

            wire_bad(r, &here, "is required");
        }
    }
}

/* ---- a whole struct ---- */

static void check_message(struct wire_report *r, const struct wire_path *at,
                          const struct wire_msg *m, const void *msg, unsigned depth);

static void check_list(struct wire_report *r, const struct wire_path *at,
                       const struct wire_field *f, const void *value, unsigned depth)
{
    struct wire_list list = wire_list_get(value);

    if (!wire_check_count(r, at, f, list.n))
        return;
    for (size_t i = 0; i < list.n; i++) {
        const struct wire_path here = {.up = at, .index = i};

        check_message(r, &here, f->sub, wire_list_item(list, f, i), depth + 1);
    }
}

static void check_strs(struct wire_report *r, const struct wire_path *at,
                       const struct wire_field *f, const void *value)
{
    const struct str_list *list = value;

    if (!wire_check_count(r, at, f, list->n))
        return;
    for (size_t i = 0; i < list->n; i++) {
        const struct wire_path here = {.up = at, .index = i};

        wire_check_strs_item(r, &here, list->v[i]);
    }
}

static void check_field(struct wire_report *r, const struct wire_path *at,
                        const struct wire_field *f, const void *value, unsigned depth)
{
    if (f->kind == WIRE_KIND_obj)
        check_message(r, at, f->sub, wire_obj_get(value), depth + 1);
    else if (f->kind == WIRE_KIND_list)
        check_list(r, at, f, value, depth + 1);
    else if (f->kind == WIRE_KIND_strs)
        check_strs(r, at, f, value);
    else
        wire_check_leaf(r, at, f, value);
}

static void check_message(struct wire_report *r, const struct wire_path *at,
                          const struct wire_msg *m, const void *msg, unsigned depth)
{
    if (!msg || depth > WIRE_DEPTH_MAX) {
        wire_bad(r, at, msg ? "is nested too deeply" : "must be an object");
        return;
    }
    for (unsigned i = 0; i < m->count; i++) {
        const struct wire_field *f = m->fields + i;
        const struct wire_path here = {.up = at, .name = {f->name, f->name_len}};

        if (wire_has(msg, f))
            check_field(r, &here, f, wire_value_const(msg, f), depth);
    }
    wire_check_missing(r, at, m, msg);
}

const struct err *wire_validate(struct arena *a, const struct wire_msg *m, const void *in)
{
    struct wire_report report = wire_report_of_body(a);

    check_message(&report, NULL, m, in, 1);
    return wire_report_end(&report);
}
