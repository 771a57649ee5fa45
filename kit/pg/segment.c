// SPDX-License-Identifier: Apache-2.0
/*
 * Sending a segment and counting off what comes back. In pipeline mode each statement has
 * exactly one result, good, failed or aborted, and each sync has one; an error at the
 * sync itself (a deferred constraint) comes as an extra one before it.
 */
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/pg/params.h"
#include "kit/pg/pool.h"
#include "kit/pg/rows.h"

#include <stdlib.h>

/* ---- sending ---- */

static bool encode(struct pg_query *q, const struct pg_described *d)
{
    if (q->n_params != d->n_params)
        return false;
    q->values = ARENA_ARRAY(q->arena, struct pg_value, (size_t)q->n_params);
    for (int i = 0; i < q->n_params; i++)
        if (!pg_encode(q->arena, &q->params[i], d->types[i], &q->values[i]))
            return false;
    return true;
}

static bool encode_unit(const struct pg_conn *c, struct pg_unit *u)
{
    for (struct pg_query *q = u->first; q; q = q->then)
        if (!encode(q, &c->described[q->stmt])) {
            LOG_ERROR(&u->first->wait.flow->log, "pg.bad_parameters",
                      KV("statement", u->pool->stmts[q->stmt].stmt->name),
                      KV("given", q->n_params),
                      KV("wanted", c->described[q->stmt].n_params));
            return false;
        }
    return true;
}

static bool send_query(const struct pg_conn *c, const struct pg_query *q)
{
    size_t n = (size_t)q->n_params;
    const char **values = ARENA_ARRAY(q->arena, const char *, n);
    int *lengths = ARENA_ARRAY(q->arena, int, n),
        *formats = ARENA_ARRAY(q->arena, int, n);

    for (size_t i = 0; i < n; i++) {
        values[i] = q->values[i].p;
        lengths[i] = q->values[i].n;
        formats[i] = q->values[i].binary;
    }
    return PQsendQueryPrepared(c->pg, c->pool->stmts[q->stmt].stmt->name, (int)n, values,
                               lengths, formats, 1);
}

static bool send_unit(const struct pg_conn *c, const struct pg_unit *u)
{
    for (const struct pg_query *q = u->first; q; q = q->then)
        if (!send_query(c, q))
            return false;
    return true;
}

/* Units that can be sent go to the segment, the others to `broken`. */
static void fill(struct pg_conn *c, struct pg_segment *s, struct list *units,
                 struct list *broken)
{
    struct list *link;

    while ((link = list_pop(units))) {
        struct pg_unit *u = CONTAINER_OF(link, struct pg_unit, link);

        u->sent = true; /* in no queue any more */
        u->conn = c;
        if (!encode_unit(c, u)) {
            list_push(broken, link);
            continue;
        }
        list_push(&s->units, link);
        u->at = u->first;
        s->n += u->n;
    }
    s->at = s->units.next;
}

bool pg_segment_send(struct pg_conn *c, struct list *units, struct list *broken)
{
    struct pg_segment *s = MEM_NEW(struct pg_segment);

    list_init(&s->units);
    list_init(&s->link);
    fill(c, s, units, broken);
    if (s->n == 0) {
        free(s);
        return true;
    }
    if (list_empty(&c->segments))
        c->progress_us = clock_mono_us();
    list_push(&c->segments, &s->link);
    c->in_flight += s->n;
    c->unflushed = true;
    LIST_EACH (link, &s->units)
        if (!send_unit(c, CONTAINER_OF(link, struct pg_unit, link)))
            return false;
    return PQsendPipelineSync(c->pg);
}

/* ---- results ---- */

static void clear_result(void *r)
{
    PQclear(r);
}

static int64_t affected_rows(PGresult *r)
{
    int64_t n = 0;

    return str_to_i64(str_of(PQcmdTuples(r)), 0, INT64_MAX, &n) ? n : 0;
}

static void give_rows(const struct pg_conn *c, struct pg_query *q, PGresult *r)
{
    arena_defer(q->arena, clear_result, r);
    q->rows = (struct pg_rows){
        .result = r,
        .count = PQntuples(r),
        .affected = affected_rows(r),
        .maps = c->pool->stmts[q->stmt].maps,
        .layout = c->described[q->stmt].layout,
    };
}

