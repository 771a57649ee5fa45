// SPDX-License-Identifier: Apache-2.0
/* Dispatching, reaping, sweeping and counting in PostgreSQL. */
#include "jobs/store/ledger.h"
#include "jobs/store/query.h"
#include "sql.h"

static enum job_kind get_kind(const struct pg_rows *r, int row, int col)
{
    return (enum job_kind)wire_enum_value(&job_kind_enum, pg_get_str(r, row, col));
}

struct pg_query *store_jobs_to_dispatch(struct flow *f, int64_t again_ms, unsigned max)
{
    struct pg_query *q = query(f, &sql_jobs_to_dispatch);

    pg_i64(q, again_ms);
    pg_i64(q, max);
    return start(f, q);
}

unsigned store_jobs_to_dispatch_count(const struct pg_query *q)
{
    return (unsigned)q->rows.count;
}

struct job_due store_jobs_to_dispatch_read(const struct pg_query *q, unsigned i)
{
    int row = (int)i;

    return (struct job_due){
        .id = pg_get_uuid(&q->rows, row, 0),
        .kind = get_kind(&q->rows, row, 1),
        .traceparent = pg_get_str(&q->rows, row, 2),
    };
}

struct pg_query *store_jobs_not_dispatched(struct flow *f, const struct uuid *ids,
                                           size_t n)
{
    struct pg_query *q = query(f, &sql_jobs_not_dispatched);

    pg_uuid_array(q, ids, n);
    return start(f, q);
}

struct pg_query *store_jobs_reap(struct flow *f, int64_t lease_ms, int64_t crashes_max)
{
    struct pg_query *q = query(f, &sql_jobs_reap);

    pg_i64(q, lease_ms);
    pg_i64(q, crashes_max);
    return start(f, q);
}

unsigned store_jobs_reap_count(const struct pg_query *q)
{
    return (unsigned)q->rows.count;
}

struct job_reaped store_jobs_reap_read(const struct pg_query *q, unsigned i)
{
    const struct pg_rows *r = &q->rows;
    int row = (int)i;

    return (struct job_reaped){
        .id = pg_get_uuid(r, row, 0),
        .kind = get_kind(r, row, 1),
        .state = (enum job_state)wire_enum_value(&job_state_enum, pg_get_str(r, row, 2)),
        .crashes = pg_get_i64(r, row, 3),
    };
}

struct pg_query *store_jobs_sweep(struct flow *f, int64_t keep_ms)
{
    struct pg_query *q = query(f, &sql_jobs_sweep);

    pg_i64(q, keep_ms);
    return start(f, q);
}

struct pg_query *store_jobs_stats(struct flow *f)
{
    return start(f, query(f, &sql_jobs_stats));
}

struct job_stats store_jobs_stats_read(const struct pg_query *q)
{
    const struct pg_rows *r = &q->rows;

    return (struct job_stats){
        .queued = pg_get_i64(r, 0, 0),
        .running = pg_get_i64(r, 0, 1),
        .dead = pg_get_i64(r, 0, 2),
        .oldest_us = pg_get_time(r, 0, 3),
    };
}
