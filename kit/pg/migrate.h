// SPDX-License-Identifier: Apache-2.0
/*
 * Schema migrations: numbered SQL files, embedded, forward only. Applied in order, each
 * in a transaction of its own with its row in `schema_migrations`, under an advisory
 * lock, so that any number of processes may start at once. Blocking: for the `migrate`
 * command and for start in development, before the loops run.
 */
#ifndef KIT_PG_MIGRATE_H
#define KIT_PG_MIGRATE_H

#include "kit/base/err.h"

struct pg_migration {
    int number; /* 0 ends the list */
    const char *name;
    const char *sql;
};

/* *applied: how many were new. A migration that is in the database but not in the list is
 * fine (a newer release ran); one whose text was changed after it ran is an error. */
MUST_CHECK const struct err *pg_migrate(struct arena *a, const char *conninfo,
                                        const struct pg_migration *list, int *applied);

/* Runs SQL text in one transaction, blocking: for seeding and tests. */
MUST_CHECK const struct err *pg_run_script(struct arena *a, const char *conninfo,
                                           const char *sql);

#endif
