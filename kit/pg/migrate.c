// SPDX-License-Identifier: Apache-2.0
/*
 * Migrations over one blocking connection. The checksum is SHA-256 of the text, made by
 * the server, so it is the same for every process and release.
 */
#include "kit/pg/migrate.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>

/* "viaduct" in ASCII: whoever migrates this database waits for this advisory lock. */
#define LOCK "select pg_advisory_lock(x'76696164756374'::bigint)"
#define TABLE                                        \
    "create table if not exists schema_migrations (" \
    " number integer primary key,"                   \
    " name text not null,"                           \
    " checksum text not null,"                       \
    " applied_at timestamptz not null default now())"
#define RECORDED                                                                \
    "select checksum = encode(sha256($2::bytea), 'hex') from schema_migrations" \
    " where number = $1::integer"
#define RECORD                                               \
    "insert into schema_migrations (number, name, checksum)" \
    " values ($1::integer, $3, encode(sha256($2::bytea), 'hex'))"

struct session {
    struct arena *arena;
    PGconn *pg;
};

static const struct err *fail(const struct session *s, const struct err_code *code,
                              const char *what)
{
    struct str message = str_trim(arena_str(s->arena, str_of(PQerrorMessage(s->pg))));

    while (message.n > 0 && message.p[message.n - 1] == '\n')
        message.n--;
    return err_new(s->arena, code, "%s: %.*s", what, STR_FMT(message));
}

/* "table does not exist, skipping" and the like are no lines for our log. */
static void on_notice(void *arg, const PGresult *r)
{
    (void)arg;
    (void)r;
}

static const struct err *open_session(struct session *s, struct arena *a,
                                      const char *conninfo)
{
    const char *const keywords[] = {"dbname", "fallback_application_name", NULL};
    const char *const values[] = {conninfo, program_invocation_short_name, NULL};

    s->arena = a;
    s->pg = PQconnectdbParams(keywords, values, 1);
    if (PQstatus(s->pg) != CONNECTION_OK)
        return fail(s, &ERR_CODE_UNAVAILABLE, "cannot connect");
    PQsetNoticeReceiver(s->pg, on_notice, NULL);
    return NULL;
}

static void close_session(struct session *s)
{
    PQfinish(s->pg);
}

static bool went_well(const PGresult *r)
{
    return PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK;
}

static const struct err *run(const struct session *s, const char *what, const char *sql)
{
    PGresult *r = PQexec(s->pg, sql);
    const struct err *e = went_well(r) ? NULL : fail(s, &ERR_CODE_INTERNAL, what);

    PQclear(r);
    return e;
}

/* Within one transaction, which the text itself must not end. */
static const struct err *run_in_transaction(const struct session *s, const char *what,
                                            const char *sql)
{
    const struct err *e = run(s, what, "begin");

    if (!e)
        e = run(s, what, sql);
    if (!e && PQtransactionStatus(s->pg) != PQTRANS_INTRANS)
        e = err_new(s->arena, &ERR_CODE_INTERNAL, "%s: ends the transaction itself",
                    what);
    return e;
}

static const struct err *commit(const struct session *s, const char *what,
                                const struct err *e)
{
    PGresult *r;

    if (!e)
        return run(s, what, "commit");
    r = PQexec(s->pg, "rollback");
    PQclear(r);
    return e;
}

/* RECORDED or RECORD, which take $1 number, $2 text, $3 name. */
static PGresult *ask(const struct session *s, const char *sql,
                     const struct pg_migration *m, int n_params)
{
    char number[12];
    const char *const values[] = {number, m->sql, m->name};
    const int lengths[] = {0, (int)strlen(m->sql), 0}, formats[] = {0, 1, 0};

    snprintf(number, sizeof number, "%d", m->number);
    return PQexecParams(s->pg, sql, n_params, NULL, values, lengths, formats, 0);
}

static const struct err *is_recorded(const struct session *s,
                                     const struct pg_migration *m, bool *recorded)
{
    PGresult *r = ask(s, RECORDED, m, 2);
    const struct err *e = NULL;

    *recorded = PQntuples(r) > 0;
    if (!went_well(r))
        e = fail(s, &ERR_CODE_INTERNAL, "schema_migrations");
    else if (*recorded && PQgetvalue(r, 0, 0)[0] != 't')
        e = err_new(s->arena, &ERR_CODE_INTERNAL,
                    "migration %d (%s) was changed after it had been applied", m->number,
                    m->name);
    PQclear(r);
    return e;
}

static const struct err *record(const struct session *s, const struct pg_migration *m)
{
    PGresult *r = ask(s, RECORD, m, 3);
    const struct err *e =
        went_well(r) ? NULL : fail(s, &ERR_CODE_INTERNAL, "schema_migrations");

    PQclear(r);
    return e;
}

static const struct err *apply(const struct session *s, const struct pg_migration *m)
{
    struct str what = arena_printf(s->arena, "migration %d (%s)", m->number, m->name);
    const struct err *e = run_in_transaction(s, what.p, m->sql);

    if (!e)
        e = record(s, m);
    return commit(s, what.p, e);
}

static const struct err *apply_list(const struct session *s,
                                    const struct pg_migration *list, int *applied)
{
    const struct err *e = run(s, "lock", LOCK);

    if (!e)
        e = run(s, "schema_migrations", TABLE);
    for (; !e && list->number; list++) {
        bool recorded;

        e = is_recorded(s, list, &recorded);
        if (e || recorded)
            continue;
        e = apply(s, list);
        *applied += !e;
    }
    return e;
}

const struct err *pg_migrate(struct arena *a, const char *conninfo,
                             const struct pg_migration *list, int *applied)
{
    struct session s;
    const struct err *e = open_session(&s, a, conninfo);

    *applied = 0;
    if (!e)
        e = apply_list(&s, list, applied);
    close_session(&s); /* gives the lock back */
    return e;
}

const struct err *pg_run_script(struct arena *a, const char *conninfo, const char *sql)
{
    struct session s;
    const struct err *e = open_session(&s, a, conninfo);

    if (!e)
        e = commit(&s, "script", run_in_transaction(&s, "script", sql));
    close_session(&s);
    return e;
}
