// SPDX-License-Identifier: Apache-2.0
/*
 * Parameters in PostgreSQL's binary format where the type has one here, as text
 * elsewhere. Binary integers are big-endian; an array is a header (dimensions, has-null
 * flag, element type, length, lower bound) and then length and bytes of each element
 * (array_recv).
 */
#include "kit/pg/params.h"

#include "kit/base/clock.h"
#include "kit/pg/oids.h"

#include <endian.h>
#include <limits.h>

enum { ARRAY_HEADER = 20, VALUE_MAX = INT_MAX / 2 };

static void put32(char *p, uint32_t v)
{
    v = htobe32(v);
    memcpy(p, &v, sizeof v);
}

static void put64(char *p, int64_t v)
{
    uint64_t big = htobe64((uint64_t)v);

    memcpy(p, &big, sizeof big);
}

static bool is_text(unsigned oid)
{
    return oid == PG_TEXT || oid == PG_VARCHAR || oid == PG_BPCHAR || oid == PG_NAME ||
           oid == PG_JSON || oid == PG_BYTEA;
}

static bool is_array(unsigned oid)
{
    return oid == PG_UUID_ARRAY || oid == PG_TEXT_ARRAY || oid == PG_VARCHAR_ARRAY ||
           oid == PG_INT8_ARRAY || oid == PG_INT4_ARRAY;
}

static bool binary(struct pg_value *out, const char *p, size_t n)
{
    if (n > VALUE_MAX)
        return false;
    out->p = p;
    out->n = (int)n;
    out->binary = true;
    return true;
}

/* For types without a binary form here: the server's input function reads it. */
static bool as_text(struct arena *a, struct str s, unsigned oid, struct pg_value *out)
{
    if (is_array(oid) || oid == PG_BYTEA)
        return false;
    if (is_text(oid) || memchr(s.p, 0, s.n)) /* a NUL is the server's to refuse */
        return binary(out, s.p, s.n);
    out->p = arena_str(a, s).p;
    out->n = 0;
    out->binary = false;
    return true;
}

static bool encode_uuid(struct arena *a, const struct pg_param *p, unsigned oid,
                        struct pg_value *out)
{
    if (oid != PG_UUID)
        return as_text(a, uuid_str(a, p->uuid), oid, out);
    memcpy(out->room, p->uuid.b, sizeof p->uuid.b);
    return binary(out, out->room, sizeof p->uuid.b);
}

static bool encode_str(struct arena *a, const struct pg_param *p, unsigned oid,
                       struct pg_value *out)
{
    return as_text(a, p->s, oid, out);
}

static bool encode_bytes(struct arena *a, const struct pg_param *p, unsigned oid,
                         struct pg_value *out)
{
    (void)a;
    return oid == PG_BYTEA && binary(out, p->s.p, p->s.n);
}

/* Width in bytes of an integer type, 0 for other types. */
static size_t int_width(unsigned oid)
{
    switch (oid) {
    case PG_INT2: return 2;
    case PG_INT4: return 4;
    case PG_INT8: return 8;
    default: return 0;
    }
}

static bool fits(int64_t v, size_t width)
{
    int64_t limit = width == 2 ? INT16_MAX : width == 4 ? INT32_MAX : INT64_MAX;

    return v <= limit && v >= -limit - 1;
}

static bool encode_int(struct arena *a, const struct pg_param *p, unsigned oid,
                       struct pg_value *out)
{
    size_t width = int_width(oid);

    if (width == 0)
        return as_text(a, arena_printf(a, "%lld", (long long)p->i), oid, out);
    put64(out->room, p->i);
    return fits(p->i, width) && binary(out, out->room + 8 - width, width);
}

static bool encode_flag(struct arena *a, const struct pg_param *p, unsigned oid,
                        struct pg_value *out)
{
    if (oid != PG_BOOL)
        return as_text(a, p->i ? STR("true") : STR("false"), oid, out);
    out->room[0] = p->i != 0;
    return binary(out, out->room, 1);
}

static bool encode_time(struct arena *a, const struct pg_param *p, unsigned oid,
                        struct pg_value *out)
{
    char text[CLOCK_RFC3339_LEN];

    if (oid != PG_TIMESTAMPTZ && oid != PG_TIMESTAMP) {
        clock_format_rfc3339(p->i, text);
        return as_text(a, (struct str){text, sizeof text}, oid, out);
    }
    if (p->i < INT64_MIN + PG_EPOCH_US)
        return false;
    put64(out->room, p->i - PG_EPOCH_US);
    return binary(out, out->room, 8);
}

/* ---- arrays ---- */

