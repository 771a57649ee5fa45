// SPDX-License-Identifier: Apache-2.0
/* Queries for tests. */
#include "tests/support/stack/db.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

void db_each(const char *variable, const char *sql,
             void (*each)(void *arg, const char *value), void *arg)
{
    const char *conninfo = getenv(variable);
    PGconn *conn = PQconnectdb(conninfo ? conninfo : "");
    PGresult *result = PQexec(conn, sql);

    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        (void)fprintf(stderr, "%s: %s%s\n", variable, PQerrorMessage(conn), sql);
        abort();
    }
    for (int i = 0; i < PQntuples(result); i++)
        each(arg, PQgetvalue(result, i, 0));
    PQclear(result);
    PQfinish(conn);
}

static void take_number(void *arg, const char *value)
{
    *(long *)arg = strtol(value, NULL, 10);
}

long db_number(const char *variable, const char *sql)
{
    long n = -1;

    db_each(variable, sql, take_number, &n);
    return n;
}

struct db *db_open(const char *variable)
{
    const char *conninfo = getenv(variable);

    return (struct db *)PQconnectdb(conninfo ? conninfo : "");
}

void db_run(struct db *db, const char *sql)
{
    PGconn *conn = (PGconn *)db;
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        (void)fprintf(stderr, "%s%s\n", PQerrorMessage(conn), sql);
        abort();
    }
    PQclear(result);
}

void db_close(struct db *db)
{
    PQfinish((PGconn *)db);
}
