// SPDX-License-Identifier: Apache-2.0
/*
 * Structs to JSON.
 */
#include "kit/wire/internal.h"

static void put_list(struct buf *b, const struct wire_field *f, struct wire_list list)
{
    buf_byte(b, '[');
    for (size_t i = 0; i < list.n; i++) {
        if (i > 0)
            buf_byte(b, ',');
        wire_to_json(b, f->sub, wire_list_item(list, f, i));
    }
    buf_byte(b, ']');
}

static void put_strs(struct buf *b, const struct str_list *list)
{
    buf_byte(b, '[');
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            buf_byte(b, ',');
        wire_json_string(b, list->v[i]);
    }
    buf_byte(b, ']');
}

static void put_flag(struct buf *b, bool v)
{
    buf_str(b, v ? STR("true") : STR("false"));
}

static void put_value(struct buf *b, const struct wire_field *f, const void *value)
{
    switch (f->kind) {
    case WIRE_KIND_str:
    case WIRE_KIND_text:
    case WIRE_KIND_email:
    case WIRE_KIND_url:
    case WIRE_KIND_secret:
    case WIRE_KIND_currency: wire_json_string(b, *(const struct str *)value); break;
    case WIRE_KIND_bytes: wire_json_bytes(b, *(const struct str *)value); break;
    case WIRE_KIND_i64: wire_json_int(b, *(const int64_t *)value); break;
    case WIRE_KIND_f64: wire_json_double(b, *(const double *)value); break;
    case WIRE_KIND_flag: put_flag(b, *(const bool *)value); break;
    case WIRE_KIND_uuid: wire_json_uuid(b, *(const struct uuid *)value); break;
    case WIRE_KIND_time: wire_json_time(b, *(const int64_t *)value); break;
    case WIRE_KIND_enum:
        wire_json_string(b, str_of(wire_enum_label(f->en, wire_enum_get(value))));
        break;
    case WIRE_KIND_obj: wire_to_json(b, f->sub, wire_obj_get(value)); break;
    case WIRE_KIND_list: put_list(b, f, wire_list_get(value)); break;
    case WIRE_KIND_strs: put_strs(b, value); break;
    }
}

void wire_to_json(struct buf *b, const struct wire_msg *m, const void *in)
{
    char sep = '{';

    for (unsigned i = 0; i < m->count; i++) {
        const struct wire_field *f = m->fields + i;

        if (!wire_has(in, f))
            continue;
        wire_json_key(b, sep, f);
        put_value(b, f, wire_value_const(in, f));
        sep = ',';
    }
    if (sep == '{')
        buf_byte(b, '{');
    buf_byte(b, '}');
}
