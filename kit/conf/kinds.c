// SPDX-License-Identifier: Apache-2.0
/* The kinds of settings: reading and showing a value of each. */
#include "kit/conf/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool length_ok(const struct conf_option *o, struct str s)
{
    return !conf_is_bounded(o) || ((double)s.n >= o->min && (double)s.n <= o->max);
}

static bool read_str(struct arena *a, const struct conf_option *o, struct str s,
                     void *member)
{
    *(const char **)member = arena_str(a, s).p;
    return length_ok(o, s);
}

static bool read_url(struct arena *a, const struct conf_option *o, struct str s,
                     void *member)
{
    return read_str(a, o, s, member) && (s.n == 0 || conf_is_url(s));
}

/* Above 2^63 - 1 a double cannot be converted. */
static int64_t bound(double v)
{
    return v >= 0x1p63 ? INT64_MAX : v <= -0x1p63 ? INT64_MIN : (int64_t)v;
}

static bool in_bounds(const struct conf_option *o, int64_t v)
{
    return !conf_is_bounded(o) || (v >= bound(o->min) && v <= bound(o->max));
}

static bool read_i64(struct arena *a, const struct conf_option *o, struct str s,
                     void *member)
{
    (void)a;
    return str_to_i64(s, INT64_MIN, INT64_MAX, member) &&
           in_bounds(o, *(int64_t *)member);
}

static bool read_ms(struct arena *a, const struct conf_option *o, struct str s,
                    void *member)
{
    return read_i64(a, o, s, member) && *(int64_t *)member >= 0;
}

static unsigned suffix_shift(char c)
{
    switch (c | 0x20) {
    case 'k': return 10;
    case 'm': return 20;
    case 'g': return 30;
    default: return 0;
    }
}

static bool read_bytes(struct arena *a, const struct conf_option *o, struct str s,
                       void *member)
{
    unsigned shift = s.n > 0 ? suffix_shift(s.p[s.n - 1]) : 0;
    int64_t *out = member;

    (void)a;
    s.n -= shift > 0;
    if (!str_to_i64(s, 0, INT64_MAX >> shift, out))
        return false;
    *out <<= shift;
    return in_bounds(o, *out);
}

static bool read_flag(struct arena *a, const struct conf_option *o, struct str s,
                      void *member)
{
    (void)a;
    (void)o;
    *(bool *)member = str_eq(s, STR("true"));
    return *(bool *)member || str_eq(s, STR("false"));
}

/* Decimal only: strtod alone would take nan, inf and hexadecimal. */
static bool read_f64(struct arena *a, const struct conf_option *o, struct str s,
                     void *member)
{
    const char *text = arena_str(a, s).p;
    double *out = member;
    char *end;

    if (s.n == 0 || strspn(text, "0123456789+-.eE") != s.n)
        return false;
    *out = strtod(text, &end);
    if (end != text + s.n || *out > 1e300 || *out < -1e300)
        return false;
    return !conf_is_bounded(o) || (*out >= o->min && *out <= o->max);
}

static struct str text_of(const void *member)
{
    return str_of(*(const char *const *)member);
}

static void show_str(struct buf *b, const void *member)
{
    conf_put_quoted(b, text_of(member));
}

static void show_secret(struct buf *b, const void *member)
{
    if (text_of(member).n > 0)
        buf_str(b, STR("***"));
}

static void show_url(struct buf *b, const void *member)
{
    conf_put_masked_url(b, text_of(member));
}

static void show_i64(struct buf *b, const void *member)
{
    buf_printf(b, "%" PRId64, *(const int64_t *)member);
}

static void show_flag(struct buf *b, const void *member)
{
    buf_str(b, *(const bool *)member ? STR("true") : STR("false"));
}

static void show_f64(struct buf *b, const void *member)
{
    buf_printf(b, "%g", *(const double *)member);
}

const struct conf_kind_info CONF_KIND_INFO[] = {
    [CONF_str] = {"a text", true, false, read_str, show_str},
    [CONF_secret] = {"a text", true, true, read_str, show_secret},
    [CONF_url] = {"a URL", true, true, read_url, show_url},
    [CONF_path] = {"a path", true, false, read_str, show_str},
    [CONF_i64] = {"a whole number", false, false, read_i64, show_i64},
    [CONF_ms] = {"a whole number of milliseconds", false, false, read_ms, show_i64},
    [CONF_bytes] = {"a number of bytes, perhaps with k, m or g", false, false, read_bytes,
                    show_i64},
    [CONF_flag] = {"true or false", false, false, read_flag, show_flag},
    [CONF_f64] = {"a number", false, false, read_f64, show_f64},
};

void conf_put_bounds(struct buf *b, const struct conf_option *o)
{
    if (!conf_is_bounded(o))
        return;
    if (CONF_KIND_INFO[o->kind].length_bound)
        buf_printf(b, ", %.0f to %.0f bytes long", o->min, o->max);
    else if (o->kind == CONF_f64)
        buf_printf(b, ", from %g to %g", o->min, o->max);
    else
        buf_printf(b, ", from %.0f to %.0f", o->min, o->max);
}
