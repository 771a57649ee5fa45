// SPDX-License-Identifier: Apache-2.0
/* Claims, leases and outcomes in PostgreSQL: the worker's side. */
#include "jobs/store/ledger.h"

#include "jobs/store/query.h"
#include "sql.h"

struct pg_query *store_job_claim(struct flow *f, struct uuid id, struct str worker,
                                 int64_t lease_ms)
{
    struct pg_query *q = query(f, &sql_job_claim);

    pg_uuid(q, id);
    pg_str(q, worker);
    pg_i64(q, lease_ms);
    return start(f, q);
}

bool store_job_claim_read(const struct pg_query *q, struct job_claim *out)
{
    enum { KIND, PAYLOAD, FENCE, ATTEMPTS, SUSPECT, TRACE, CREATED, RUN };
    const struct pg_rows *r = &q->rows;

    if (!r->count)
        return false;
    *out = (struct job_claim){
        .kind = (enum job_kind)wire_enum_value(&job_kind_enum, pg_get_str(r, 0, KIND)),
        .payload = pg_get_str(r, 0, PAYLOAD),
        .fence = pg_get_i64(r, 0, FENCE),
        .attempts = pg_get_i64(r, 0, ATTEMPTS),
        .suspect = pg_get_flag(r, 0, SUSPECT),
        .traceparent = pg_get_str(r, 0, TRACE),
        .created_at = pg_get_time(r, 0, CREATED),
        .run_at = pg_get_time(r, 0, RUN),
    };
    return true;
}

struct pg_query *store_job_begin(struct flow *f, struct uuid id, int64_t fence)
{
    struct pg_query *q = query(f, &sql_job_begin);

    pg_uuid(q, id);
    pg_i64(q, fence);
    return start(f, q);
}

struct pg_query *store_jobs_heartbeat(struct flow *f, const struct job_held *held,
                                      size_t n, int64_t lease_ms)
{
    struct pg_query *q = query(f, &sql_jobs_heartbeat);
    struct uuid *ids = ARENA_ARRAY(&f->arena, struct uuid, n);
    int64_t *fences = ARENA_ARRAY(&f->arena, int64_t, n);
    int64_t *progress = ARENA_ARRAY(&f->arena, int64_t, n);

    for (size_t i = 0; i < n; i++) {
        ids[i] = held[i].id;
        fences[i] = held[i].fence;
        progress[i] = held[i].progress;
    }
    pg_uuid_array(q, ids, n);
    pg_i64_array(q, fences, n);
    pg_i64_array(q, progress, n);
    pg_i64(q, lease_ms);
    return start(f, q);
}

bool store_jobs_heartbeat_read(const struct pg_query *q, struct uuid id, int64_t fence)
{
    for (int i = 0; i < q->rows.count; i++)
        if (uuid_eq(pg_get_uuid(&q->rows, i, 0), id) &&
            pg_get_i64(&q->rows, i, 1) == fence)
            return true;
    return false;
}

struct pg_query *store_job_succeed(struct flow *f, struct uuid id, int64_t fence)
{
    struct pg_query *q = query(f, &sql_job_succeed);

    pg_uuid(q, id);
    pg_i64(q, fence);
    return start(f, q);
}

struct pg_query *store_job_settle(struct flow *f, struct uuid id, int64_t fence,
                                  const struct job_settlement *s)
{
    struct pg_query *q = query(f, &sql_job_settle);

    pg_uuid(q, id);
    pg_i64(q, fence);
    pg_str(q, str_of(wire_enum_label(&job_state_enum, s->state)));
    pg_i64(q, s->free ? 1 : 0);
    pg_i64(q, s->delay_ms);
    pg_str(q, s->code);
    pg_str(q, s->detail);
    return start(f, q);
}

bool store_job_written(const struct pg_query *q)
{
    return pg_get_i64(&q->rows, 0, 0) > 0;
}

struct pg_query *store_job_append(struct flow *f, struct uuid id, int64_t fence,
                                  int64_t chunk, struct str bytes, int64_t progress)
{
    struct pg_query *q = query(f, &sql_job_append);

    pg_uuid(q, id);
    pg_i64(q, fence);
    pg_i64(q, chunk);
    pg_bytes(q, bytes);
    pg_i64(q, progress);
    return start(f, q);
}

bool store_job_append_read(const struct pg_query *q)
{
    return q->rows.count > 0;
}
