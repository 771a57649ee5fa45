// SPDX-License-Identifier: Apache-2.0
/*
 * Structs and single values to msgpack, by msgpack-c's packer on a capped buffer.
 */
#include "kit/wire/internal.h"

#include <msgpack/pack.h>

static int write_to_buf(void *data, const char *p, size_t n)
{
    buf_put(data, p, n);
    return 0; /* b->failed tells about the cap, once, at the end */
}

static msgpack_packer packer_of(struct buf *b)
{
    return (msgpack_packer){.data = b, .callback = write_to_buf};
}

void mp_put_nil(struct buf *b)
{
    msgpack_packer pk = packer_of(b);

    msgpack_pack_nil(&pk);
}

void mp_put_bool(struct buf *b, bool v)
{
    msgpack_packer pk = packer_of(b);

    if (v)
        msgpack_pack_true(&pk);
    else
        msgpack_pack_false(&pk);
}

void mp_put_int(struct buf *b, int64_t v)
{
    msgpack_packer pk = packer_of(b);

    msgpack_pack_int64(&pk, v);
}

void mp_put_double(struct buf *b, double v)
{
    msgpack_packer pk = packer_of(b);

    msgpack_pack_double(&pk, v);
}

enum { FIXSTR = 0xa0, FIXSTR_MAX = 31 };

/* Names of fields above all, and most values: one byte says kind and length. */
static void put_short_str(struct buf *b, struct str s)
{
    char *p = buf_grow(b, 1 + s.n);

    if (!p)
        return;
    *p = (char)(FIXSTR | s.n);
    if (s.n)
        memcpy(p + 1, s.p, s.n);
}

void mp_put_str(struct buf *b, struct str s)
{
    msgpack_packer pk = packer_of(b);

    if (s.n <= FIXSTR_MAX) {
        put_short_str(b, s);
        return;
    }
    msgpack_pack_str(&pk, s.n);
    msgpack_pack_str_body(&pk, s.p, s.n);
}

void mp_put_bin(struct buf *b, struct str s)
{
    msgpack_packer pk = packer_of(b);

    msgpack_pack_bin(&pk, s.n);
    msgpack_pack_bin_body(&pk, s.p, s.n);
}

void mp_put_array(struct buf *b, uint32_t n)
{
    msgpack_packer pk = packer_of(b);

    msgpack_pack_array(&pk, n);
}

void mp_put_map(struct buf *b, uint32_t n)
{
    msgpack_packer pk = packer_of(b);

    msgpack_pack_map(&pk, n);
}

/* ---- messages ---- */

static void put_list(struct buf *b, const struct wire_field *f, struct wire_list list)
{
    mp_put_array(b, (uint32_t)list.n);
    for (size_t i = 0; i < list.n; i++)
        wire_to_msgpack(b, f->sub, wire_list_item(list, f, i));
}

static void put_strs(struct buf *b, const struct str_list *list)
{
    mp_put_array(b, (uint32_t)list->n);
    for (size_t i = 0; i < list->n; i++)
        mp_put_str(b, list->v[i]);
}

static void put_value(struct buf *b, const struct wire_field *f, const void *value)
{
    switch (f->kind) {
    case WIRE_KIND_str:
    case WIRE_KIND_text:
    case WIRE_KIND_email:
    case WIRE_KIND_url:
    case WIRE_KIND_secret:
    case WIRE_KIND_currency: mp_put_str(b, *(const struct str *)value); break;
    case WIRE_KIND_bytes: mp_put_bin(b, *(const struct str *)value); break;
    case WIRE_KIND_i64:
    case WIRE_KIND_time: mp_put_int(b, *(const int64_t *)value); break;
    case WIRE_KIND_f64: mp_put_double(b, *(const double *)value); break;
    case WIRE_KIND_flag: mp_put_bool(b, *(const bool *)value); break;
    case WIRE_KIND_uuid: mp_put_bin(b, (struct str){value, sizeof(struct uuid)}); break;
    case WIRE_KIND_enum:
        mp_put_str(b, str_of(wire_enum_label(f->en, wire_enum_get(value))));
        break;
    case WIRE_KIND_obj: wire_to_msgpack(b, f->sub, wire_obj_get(value)); break;
    case WIRE_KIND_list: put_list(b, f, wire_list_get(value)); break;
    case WIRE_KIND_strs: put_strs(b, value); break;
    }
}

static uint32_t count_set(const struct wire_msg *m, const void *in)
{
    uint32_t n = 0;

    for (unsigned i = 0; i < m->count; i++)
        n += wire_has(in, m->fields + i);
    return n;
}

void wire_to_msgpack(struct buf *b, const struct wire_msg *m, const void *in)
{
    mp_put_map(b, count_set(m, in));
    for (unsigned i = 0; i < m->count; i++) {
        const struct wire_field *f = m->fields + i;

        if (!wire_has(in, f))
            continue;
        mp_put_str(b, (struct str){f->name, f->name_len});
        put_value(b, f, wire_value_const(in, f));
    }
}
