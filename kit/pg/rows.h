// SPDX-License-Identifier: Apache-2.0
/* Results from the inside: what messages are filled with. */
#ifndef KIT_PG_ROWS_H
#define KIT_PG_ROWS_H

#include "kit/pg/pg.h"

#include <libpq-fe.h>

/* A value as it came; p == NULL for NULL and for what is not there. */
struct pg_cell {
    const char *p;
    size_t n;
    unsigned oid;
};
struct pg_cell pg_cell(const struct pg_rows *r, int row, int col);

/* A column that is not what it is read as: dies in development. */
void pg_mismatch(const struct pg_cell *c, const char *wanted);

/* As pg_get_x() reads them. */
struct str pg_cell_str(const struct pg_cell *c);
int64_t pg_cell_i64(const struct pg_cell *c);
double pg_cell_f64(const struct pg_cell *c); /* of whole numbers too */
bool pg_cell_flag(const struct pg_cell *c);
struct uuid pg_cell_uuid(const struct pg_cell *c);
int64_t pg_cell_time(const struct pg_cell *c);

/* Names and types of the columns, hashed: two results with the same layout can be read in
 * the same way. */
uint64_t pg_layout(const PGresult *res);

/* Which field each column fills, for the messages that a statement has been read into. */
struct pg_maps;
struct pg_maps *pg_maps_create(void);
void pg_maps_destroy(struct pg_maps *m);

#endif
