// SPDX-License-Identifier: Apache-2.0
/*
 * Msgpack to JSON in one pass, for replies that only travel through: no struct, no copy.
 */
#include "kit/wire/internal.h"

#include <math.h>

struct transcode {
    struct arena *a; /* for errors only */
    struct mp_reader in;
    const uint8_t *start;
    struct wire_report report;
    struct buf *out;
};

/* Which fields of a message were there already. */
struct seen {
    uint64_t bits[WIRE_FIELDS_MAX / 64];
};

static bool see(struct seen *seen, unsigned i)
{
    uint64_t bit = UINT64_C(1) << (i % 64);
    bool before = seen->bits[i / 64] & bit;

    seen->bits[i / 64] |= bit;
    return before;
}

static const struct err *malformed(struct transcode *c, const char *what)
{
    return err_new(c->a, &ERR_CODE_BAD_MSGPACK, "byte %zu: %s",
                   (size_t)(c->in.p - c->start), what);
}

static const struct err *truncated(struct transcode *c)
{
    return malformed(c, "a value is cut off, impossible or nested too deeply");
}

static const struct err *skip_rest(struct transcode *c, const struct mp_value *v,
                                   unsigned depth)
{
    return wire_mp_skip_rest(&c->in, v, WIRE_DEPTH_MAX - depth) ? NULL : truncated(c);
}

static const struct err *bad_kind(struct transcode *c, const struct wire_path *at,
                                  const struct wire_field *f, const struct mp_value *v,
                                  unsigned depth)
{
    wire_bad_kind(&c->report, at, f);
    return skip_rest(c, v, depth);
}

/* ---- leaves: false when v is of another kind ---- */

static bool put_text(struct buf *b, const struct mp_value *v)
{
    return v->type == MP_STR && wire_json_utf8(b, v->s);
}

static bool put_bytes(struct buf *b, const struct mp_value *v)
{
    if (v->type == MP_BIN)
        wire_json_bytes(b, v->s);
    return v->type == MP_BIN;
}

static bool put_i64(struct buf *b, const struct mp_value *v)
{
    if (v->type == MP_INT)
        wire_json_int(b, v->i);
    return v->type == MP_INT;
}

static bool put_f64(struct buf *b, const struct mp_value *v)
{
    static const struct wire_field f = {.kind = WIRE_KIND_f64};
    double d;

    if (!wire_value_from_mp(&f, v, &d) || !isfinite(d))
        return false;
    wire_json_double(b, d);
    return true;
}

static bool put_flag(struct buf *b, const struct mp_value *v)
{
    if (v->type == MP_BOOL)
        buf_str(b, v->flag ? STR("true") : STR("false"));
    return v->type == MP_BOOL;
}

static bool put_uuid(struct buf *b, const struct mp_value *v)
{
    struct uuid u;

    if (v->type != MP_BIN || v->s.n != sizeof u)
        return false;
    memcpy(&u, v->s.p, sizeof u);
    wire_json_uuid(b, u);
    return true;
}

static bool put_time(struct buf *b, const struct mp_value *v)
{
    if (v->type != MP_INT || v->i < WIRE_TIME_MIN_US || v->i > WIRE_TIME_MAX_US)
        return false;
    wire_json_time(b, v->i);
    return true;
}

/* An enum's label is passed on as it is: a newer service may know one more. */
static bool put_leaf(struct buf *b, enum wire_kind kind, const struct mp_value *v)
{
    static bool (*const writers[])(struct buf *, const struct mp_value *) = {
        [WIRE_KIND_str] = put_text,    [WIRE_KIND_text] = put_text,
        [WIRE_KIND_email] = put_text,  [WIRE_KIND_url] = put_text,
        [WIRE_KIND_secret] = put_text, [WIRE_KIND_currency] = put_text,
        [WIRE_KIND_bytes] = put_bytes, [WIRE_KIND_i64] = put_i64,
        [WIRE_KIND_f64] = put_f64,     [WIRE_KIND_flag] = put_flag,
        [WIRE_KIND_uuid] = put_uuid,   [WIRE_KIND_time] = put_time,
        [WIRE_KIND_enum] = put_text,
    };

    return writers[kind](b, v);
}

/* ---- containers ---- */

static const struct err *put_message(struct transcode *c, const struct wire_path *at,
                                     const struct wire_msg *m, const struct mp_value *v,
                                     unsigned depth);