struct element {
    const char *p; /* NULL: SQL NULL */
    size_t n;
    char room[8];
};

static void element_of(const struct pg_param *p, size_t i, size_t width,
                       struct element *e)
{
    if (p->kind == PG_PARAM_UUIDS) {
        e->p = (const char *)((const struct uuid *)p->array.v)[i].b;
        e->n = sizeof(struct uuid);
    } else if (p->kind == PG_PARAM_STRS) {
        struct str s = ((const struct str *)p->array.v)[i];

        e->p = s.p;
        e->n = s.n;
    } else {
        put64(e->room, ((const int64_t *)p->array.v)[i]);
        e->p = e->room + 8 - width;
        e->n = width;
    }
}

static unsigned element_oid(enum pg_param_kind kind, unsigned array_oid)
{
    static const struct {
        unsigned array, element;
        enum pg_param_kind kind;
    } rows[] = {
        {PG_UUID_ARRAY, PG_UUID, PG_PARAM_UUIDS},
        {PG_TEXT_ARRAY, PG_TEXT, PG_PARAM_STRS},
        {PG_VARCHAR_ARRAY, PG_VARCHAR, PG_PARAM_STRS},
        {PG_INT8_ARRAY, PG_INT8, PG_PARAM_INTS},
        {PG_INT4_ARRAY, PG_INT4, PG_PARAM_INTS},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].array == array_oid && rows[i].kind == kind)
            return rows[i].element;
    return 0;
}

/* 0 when it would be too long or an integer is out of range. */
static size_t array_size(const struct pg_param *p, size_t width)
{
    size_t size = ARRAY_HEADER;
    struct element e;

    for (size_t i = 0; i < p->array.n; i++) {
        element_of(p, i, width, &e);
        if (p->kind == PG_PARAM_INTS && !fits(((const int64_t *)p->array.v)[i], width))
            return 0;
        if (e.n > VALUE_MAX || size > VALUE_MAX)
            return 0;
        size += 4 + (e.p ? e.n : 0);
    }
    return size > VALUE_MAX ? 0 : size;
}

static bool has_null(const struct pg_param *p)
{
    const struct str *v = p->array.v;

    for (size_t i = 0; p->kind == PG_PARAM_STRS && i < p->array.n; i++)
        if (!v[i].p)
            return true;
    return false;
}

static void put_array(char *to, const struct pg_param *p, unsigned oid)
{
    struct element e;

    put32(to, 1);
    put32(to + 4, has_null(p));
    put32(to + 8, oid);
    put32(to + 12, (uint32_t)p->array.n);
    put32(to + 16, 1);
    to += ARRAY_HEADER;
    for (size_t i = 0; i < p->array.n; i++) {
        element_of(p, i, int_width(oid), &e);
        put32(to, e.p ? (uint32_t)e.n : UINT32_MAX);
        to += 4;
        if (e.p && e.n)
            memcpy(to, e.p, e.n);
        to += e.p ? e.n : 0;
    }
}

static bool encode_array(struct arena *a, const struct pg_param *p, unsigned oid,
                         struct pg_value *out)
{
    unsigned element = element_oid(p->kind, oid);
    size_t size;
    char *to;

    if (element == 0)
        return false;
    if (p->array.n == 0) { /* an empty array has no dimension */
        to = arena_alloc(a, 12);
        put32(to + 8, element);
        return binary(out, to, 12);
    }
    size = array_size(p, int_width(element));
    if (size == 0)
        return false;
    to = arena_alloc(a, size);
    put_array(to, p, element);
    return binary(out, to, size);
}

static bool encode_null(struct arena *a, const struct pg_param *p, unsigned oid,
                        struct pg_value *out)
{
    (void)a;
    (void)p;
    (void)oid;
    out->p = NULL;
    out->n = 0;
    out->binary = true;
    return true;
}

bool pg_encode(struct arena *a, const struct pg_param *p, unsigned oid,
               struct pg_value *out)
{
    static bool (*const by_kind[])(struct arena *, const struct pg_param *, unsigned,
                                   struct pg_value *) = {
        [PG_PARAM_NULL] = encode_null,  [PG_PARAM_UUID] = encode_uuid,
        [PG_PARAM_STR] = encode_str,    [PG_PARAM_BYTES] = encode_bytes,
        [PG_PARAM_INT] = encode_int,    [PG_PARAM_FLAG] = encode_flag,
        [PG_PARAM_TIME] = encode_time,  [PG_PARAM_UUIDS] = encode_array,
        [PG_PARAM_INTS] = encode_array, [PG_PARAM_STRS] = encode_array,
    };

    return by_kind[p->kind](a, p, oid, out);
}
