// SPDX-License-Identifier: Apache-2.0
/*
 * A cursor over msgpack bytes. It allocates nothing, believes no length or count that the
 * remaining bytes cannot hold, and does not recurse.
 */
#include "kit/wire/internal.h"

/* Big-endian, width 1, 2, 4 or 8; false when the bytes are not there. */
static bool take_uint(struct mp_reader *r, unsigned width, uint64_t *out)
{
    uint64_t v = 0;

    if ((size_t)(r->end - r->p) < width)
        return false;
    for (unsigned i = 0; i < width; i++)
        v = v << 8 | *r->p++;
    *out = v;
    return true;
}

static bool take_bytes(struct mp_reader *r, enum mp_type type, uint64_t n,
                       struct mp_value *v)
{
    if ((size_t)(r->end - r->p) < n)
        return false;
    v->type = type;
    v->s = (struct str){(const char *)r->p, (size_t)n};
    r->p += n;
    return true;
}

/* Each element takes at least one byte. */
static bool take_count(struct mp_reader *r, enum mp_type type, uint64_t n,
                       struct mp_value *v)
{
    size_t left = (size_t)(r->end - r->p);

    if (n > (type == MP_MAP ? left / 2 : left))
        return false;
    v->type = type;
    v->n = (uint32_t)n;
    return true;
}

static bool take_ext(struct mp_reader *r, uint64_t n, struct mp_value *v)
{
    uint64_t application_type;

    return take_uint(r, 1, &application_type) && take_bytes(r, MP_EXT, n, v);
}

static bool take_unsigned(struct mp_reader *r, unsigned width, struct mp_value *v)
{
    v->type = MP_INT;
    if (!take_uint(r, width, &v->u))
        return false;
    if (v->u > INT64_MAX)
        v->type = MP_UINT;
    else
        v->i = (int64_t)v->u;
    return true;
}

static bool take_signed(struct mp_reader *r, unsigned width, struct mp_value *v)
{
    unsigned shift = 64 - 8 * width;
    uint64_t bits;

    if (!take_uint(r, width, &bits))
        return false;
    v->type = MP_INT;
    v->i = (int64_t)(bits << shift) >> shift;
    return true;
}

static bool take_float(struct mp_reader *r, unsigned width, struct mp_value *v)
{
    uint64_t bits;

    if (!take_uint(r, width, &bits))
        return false;
    v->type = MP_FLOAT;
    if (width == 8) {
        memcpy(&v->f, &bits, 8);
    } else {
        uint32_t bits32 = (uint32_t)bits;
        float f;

        memcpy(&f, &bits32, 4);
        v->f = (double)f;
    }
    return true;
}

/* The heads c0 to df, whose length or value follows in bytes of its own. */
static bool take_long_form(struct mp_reader *r, uint8_t head, struct mp_value *v)
{
    uint64_t n;

    switch (head) {
    case 0xc0: v->type = MP_NIL; return true;
    case 0xc2:
    case 0xc3:
        v->type = MP_BOOL;
        v->flag = head & 1;
        return true;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return take_uint(r, 1u << (head - 0xc4), &n) && take_bytes(r, MP_BIN, n, v);
    case 0xc7:
    case 0xc8:
    case 0xc9: return take_uint(r, 1u << (head - 0xc7), &n) && take_ext(r, n, v);
    case 0xca:
    case 0xcb: return take_float(r, 4u << (head - 0xca), v);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf: return take_unsigned(r, 1u << (head - 0xcc), v);
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: return take_signed(r, 1u << (head - 0xd0), v);
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8: return take_ext(r, UINT64_C(1) << (head - 0xd4), v);
    case 0xd9:
    case 0xda:
    case 0xdb:
        return take_uint(r, 1u << (head - 0xd9), &n) && take_bytes(r, MP_STR, n, v);
    case 0xdc:
    case 0xdd:
        return take_uint(r, 2u << (head - 0xdc), &n) && take_count(r, MP_ARRAY, n, v);
    case 0xde:
    case 0xdf:
        return take_uint(r, 2u << (head - 0xde), &n) && take_count(r, MP_MAP, n, v);
    default: return false; /* c1 is never used */
    }
}

bool mp_next(struct mp_reader *r, struct mp_value *v)
{
    uint8_t head;

    if (r->p >= r->end)
        return false;
    head = *r->p++;
    if (head >= 0xc0 && head < 0xe0)
        return take_long_form(r, head, v);
    if (head >= 0xa0 && head < 0xc0)
        return take_bytes(r, MP_STR, head & 0x1f, v);
    if (head >= 0x90 && head < 0xa0)
        return take_count(r, MP_ARRAY, head & 0x0f, v);
    if (head >= 0x80 && head < 0x90)
        return take_count(r, MP_MAP, head & 0x0f, v);
    v->type = MP_INT;
    v->i = head < 0x80 ? head : head - 0x100;
    return true;
}

/* ---- skipping ---- */

static uint64_t content_of(const struct mp_value *v)
{
    if (v->type == MP_ARRAY)
        return v->n;
    return v->type == MP_MAP ? 2 * (uint64_t)v->n : 0;
}

static bool is_container(const struct mp_value *v)
{
    return v->type == MP_ARRAY || v->type == MP_MAP;
}

static bool skip_container(struct mp_reader *r, const struct mp_value *v, unsigned depth)
{
    uint64_t left[WIRE_DEPTH_MAX + 1]; /* values still to come, per open container */
    unsigned open = 0;
    struct mp_value inner = *v;

    for (;;) {
        if (is_container(&inner)) {
            if (open >= depth || open >= WIRE_DEPTH_MAX)
                return false;
            left[open++] = content_of(&inner);
        }
        while (open > 0 && left[open - 1] == 0)
            open--;
        if (open == 0)
            return true;
        left[open - 1]--;
        if (!mp_next(r, &inner))
            return false;
    }
}

bool wire_mp_skip_rest(struct mp_reader *r, const struct mp_value *v, unsigned depth)
{
    return !is_container(v) || skip_container(r, v, depth);
}

bool mp_skip(struct mp_reader *r)
{
    struct mp_value v;

    return mp_next(r, &v) && wire_mp_skip_rest(r, &v, WIRE_DEPTH_MAX);
}
