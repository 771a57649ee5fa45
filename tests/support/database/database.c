// SPDX-License-Identifier: Apache-2.0
/* Databases that come and go with a test. */
#include "tests/support/database/database.h"

#include "kit/base/mem.h"
#include "tests/support/live/live.h"

#include <libpq-fe.h>
#include <stdlib.h>

static PGresult *execute(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        mem_die("%s: %s", sql, PQerrorMessage(conn));
    return result;
}

static void command_of_server(const struct database *db, const char *sql)
{
    PGconn *conn = PQconnectdb(db->server);

    PQclear(execute(conn, sql));
    PQfinish(conn);
}

void database_create(struct database *db, const char *setting)
{
    const char *slash;

    arena_init(&db->arena);
    db->server = live_setting(setting);
    db->name = live_name(&db->arena, "test");
    slash = strrchr(db->server, '/'); /* postgresql://user:password@host:port/database */
    if (!slash)
        mem_die("%s is not a URI", setting);
    db->conninfo = arena_printf(&db->arena, "%.*s/%s", (int)(slash - db->server),
                                db->server, db->name)
                       .p;
    command_of_server(db, arena_printf(&db->arena, "CREATE DATABASE \"%s\"", db->name).p);
    db->conn = PQconnectdb(db->conninfo);
}

void database_drop(struct database *db)
{
    PQfinish(db->conn);
    command_of_server(
        db, arena_printf(&db->arena, "DROP DATABASE \"%s\" WITH (FORCE)", db->name).p);
    arena_fini(&db->arena);
}

static struct str format(struct database *db, const char *sql, va_list ap)
{
    return arena_vprintf(&db->arena, sql, ap);
}

void database_run(struct database *db, const char *sql, ...)
{
    va_list ap;

    va_start(ap, sql);
    PQclear(execute(db->conn, format(db, sql, ap).p));
    va_end(ap);
}

static const char *one_value(struct database *db, const char *sql)
{
    PGresult *result = execute(db->conn, sql);
    const char *value;

    if (PQntuples(result) != 1 || PQnfields(result) != 1)
        mem_die("%s: %d rows of %d columns", sql, PQntuples(result), PQnfields(result));
    value = arena_str(&db->arena, str_of(PQgetvalue(result, 0, 0))).p;
    PQclear(result);
    return value;
}

long database_number(struct database *db, const char *sql, ...)
{
    const char *value;
    va_list ap;

    va_start(ap, sql);
    value = one_value(db, format(db, sql, ap).p);
    va_end(ap);
    return strtol(value, NULL, 10);
}

const char *database_text(struct database *db, const char *sql, ...)
{
    const char *value;
    va_list ap;

    va_start(ap, sql);
    value = one_value(db, format(db, sql, ap).p);
    va_end(ap);
    return value;
}
