// SPDX-License-Identifier: Apache-2.0
/*
 * Single values from the forms they travel in: text (JSON strings and parameters) and
 * msgpack. They decide the kind only; bounds are wire_check_leaf's.
 */
#include "kit/wire/internal.h"

#include "kit/base/clock.h"

/* ---- from text ---- */

static bool enum_from_text(const struct wire_field *f, struct str text, void *value)
{
    int found = wire_enum_value(f->en, text);

    if (found >= 0)
        memcpy(value, &found, sizeof found);
    return found >= 0;
}

static bool bytes_from_text(struct arena *a, struct str text, struct str *value)
{
    *value = base64url_decode(a, text);
    return value->p != NULL;
}

bool wire_value_from_text(struct arena *a, const struct wire_field *f, struct str text,
                          void *value)
{
    switch (f->kind) {
    case WIRE_KIND_bytes: return bytes_from_text(a, text, value);
    case WIRE_KIND_uuid: return uuid_parse(text, value);
    case WIRE_KIND_time: return clock_parse_rfc3339(text, value);
    case WIRE_KIND_enum: return enum_from_text(f, text, value);
    default: *(struct str *)value = text; return true;
    }
}

/* ---- from msgpack ---- */

static bool mp_text(const struct wire_field *f, const struct mp_value *v, void *value)
{
    (void)f;
    if (v->type != MP_STR)
        return false;
    *(struct str *)value = v->s;
    return true;
}

static bool mp_bytes(const struct wire_field *f, const struct mp_value *v, void *value)
{
    (void)f;
    if (v->type != MP_BIN)
        return false;
    *(struct str *)value = v->s;
    return true;
}

static bool mp_i64(const struct wire_field *f, const struct mp_value *v, void *value)
{
    (void)f;
    if (v->type != MP_INT)
        return false;
    *(int64_t *)value = v->i;
    return true;
}

static bool mp_f64(const struct wire_field *f, const struct mp_value *v, void *value)
{
    double *out = value;

    (void)f;
    if (v->type == MP_INT)
        *out = (double)v->i;
    else if (v->type == MP_UINT)
        *out = (double)v->u;
    else if (v->type == MP_FLOAT)
        *out = v->f;
    else
        return false;
    return true;
}

static bool mp_flag(const struct wire_field *f, const struct mp_value *v, void *value)
{
    (void)f;
    if (v->type != MP_BOOL)
        return false;
    *(bool *)value = v->flag;
    return true;
}

static bool mp_uuid(const struct wire_field *f, const struct mp_value *v, void *value)
{
    (void)f;
    if (v->type != MP_BIN || v->s.n != sizeof(struct uuid))
        return false;
    memcpy(value, v->s.p, sizeof(struct uuid));
    return true;
}

static bool mp_enum(const struct wire_field *f, const struct mp_value *v, void *value)
{
    return v->type == MP_STR && enum_from_text(f, v->s, value);
}

bool wire_value_from_mp(const struct wire_field *f, const struct mp_value *v, void *value)
{
    static bool (*const readers[])(const struct wire_field *, const struct mp_value *,
                                   void *) = {
        [WIRE_KIND_str] = mp_text,    [WIRE_KIND_text] = mp_text,
        [WIRE_KIND_email] = mp_text,  [WIRE_KIND_url] = mp_text,
        [WIRE_KIND_secret] = mp_text, [WIRE_KIND_currency] = mp_text,
        [WIRE_KIND_bytes] = mp_bytes, [WIRE_KIND_i64] = mp_i64,
        [WIRE_KIND_f64] = mp_f64,     [WIRE_KIND_flag] = mp_flag,
        [WIRE_KIND_uuid] = mp_uuid,   [WIRE_KIND_time] = mp_i64,
        [WIRE_KIND_enum] = mp_enum,
    };

    return readers[f->kind](f, v, value);
}
