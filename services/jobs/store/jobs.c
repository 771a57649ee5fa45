// SPDX-License-Identifier: Apache-2.0
/* Asking for jobs and looking at them, in PostgreSQL. */
#include "jobs/store/jobs.h"

#include "jobs/store/query.h"
#include "kit/obs/trace.h"
#include "sql.h"

static struct str kind_label(enum job_kind kind)
{
    return str_of(wire_enum_label(&job_kind_enum, kind));
}

static struct str traceparent(struct flow *f)
{
    char *text = arena_alloc(&f->arena, TRACEPARENT_LEN);

    trace_format(&f->trace, text);
    return (struct str){text, TRACEPARENT_LEN};
}

/* ---- asking ---------------------------------------------------------------------- */

static void put_new(struct pg_query *q, const struct job_new *job)
{
    pg_uuid(q, job->id);
    pg_str(q, kind_label(job->kind));
    pg_bytes(q, job->payload);
    pg_uuid_opt(q, !uuid_is_nil(job->owner), job->owner);
}

struct idempotency *store_job_insert(struct flow *f, const struct job_new *job)
{
    const struct jobs_env *env = f->env;
    struct idempotency *k = idempotency_write(f, env->pg, &sql_job_insert);

    put_new(k->work, job);
    pg_str(k->work, traceparent(f));
    idempotency_start(f, k, &sql_job_keep, job->id);
    return k;
}

void store_job_insert_read(struct flow *f, const struct idempotency *k, struct job *out)
{
    pg_get_msg(&f->arena, &k->work->rows, 0, &job_msg, out);
}

struct pg_query *store_job_insert_from_event(struct flow *f, struct uuid event,
                                             const struct job_new *job)
{
    struct pg_query *q = query(f, &sql_job_insert_from_event);

    put_new(q, job);
    pg_uuid(q, event);
    pg_str(q, traceparent(f));
    return start(f, q);
}

void store_job_queued(const struct flow *f)
{
    const struct jobs_env *env = f->env;

    if (env->queued)
        env->queued(env->queued_arg);
}

/* ---- looking --------------------------------------------------------------------- */

struct pg_query *store_job_get(struct flow *f, struct uuid id)
{
    struct pg_query *q = query(f, &sql_job_get);

    pg_uuid(q, id);
    return start(f, q);
}

bool store_job_get_read(struct flow *f, const struct pg_query *q, struct job *out,
                        struct uuid *owner)
{
    enum { COL_OWNER = 10 };

    if (!q->rows.count)
        return false;
    pg_get_msg(&f->arena, &q->rows, 0, &job_msg, out);
    *owner = pg_get_uuid(&q->rows, 0, COL_OWNER);
    return true;
}

struct pg_query *store_job_list(struct flow *f, struct uuid owner,
                                const enum job_state *state, const enum job_kind *kind,
                                const struct page *page)
{
    struct pg_query *q = query(f, &sql_jobs_of_owner);

    pg_uuid(q, owner);
    pg_time(q, page->after.key);
    pg_uuid(q, page->after.id);
    pg_str(q, str_of(state ? wire_enum_label(&job_state_enum, *state) : NULL));
    pg_str(q, str_of(kind ? wire_enum_label(&job_kind_enum, *kind) : NULL));
    pg_i64(q, page->limit + 1);
    return start(f, q);
}

void store_job_list_read(struct flow *f, const struct pg_query *q,
                         const struct page *page, struct job_page *out)
{
    bool more = q->rows.count > page->limit;
    int n = more ? (int)page->limit : q->rows.count;
    struct job *jobs = ARENA_ARRAY(&f->arena, struct job, (size_t)n + 1);

    for (int i = 0; i < n; i++)
        pg_get_msg(&f->arena, &q->rows, i, &job_msg, &jobs[i]);
    WIRE_SET(out, items, ((struct job_list){jobs, (size_t)n}));
    if (!more)
        return;
    WIRE_SET(out, next_cursor,
             page_next(&f->arena, page,
                       (struct cursor){jobs[n - 1].created_at, jobs[n - 1].id}));
}

struct pg_query *store_job_result(struct flow *f, struct uuid id, int64_t chunk)
{
    struct pg_query *q = query(f, &sql_job_result);

    pg_uuid(q, id);
    pg_i64(q, chunk);
    return start(f, q);
}

bool store_job_result_read(const struct pg_query *q, struct job_part *out)
{
    enum { COL_KIND, COL_STATE, COL_OWNER, COL_BYTES, COL_MORE };
    const struct pg_rows *r = &q->rows;

    if (!r->count)
        return false;
    *out = (struct job_part){
        .kind =
            (enum job_kind)wire_enum_value(&job_kind_enum, pg_get_str(r, 0, COL_KIND)),
        .state =
            (enum job_state)wire_enum_value(&job_state_enum, pg_get_str(r, 0, COL_STATE)),
        .owner = pg_get_uuid(r, 0, COL_OWNER),
        .there = !pg_is_null(r, 0, COL_BYTES),
        .bytes = pg_get_str(r, 0, COL_BYTES),
        .more = pg_get_flag(r, 0, COL_MORE),
    };
    return true;
}
