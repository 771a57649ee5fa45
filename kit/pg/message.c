// SPDX-License-Identifier: Apache-2.0
/*
 * Rows into messages. Matching names costs more than reading a row, so the mapping from
 * columns to fields is kept with the statement, for the few messages it is read into.
 */
#include "kit/pg/rows.h"

#include "kit/base/mem.h"
#include "kit/pg/oids.h"

#include <endian.h>
#include <stdlib.h>

enum { MAPS = 4, NO_FIELD = -1 };

struct map {
    const struct wire_msg *msg;
    uint64_t layout;
    int n;
    int16_t *fields; /* by column: index in msg->fields or NO_FIELD */
};

struct pg_maps {
    struct map v[MAPS];
    unsigned next; /* the one to be replaced */
};

struct pg_maps *pg_maps_create(void)
{
    return MEM_NEW(struct pg_maps);
}

void pg_maps_destroy(struct pg_maps *m)
{
    if (!m)
        return;
    for (int i = 0; i < MAPS; i++)
        free(m->v[i].fields);
    free(m);
}

/* FNV-1a: shape only, nobody aims at it. */
static uint64_t fnv(uint64_t h, const void *p, size_t n)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * UINT64_C(0x100000001b3);
    return h;
}

uint64_t pg_layout(const PGresult *res)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (int i = 0; i < PQnfields(res); i++) {
        Oid type = PQftype(res, i);
        const char *name = PQfname(res, i);

        h = fnv(h, name, strlen(name) + 1);
        h = fnv(h, &type, sizeof type);
    }
    return h;
}

static int16_t field_index(const struct wire_msg *m, const char *column)
{
    const struct wire_field *f = wire_field_find(m, str_of(column));

    return f ? (int16_t)(f - m->fields) : NO_FIELD;
}

static const struct map *map_make(struct pg_maps *maps, const struct pg_rows *r,
                                  const struct wire_msg *m)
{
    struct map *map = &maps->v[maps->next];
    int n = PQnfields(r->result);

    maps->next = (maps->next + 1) % MAPS;
    map->msg = m;
    map->layout = r->layout;
    map->n = n;
    map->fields = mem_realloc(map->fields, sizeof *map->fields * (size_t)(n ? n : 1));
    for (int i = 0; i < n; i++)
        map->fields[i] = field_index(m, PQfname(r->result, i));
    return map;
}

static const struct map *map_of(const struct pg_rows *r, const struct wire_msg *m)
{
    for (int i = 0; i < MAPS; i++) {
        const struct map *map = &r->maps->v[i];

        if (map->msg == m && map->layout == r->layout)
            return map;
    }
    return map_make(r->maps, r, m);
}

/* ---- converting ---- */

typedef bool (*filler)(struct arena *a, const struct pg_cell *c,
                       const struct wire_field *f, void *to);

static bool fill_str(struct arena *a, const struct pg_cell *c, const struct wire_field *f,
                     void *to)
{
    struct str v = pg_cell_str(c);

    (void)f;
    *(struct str *)to = arena_str(a, v);
    return v.p;
}

#define FILLER(type, name)                                            \
    static bool fill_##name(struct arena *a, const struct pg_cell *c, \
                            const struct wire_field *f, void *to)     \
    {                                                                 \
        (void)a;                                                      \
        (void)f;                                                      \
        *(type *)to = pg_cell_##name(c);                              \
        return true;                                                  \
    }
FILLER(int64_t, i64)
FILLER(double, f64)
FILLER(bool, flag)
FILLER(struct uuid, uuid)
FILLER(int64_t, time)

/* A label that this release does not know leaves the field absent. */
static bool fill_enum(struct arena *a, const struct pg_cell *c,
                      const struct wire_field *f, void *to)
{
    int v = wire_enum_value(f->en, pg_cell_str(c));

    (void)a;
    if (v < 0)
        return false;
    *(unsigned *)to = (unsigned)v;
    return true;
}

static bool fill_nothing(struct arena *a, const struct pg_cell *c,
                         const struct wire_field *f, void *to)
{
    (void)a;
    (void)c;
    (void)f;
    (void)to;
    return false;
}

static bool fill_list(struct arena *a, const struct pg_cell *c,
                      const struct wire_field *f, void *to);

