// SPDX-License-Identifier: Apache-2.0
/*
 * What the server's errors mean (PostgreSQL 17, appendix A). Logs carry the SQLSTATE, the
 * statement's name and the routine that complained: messages and details quote
 * parameters.
 */
#include "kit/pg/pool.h"

/* By prefix; the first row that fits decides. */
static const struct {
    const char *prefix;
    enum pg_verdict verdict;
} rows[] = {
    {"23", PG_VIOLATED},      /* integrity constraint */
    {"P0001", PG_VIOLATED},   /* raise exception */
    {"57014", PG_TIMED_OUT},  /* query cancelled: statement_timeout */
    {"40001", PG_REPEAT},     /* serialization failure */
    {"40P01", PG_REPEAT},     /* deadlock detected */
    {"25006", PG_ELSEWHERE},  /* read-only: the primary has moved */
    {"26000", PG_ELSEWHERE},  /* a prepared statement is gone */
    {"53", PG_EXHAUSTED},     /* insufficient resources */
    {"57P", PG_DISCONNECTED}, /* operator intervention */
    {"08", PG_DISCONNECTED},  /* connection exception */
    {"", PG_BROKEN},
};

enum pg_verdict pg_verdict(const char *sqlstate)
{
    size_t i = 0;

    while (strncmp(sqlstate, rows[i].prefix, strlen(rows[i].prefix)) != 0)
        i++;
    return rows[i].verdict;
}

void pg_count_error(const char *sqlstate)
{
    char class[3] = {0};

    memcpy(class, sqlstate, strnlen(sqlstate, 2));
    metric_add(
        metrics_counter("viaduct_pg_errors_total",
                        "Errors of PostgreSQL by SQLSTATE class; 08 is a lost connection",
                        "class", class, NULL),
        1);
}

static const char *field_or_empty(const PGresult *r, int field)
{
    const char *s = PQresultErrorField(r, field);

    return s ? s : "";
}

/* After a migration a statement may return other columns: it has to be prepared again. */
static bool is_stale_plan(const PGresult *r, const char *sqlstate)
{
    return strcmp(sqlstate, "0A000") == 0 &&
           strcmp(field_or_empty(r, PG_DIAG_SOURCE_FUNCTION), "RevalidateCachedQuery") ==
               0;
}

static struct str violation(struct arena *a, const PGresult *r, const char *sqlstate)
{
    const char *name = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME);

    if (strcmp(sqlstate, "P0001") == 0)
        name = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    else if (!name) /* NOT NULL has no name of its own */
        name = PQresultErrorField(r, PG_DIAG_COLUMN_NAME);
    return arena_str(a, str_of(name ? name : ""));
}

static void log_failure(const struct pg_unit *u, const PGresult *r)
{
    const struct pg_failure *f = &u->failure;
    const struct log_ctx *ctx = u->first ? &u->first->wait.flow->log : NULL;
    const char *stmt = f->query ? u->pool->stmts[f->query->stmt].stmt->name : "?";

    if (f->verdict != PG_VIOLATED)
        LOG_WARN(ctx, "pg.error", KV("pool", u->pool->name), KV("statement", stmt),
                 KV("sqlstate", f->sqlstate),
                 KV("routine", field_or_empty(r, PG_DIAG_SOURCE_FUNCTION)),
                 KV("try", u->tries));
}

/* An error that comes with the sync, when all statements have their results, is of the
 * commit: a deferred constraint. */
static struct pg_query *failed_query(struct pg_unit *u)
{
    struct pg_query *q = u->at ? u->at : u->first;

    while (!u->at && q && q->then)
        q = q->then;
    return q;
}

void pg_failure_note(struct pg_unit *u, const PGresult *r)
{
    struct pg_failure *f = &u->failure;
    const char *sqlstate = field_or_empty(r, PG_DIAG_SQLSTATE);

    f->failed = true;
    f->query = failed_query(u);
    memcpy(f->sqlstate, sqlstate, strnlen(sqlstate, 5));
    f->verdict = is_stale_plan(r, sqlstate) ? PG_ELSEWHERE : pg_verdict(sqlstate);
    if (f->verdict == PG_VIOLATED && f->query)
        f->text = violation(f->query->arena, r, sqlstate);
    pg_count_error(sqlstate);
    log_failure(u, r);
}
