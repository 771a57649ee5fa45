// SPDX-License-Identifier: Apache-2.0
/*
 * Msgpack to structs.
 */
#include "kit/wire/internal.h"

struct mp_decode {
    struct arena *a;
    struct mp_reader in;
    const uint8_t *start;
    struct wire_report report;
};

static const struct err *malformed(struct mp_decode *c, const char *what)
{
    return err_new(c->a, &ERR_CODE_BAD_MSGPACK, "byte %zu: %s",
                   (size_t)(c->in.p - c->start), what);
}

static const struct err *truncated(struct mp_decode *c)
{
    return malformed(c, "a value is cut off, impossible or nested too deeply");
}

/* Past the rest of a value that cannot be used. `depth` is of what holds it. */
static const struct err *skip_rest(struct mp_decode *c, const struct mp_value *v,
                                   unsigned depth)
{
    return wire_mp_skip_rest(&c->in, v, WIRE_DEPTH_MAX - depth) ? NULL : truncated(c);
}

static const struct err *bad_kind(struct mp_decode *c, const struct wire_path *at,
                                  const struct wire_field *f, const struct mp_value *v,
                                  unsigned depth)
{
    wire_bad_kind(&c->report, at, f);
    return skip_rest(c, v, depth);
}

static const struct err *read_leaf(struct mp_decode *c, const struct wire_path *at,
                                   const struct wire_field *f, const struct mp_value *v,
                                   unsigned depth, void *out)
{
    if (!wire_value_from_mp(f, v, out))
        return bad_kind(c, at, f, v, depth);
    wire_check_leaf(&c->report, at, f, out);
    return NULL;
}

/* True: v is an array whose elements are to be read. Else *e says how to go on. */
static bool opens_array(struct mp_decode *c, const struct wire_path *at,
                        const struct wire_field *f, const struct mp_value *v,
                        unsigned depth, const struct err **e)
{
    *e = NULL;
    if (v->type != MP_ARRAY)
        *e = bad_kind(c, at, f, v, depth);
    else if (depth == WIRE_DEPTH_MAX)
        *e = truncated(c);
    else if (!wire_check_count(&c->report, at, f, v->n))
        *e = skip_rest(c, v, depth);
    else
        return true;
    return false;
}

static const struct err *read_strs_item(struct mp_decode *c, const struct wire_path *at,
                                        unsigned depth, struct str *out)
{
    struct mp_value v;

    if (!mp_next(&c->in, &v))
        return truncated(c);
    if (v.type != MP_STR) {
        wire_bad(&c->report, at, "must be a string");
        return skip_rest(c, &v, depth);
    }
    *out = v.s;
    wire_check_strs_item(&c->report, at, v.s);
    return NULL;
}

static const struct err *read_strs(struct mp_decode *c, const struct wire_path *at,
                                   const struct wire_field *f, const struct mp_value *v,
                                   unsigned depth, struct str_list *out)
{
    const struct err *e;

    if (!opens_array(c, at, f, v, depth, &e))
        return e;
    out->n = v->n;
    out->v = ARENA_ARRAY(c->a, struct str, out->n);
    for (uint32_t i = 0; i < v->n && !e; i++) {
        const struct wire_path here = {.up = at, .index = i};

        e = read_strs_item(c, &here, depth + 1, out->v + i);
    }
    return e;
}

/* ---- messages ---- */

static const struct err *read_message(struct mp_decode *c, const struct wire_path *at,
                                      const struct wire_msg *m, const struct mp_value *v,
                                      unsigned depth, void *out);

static const struct err *read_obj(struct mp_decode *c, const struct wire_path *at,
                                  const struct wire_field *f, const struct mp_value *v,
                                  unsigned depth, void *out)
{
    void *msg = arena_alloc(c->a, f->sub->size);

    memcpy(out, &msg, sizeof msg);
    return read_message(c, at, f->sub, v, depth, msg);
}

static const struct err *read_list(struct mp_decode *c, const struct wire_path *at,
                                   const struct wire_field *f, const struct mp_value *v,
                                   unsigned depth, void *out)
{
    struct wire_list list;
    const struct err *e;

    if (!opens_array(c, at, f, v, depth, &e))
        return e;
    list.n = v->n;
    list.v = arena_alloc(c->a, list.n * f->sub->size);
    memcpy(out, &list, sizeof list);
    for (uint32_t i = 0; i < v->n && !e; i++) {
        const struct wire_path here = {.up = at, .index = i};
        struct mp_value item;

        if (!mp_next(&c->in, &item))
            return truncated(c);
        e = read_message(c, &here, f->sub, &item, depth + 1, wire_list_item(list, f, i));
    }
    return e;
}

static const struct err *read_field(struct mp_decode *c, const struct wire_path *at,
                                    const struct wire_field *f, const struct mp_value *v,
                                    unsigned depth, void *out)
{
    switch (f->kind) {
    case WIRE_KIND_obj: return read_obj(c, at, f, v, depth, out);
    case WIRE_KIND_list: return read_list(c, at, f, v, depth, out);
    case WIRE_KIND_strs: return read_strs(c, at, f, v, depth, out);
    default: return read_leaf(c, at, f, v, depth, out);
    }
}

static const struct err *read_pair(struct mp_decode *c, const struct wire_path *at,
                                   const struct wire_field *f, unsigned depth, void *out)
{
    struct mp_value v;
    bool *has;

    if (!mp_next(&c->in, &v))
        return truncated(c);
    if (!f) /* a newer peer's */
        return skip_rest(c, &v, depth);
    has = wire_has_flag(out, f);
    if (*has)
        return malformed(c, "a name comes twice in a map");
    *has = true;
    return read_field(c, at, f, &v, depth, wire_value(out, f));
}

/* `depth` counts the containers around v. */
static const struct err *read_message(struct mp_decode *c, const struct wire_path *at,
                                      const struct wire_msg *m, const struct mp_value *v,
                                      unsigned depth, void *out)
{
    const struct err *e = NULL;
    unsigned hint = 0;

    if (v->type != MP_MAP) {
        wire_bad(&c->report, at, "must be an object");
        return skip_rest(c, v, depth);
    }
    if (depth == WIRE_DEPTH_MAX)
        return truncated(c);
    for (uint32_t i = 0; i < v->n && !e; i++) {
        struct wire_path here = {.up = at};
        struct mp_value key;

        if (!mp_next(&c->in, &key) || key.type != MP_STR)
            return malformed(c, "a map needs a name here");
        here.name = key.s;
        e = read_pair(c, &here, wire_field_next(m, &hint, key.s), depth + 1, out);
    }
    if (!e)
        wire_check_missing(&c->report, at, m, out);
    return e;
}

const struct err *wire_from_msgpack(struct arena *a, const struct wire_msg *m,
                                    struct str bytes, void *out)
{
    const uint8_t *start = (const uint8_t *)bytes.p;
    struct mp_decode c = {.a = a,
                          .in = {start, start + bytes.n},
                          .start = start,
                          .report = wire_report_of_body(a)};
    struct mp_value v;
    const struct err *e;

    if (!mp_next(&c.in, &v))
        return truncated(&c);
    e = read_message(&c, NULL, m, &v, 0, out);
    if (!e && c.in.p != c.in.end)
        e = malformed(&c, "there is more after the value");
    return e ? e : wire_report_end(&c.report);
}