static const filler fillers[] = {
    [WIRE_KIND_str] = fill_str,    [WIRE_KIND_text] = fill_str,
    [WIRE_KIND_email] = fill_str,  [WIRE_KIND_url] = fill_str,
    [WIRE_KIND_secret] = fill_str, [WIRE_KIND_currency] = fill_str,
    [WIRE_KIND_bytes] = fill_str,  [WIRE_KIND_i64] = fill_i64,
    [WIRE_KIND_f64] = fill_f64,    [WIRE_KIND_flag] = fill_flag,
    [WIRE_KIND_uuid] = fill_uuid,  [WIRE_KIND_time] = fill_time,
    [WIRE_KIND_enum] = fill_enum,  [WIRE_KIND_obj] = fill_nothing,
    [WIRE_KIND_list] = fill_list,  [WIRE_KIND_strs] = fill_nothing,
};

static void fill(struct arena *a, const struct pg_cell *c, const struct wire_field *f,
                 void *out)
{
    if (c->p)
        *((bool *)out + f->has_offset) =
            fillers[f->kind](a, c, f, (char *)out + f->offset);
}

/* ---- arrays of a composite type ----
 * As PostgreSQL sends them (array_send() in arrayfuncs.c, record_send() in rowtypes.c):
 * numbers have four bytes, the first is the highest. */

struct sent {
    const char *p;
    size_t n;
    bool good;
};

static uint32_t take_number(struct sent *s)
{
    uint32_t v;

    if (s->n < sizeof v) {
        s->good = false;
        return 0;
    }
    memcpy(&v, s->p, sizeof v);
    s->p += sizeof v;
    s->n -= sizeof v;
    return be32toh(v);
}

/* Its length, which is -1 for NULL, then its bytes. */
static struct pg_cell take_cell(struct sent *s, unsigned oid)
{
    struct pg_cell c = {.oid = oid};
    uint32_t n = take_number(s);

    if (n == UINT32_MAX || !s->good)
        return c;
    if (n > s->n) {
        s->good = false;
        return c;
    }
    c.p = s->p;
    c.n = n;
    s->p += n;
    s->n -= n;
    return c;
}

static bool fill_record(struct arena *a, const struct pg_cell *record,
                        const struct wire_msg *m, void *out)
{
    struct sent s = {record->p, record->n, true};
    uint32_t n = take_number(&s);

    for (uint32_t i = 0; i < n && i < m->count; i++) {
        unsigned oid = take_number(&s);
        struct pg_cell c = take_cell(&s, oid);

        fill(a, &c, &m->fields[i], out);
    }
    return s.good;
}

/* Dimensions, whether there are NULLs, type of the elements; of the dimension, its length
 * and where it begins. An empty array has no dimension. */
static bool fill_list(struct arena *a, const struct pg_cell *c,
                      const struct wire_field *f, void *to)
{
    struct sent s = {c->p, c->n, true};
    uint32_t dimensions = take_number(&s), nulls = take_number(&s);
    uint32_t type = take_number(&s), n = dimensions ? take_number(&s) : 0;
    struct {
        char *v;
        size_t n;
    } list = {NULL, n};

    (void)nulls;
    if (dimensions)
        (void)take_number(&s);
    s.good = s.good && dimensions <= 1 && type >= PG_FIRST_CUSTOM && n <= s.n / sizeof n;
    if (s.good)
        list.v = arena_alloc(a, n * f->sub->size);
    for (uint32_t i = 0; i < n && s.good; i++) {
        struct pg_cell record = take_cell(&s, type);

        s.good = s.good && record.p &&
                 fill_record(a, &record, f->sub, list.v + i * f->sub->size);
    }
    if (!s.good)
        pg_mismatch(c, "a list");
    memcpy(to, &list, sizeof list);
    return s.good;
}

void pg_get_msg(struct arena *a, const struct pg_rows *r, int row,
                const struct wire_msg *m, void *out)
{
    const struct map *map = r->result ? map_of(r, m) : &(const struct map){0};

    for (int col = 0; col < map->n; col++) {
        struct pg_cell c;

        if (map->fields[col] == NO_FIELD)
            continue;
        c = pg_cell(r, row, col);
        fill(a, &c, &m->fields[map->fields[col]], out);
    }
}
