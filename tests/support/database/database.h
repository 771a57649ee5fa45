// SPDX-License-Identifier: Apache-2.0
/* A database of the test's own on the real server, and blocking looks into it. Whatever
 * cannot be done ends the process with a sentence. */
#ifndef TESTS_SUPPORT_DATABASE_DATABASE_H
#define TESTS_SUPPORT_DATABASE_DATABASE_H

#include "kit/base/arena.h"

struct database {
    struct arena arena;
    const char *server; /* conninfo of the setting */
    const char *name;
    const char *conninfo; /* of the new one */
    void *conn;           /* to it; looks are many, and a connection each is dear */
};

/* `setting` names the variable of a role that may create databases: "VIADUCT_JOBS_PG". */
void database_create(struct database *db, const char *setting);
void database_drop(struct database *db);

__attribute__((format(printf, 2, 3))) void database_run(struct database *db,
                                                        const char *sql, ...);
/* The one number that a query answers. */
__attribute__((format(printf, 2, 3))) long database_number(struct database *db,
                                                           const char *sql, ...);
/* The one text, in db's arena; "" for NULL. */
__attribute__((format(printf, 2, 3))) const char *database_text(struct database *db,
                                                                const char *sql, ...);

#endif
