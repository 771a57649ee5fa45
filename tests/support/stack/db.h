// SPDX-License-Identifier: Apache-2.0
/* What the databases hold, for tests that must see behind the API. Aborts on any error.
 */
#ifndef TESTS_SUPPORT_STACK_DB_H
#define TESTS_SUPPORT_STACK_DB_H

/* The one number that a query answers; `variable` names the connection,
 * "VIADUCT_JOBS_PG". */
long db_number(const char *variable, const char *sql);

/* Calls each(arg, value) with the first column of every row. */
void db_each(const char *variable, const char *sql,
             void (*each)(void *arg, const char *value), void *arg);

/* A connection that stays open, for transactions and locks. */
struct db;
struct db *db_open(const char *variable);
/* Runs statements whose rows do not matter. */
void db_run(struct db *db, const char *sql);
void db_close(struct db *db);

#endif
