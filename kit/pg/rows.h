// SPDX-License-Identifier: Apache-2.0
/* Results from the inside: what messages are filled with. */
#ifndef KIT_PG_ROWS_H
#define KIT_PG_ROWS_H

#include "kit/pg/pg.h"

#include <libpq-fe.h>

/* real and double precision; whole numbers too. */
double pg_get_f64(const struct pg_rows *r, int row, int col);

/* Names and types of the columns, hashed: two results with the same layout can be read in
 * the same way. */
uint64_t pg_layout(const PGresult *res);

/* Which field each column fills, for the messages that a statement has been read into. */
struct pg_maps;
struct pg_maps *pg_maps_create(void);
void pg_maps_destroy(struct pg_maps *m);

#endif