static struct pg_segment *oldest(const struct pg_conn *c)
{
    return CONTAINER_OF(c->segments.next, struct pg_segment, link);
}

/* NULL when all statements of the segment have their result. */
static struct pg_unit *current(const struct pg_segment *s)
{
    return s->at == &s->units ? NULL : CONTAINER_OF(s->at, struct pg_unit, link);
}

struct pg_unit *pg_segment_current(const struct pg_conn *c)
{
    return list_empty(&c->segments) ? NULL : current(oldest(c));
}

static void advance(struct pg_segment *s, struct pg_unit *u)
{
    if (u->at)
        u->at = u->at->then;
    if (++u->seen == u->n)
        s->at = s->at->next;
}

static bool take_good(struct pg_conn *c, PGresult *r)
{
    struct pg_segment *s = oldest(c);
    struct pg_unit *u = current(s);

    if (!u) { /* more results than statements */
        PQclear(r);
        return false;
    }
    if (u->at)
        give_rows(c, u->at, r);
    else
        PQclear(r);
    u->done++;
    advance(s, u);
    return true;
}

static bool is_fatal(const PGresult *r)
{
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);

    return !severity || strcmp(severity, "ERROR") != 0;
}

static bool take_error(struct pg_conn *c, PGresult *r)
{
    struct pg_segment *s = oldest(c);
    struct pg_unit *u = current(s);
    bool fatal = is_fatal(r), at_commit = !u;

    if (fatal) {
        PQclear(r);
        return false;
    }
    if (at_commit)
        u = CONTAINER_OF(s->units.prev, struct pg_unit, link);
    pg_failure_note(u, r);
    PQclear(r);
    if (u->failure.verdict == PG_TIMED_OUT && pg_cancel_about(c))
        u->failure.verdict = PG_REPEAT;
    c->retiring |= u->failure.verdict == PG_ELSEWHERE;
    if (!at_commit)
        advance(s, u);
    return true;
}

static bool take_aborted(struct pg_conn *c, PGresult *r)
{
    struct pg_segment *s = oldest(c);
    struct pg_unit *u = current(s);

    PQclear(r);
    if (u)
        advance(s, u);
    return u;
}

static void settle_all(struct pg_segment *s)
{
    struct list *link;

    while ((link = list_pop(&s->units)))
        pg_unit_settle(CONTAINER_OF(link, struct pg_unit, link));
    free(s);
}

static bool take_sync(struct pg_conn *c, PGresult *r)
{
    struct pg_segment *s = oldest(c);

    PQclear(r);
    if (current(s)) /* fewer results than statements */
        return false;
    list_remove(&s->link);
    c->in_flight -= s->n;
    if (c->pool->waiting)
        pg_pool_flush_soon(c->pool);
    settle_all(s);
    return !(c->retiring && list_empty(&c->segments));
}

bool pg_segment_result(struct pg_conn *c, PGresult *r)
{
    c->progress_us = clock_mono_us();
    switch (PQresultStatus(r)) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY: return take_good(c, r);
    case PGRES_FATAL_ERROR: return take_error(c, r);
    case PGRES_PIPELINE_ABORTED: return take_aborted(c, r);
    case PGRES_PIPELINE_SYNC: return take_sync(c, r);
    default: PQclear(r); return false; /* COPY and the like: not on these connections */
    }
}

/* ---- the connection is lost ---- */

static void abandon(struct pg_unit *u)
{
    if (u->failure.failed) /* rolled back for certain, as its error came before */
        pg_unit_settle(u);
    else if (u->writes)
        pg_unit_end(u, &ERR_CODE_UNKNOWN_OUTCOME, PG_SICK);
    else if (u->done == u->n)
        pg_unit_end(u, NULL, PG_HEALTHY);
    else if (u->first && ++u->tries < 2 && !u->pool->closing)
        pg_unit_repeat(u);
    else
        pg_unit_end(u, &ERR_CODE_UNAVAILABLE, PG_SICK);
}

void pg_segments_abandon(struct list *segments)
{
    struct list *s_link, *u_link;

    while ((s_link = list_pop(segments))) {
        struct pg_segment *s = CONTAINER_OF(s_link, struct pg_segment, link);

        while ((u_link = list_pop(&s->units)))
            abandon(CONTAINER_OF(u_link, struct pg_unit, link));
        free(s);
    }
}