/* `depth` counts the containers around the element. */
static const struct err *put_element(struct transcode *c, const struct wire_path *at,
                                     const struct wire_field *f, unsigned depth)
{
    struct mp_value v;

    if (!mp_next(&c->in, &v))
        return truncated(c);
    if (f->kind == WIRE_KIND_list)
        return put_message(c, at, f->sub, &v, depth);
    if (put_text(c->out, &v))
        return NULL;
    wire_bad(&c->report, at, "must be a string");
    return skip_rest(c, &v, depth);
}

static const struct err *put_array(struct transcode *c, const struct wire_path *at,
                                   const struct wire_field *f, const struct mp_value *v,
                                   unsigned depth)
{
    const struct err *e = NULL;

    if (v->type != MP_ARRAY)
        return bad_kind(c, at, f, v, depth);
    if (depth == WIRE_DEPTH_MAX)
        return truncated(c);
    buf_byte(c->out, '[');
    for (uint32_t i = 0; i < v->n && !e; i++) {
        const struct wire_path here = {.up = at, .index = i};

        if (i > 0)
            buf_byte(c->out, ',');
        e = put_element(c, &here, f, depth + 1);
    }
    buf_byte(c->out, ']');
    return e;
}

static const struct err *put_value(struct transcode *c, const struct wire_path *at,
                                   const struct wire_field *f, const struct mp_value *v,
                                   unsigned depth)
{
    switch (f->kind) {
    case WIRE_KIND_obj: return put_message(c, at, f->sub, v, depth);
    case WIRE_KIND_list:
    case WIRE_KIND_strs: return put_array(c, at, f, v, depth);
    default: return put_leaf(c->out, f->kind, v) ? NULL : bad_kind(c, at, f, v, depth);
    }
}

static const struct err *put_pairs(struct transcode *c, const struct wire_path *at,
                                   const struct wire_msg *m, uint32_t n, unsigned depth)
{
    struct seen seen = {0};
    const struct err *e = NULL;
    unsigned hint = 0;
    char sep = '{';

    for (uint32_t i = 0; i < n && !e; i++) {
        struct wire_path here = {.up = at};
        const struct wire_field *f;
        struct mp_value key, v;

        if (!mp_next(&c->in, &key) || key.type != MP_STR)
            return malformed(c, "a map needs a name here");
        if (!mp_next(&c->in, &v))
            return truncated(c);
        f = wire_field_next(m, &hint, key.s);
        if (!f) {
            e = skip_rest(c, &v, depth);
            continue;
        }
        if (see(&seen, (unsigned)(f - m->fields)))
            return malformed(c, "a name comes twice in a map");
        here.name = key.s;
        wire_json_key(c->out, sep, f);
        sep = ',';
        e = put_value(c, &here, f, &v, depth);
    }
    if (sep == '{')
        buf_byte(c->out, '{');
    buf_byte(c->out, '}');
    return e;
}

static const struct err *put_message(struct transcode *c, const struct wire_path *at,
                                     const struct wire_msg *m, const struct mp_value *v,
                                     unsigned depth)
{
    if (v->type != MP_MAP) {
        wire_bad(&c->report, at, "must be an object");
        return skip_rest(c, v, depth);
    }
    return depth < WIRE_DEPTH_MAX ? put_pairs(c, at, m, v->n, depth + 1) : truncated(c);
}

static const struct err *transcode_all(struct transcode *c, const struct wire_msg *m)
{
    struct mp_value v;
    const struct err *e;

    if (!mp_next(&c->in, &v))
        return truncated(c);
    e = put_message(c, NULL, m, &v, 0);
    if (e)
        return e;
    if (c->in.p != c->in.end)
        return malformed(c, "there is more after the value");
    return wire_report_end(&c->report);
}

const struct err *wire_msgpack_to_json(struct arena *a, const struct wire_msg *m,
                                       struct str bytes, struct buf *b)
{
    const uint8_t *start = (const uint8_t *)bytes.p;
    struct transcode c = {.a = a,
                          .in = {start, start + bytes.n},
                          .start = start,
                          .report = wire_report_of_body(a),
                          .out = b};
    size_t before = b->n;
    const struct err *e = transcode_all(&c, m);

    if (e)
        b->n = before;
    return e;
}
