// SPDX-License-Identifier: Apache-2.0
/*
 * Every statement is prepared and described before a connection is used. What the server
 * says about parameter types decides how parameters are encoded.
 */
#include "kit/pg/pool.h"
#include "kit/pg/rows.h"

bool pg_prepare_send(struct pg_conn *c)
{
    const struct pg_pool *p = c->pool;

    c->prepared = 0;
    c->refused = false;
    c->described = ARENA_ARRAY(&c->arena, struct pg_described, p->n_stmts);
    if (PQsetnonblocking(c->pg, 1) != 0 || !PQenterPipelineMode(c->pg))
        return false;
    for (unsigned i = 0; i < p->n_stmts; i++) {
        const struct pg_stmt *s = p->stmts[i].stmt;

        if (!PQsendPrepare(c->pg, s->name, s->sql, 0, NULL) ||
            !PQsendDescribePrepared(c->pg, s->name))
            return false;
    }
    c->unflushed = true;
    return PQsendPipelineSync(c->pg);
}

static void describe(struct pg_conn *c, unsigned stmt, const PGresult *r)
{
    struct pg_described *d = &c->described[stmt];

    d->n_params = PQnparams(r);
    d->types = ARENA_ARRAY(&c->arena, unsigned, (size_t)d->n_params);
    for (int i = 0; i < d->n_params; i++)
        d->types[i] = PQparamtype(r, i);
    d->layout = pg_layout(r);
}

/* No parameters are about yet, so the message may be shown. */
static void refused(struct pg_conn *c, unsigned stmt, const PGresult *r)
{
    const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    const char *sqlstate = PQresultErrorField(r, PG_DIAG_SQLSTATE);

    c->refused = true;
    LOG_ERROR(
        NULL, "pg.prepare_failed", KV("pool", c->pool->name),
        KV("statement", stmt < c->pool->n_stmts ? c->pool->stmts[stmt].stmt->name : "?"),
        KV("sqlstate", sqlstate ? sqlstate : ""), KV("message", message ? message : ""));
}

bool pg_prepare_result(struct pg_conn *c, PGresult *r)
{
    unsigned stmt = c->prepared / 2;
    bool described = c->prepared % 2;

    switch (PQresultStatus(r)) {
    case PGRES_PIPELINE_SYNC: return true;
    case PGRES_PIPELINE_ABORTED: break;
    case PGRES_COMMAND_OK:
        if (described && stmt < c->pool->n_stmts)
            describe(c, stmt, r);
        break;
    default: refused(c, stmt, r); break;
    }
    c->prepared++;
    return false;
}
