// SPDX-License-Identifier: Apache-2.0
/*
 * Reading columns. What the server sends is checked against the column's type before it
 * is read; in development a wrong type dies at once, as the statement is wrong.
 */
#include "kit/pg/rows.h"

#include "kit/base/mem.h"
#include "kit/pg/oids.h"

#include <endian.h>

#ifdef PG_STRICT_TYPES
static const bool strict = true;
#else
static const bool strict = false;
#endif

/* Columns that are not there are libpq's to refuse, outside development. */
static bool is_there(const struct pg_rows *r, int row, int col)
{
    return r->result && row >= 0 && row < r->count &&
           (!strict || (col >= 0 && col < PQnfields(r->result)));
}

struct pg_cell pg_cell(const struct pg_rows *r, int row, int col)
{
    const PGresult *res = r->result;
    struct pg_cell c = {0};
    int n;

    if (!is_there(r, row, col)) {
        if (strict)
            mem_die("pg: no row %d column %d in a result of %d rows", row, col, r->count);
        return c;
    }
    row += r->first;
    n = PQgetlength(res, row, col);
    if (n == 0 && PQgetisnull(res, row, col))
        return c;
    c.oid = PQftype(res, col);
    c.p = PQgetvalue(res, row, col);
    c.n = (size_t)n;
    return c;
}

void pg_mismatch(const struct pg_cell *c, const char *wanted)
{
    if (strict)
        mem_die("pg: a column of type oid %u read as %s", c->oid, wanted);
}

static uint64_t big_endian(const struct pg_cell *c)
{
    uint64_t v = 0;

    for (size_t i = 0; i < c->n && i < 8; i++)
        v = v << 8 | (uint8_t)c->p[i];
    return v;
}

bool pg_is_null(const struct pg_rows *r, int row, int col)
{
    return !pg_cell(r, row, col).p;
}

static bool is_binary_type(unsigned oid)
{
    switch (oid) {
    case PG_BOOL:
    case PG_INT2:
    case PG_INT4:
    case PG_INT8:
    case PG_FLOAT4:
    case PG_FLOAT8:
    case PG_TIMESTAMP:
    case PG_TIMESTAMPTZ:
    case PG_UUID: return true;
    default: return false;
    }
}

struct str pg_cell_str(const struct pg_cell *c)
{
    if (!c->p)
        return (struct str){0};
    if (is_binary_type(c->oid)) {
        pg_mismatch(c, "a string");
        return (struct str){0};
    }
    if (c->oid == PG_JSONB && c->n > 0) /* a version byte comes first */
        return (struct str){c->p + 1, c->n - 1};
    return (struct str){c->p, c->n};
}

int64_t pg_cell_i64(const struct pg_cell *c)
{
    if (!c->p)
        return 0;
    switch (c->oid) {
    case PG_INT2: return (int16_t)big_endian(c);
    case PG_INT4: return (int32_t)big_endian(c);
    case PG_INT8: return (int64_t)big_endian(c);
    default: pg_mismatch(c, "an integer"); return 0;
    }
}

double pg_cell_f64(const struct pg_cell *c)
{
    uint64_t bits = c->p ? big_endian(c) : 0;
    uint32_t bits32 = (uint32_t)bits;
    double d = 0;
    float f = 0;

    if (!c->p)
        return 0;
    switch (c->oid) {
    case PG_FLOAT8: memcpy(&d, &bits, sizeof d); return d;
    case PG_FLOAT4: memcpy(&f, &bits32, sizeof f); return (double)f;
    default: return (double)pg_cell_i64(c);
    }
}

bool pg_cell_flag(const struct pg_cell *c)
{
    if (c->p && (c->oid != PG_BOOL || c->n != 1)) {
        pg_mismatch(c, "a boolean");
        return false;
    }
    return c->p && c->p[0];
}

struct uuid pg_cell_uuid(const struct pg_cell *c)
{
    struct uuid u = {{0}};

    if (c->p && (c->oid != PG_UUID || c->n != sizeof u.b))
        pg_mismatch(c, "a uuid");
    else if (c->p)
        memcpy(u.b, c->p, sizeof u.b);
    return u;
}

int64_t pg_cell_time(const struct pg_cell *c)
{
    int64_t us;

    if (!c->p)
        return 0;
    if (c->oid != PG_TIMESTAMPTZ && c->oid != PG_TIMESTAMP) {
        pg_mismatch(c, "a time");
        return 0;
    }
    us = (int64_t)big_endian(c);
    return us > INT64_MAX - PG_EPOCH_US ? INT64_MAX : us + PG_EPOCH_US; /* or infinity */
}

/* ---- by place ---- */

#define GETTER(type, name)                                        \
    type pg_get_##name(const struct pg_rows *r, int row, int col) \
    {                                                             \
        struct pg_cell c = pg_cell(r, row, col);                  \
                                                                  \
        return pg_cell_##name(&c);                                \
    }
GETTER(struct str, str)
GETTER(int64_t, i64)
GETTER(bool, flag)
GETTER(struct uuid, uuid)
GETTER(int64_t, time)
