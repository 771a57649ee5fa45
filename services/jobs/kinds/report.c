// SPDX-License-Identifier: Apache-2.0
/*
 * The kind `report`: the orders of a period as CSV. Page after page comes over the hop,
 * becomes a part of the result, and is forgotten; a page is a flow of its own.
 */
#include "jobs/kinds/csv.h"
#include "jobs/kinds/kind.h"
#include "jobs/kinds/money.h"
#include "jobs/kinds/part.h"
#include "jobs/rules/errors.h"
#include "jobs/store/env.h"
#include "jobs/store/ledger.h"
#include "kit/base/clock.h"
#include "kit/rpc/client.h"
#include "proto/orders.h"

#include <inttypes.h>

enum { PAGE_ROWS = 500, CURSOR_MAX = 200, CHUNK_MAX_BYTES = 262144, COLUMNS = 7 };

struct report {
    const struct job_task *task;
    struct job_progress *progress;
    struct report_create period;
    char cursor[CURSOR_MAX];
    size_t cursor_n; /* 0: at the beginning or at the end */
    int64_t chunk;
    bool more;
    struct part part;
};

/* Of one page; in the page's arena. */
struct report_page {
    struct report *report;
    struct order_period in;
    struct order_rows rows;
    struct pg_query *append;
};

/* ---- rows ------------------------------------------------------------------------ */

static void put_head(struct buf *b)
{
    static const struct str names[COLUMNS] = {
        {"order_id", 8}, {"user_id", 7}, {"status", 6},      {"currency", 8},
        {"total", 5},    {"pieces", 6},  {"created_at", 10},
    };

    csv_row(b, names, COLUMNS);
}

static void put_row(struct arena *a, struct buf *b, const struct order_row *row)
{
    char *at = arena_alloc(a, CLOCK_RFC3339_LEN);
    const struct str cells[COLUMNS] = {
        uuid_str(a, row->id),
        uuid_str(a, row->user_id),
        str_of(wire_enum_label(&order_status_enum, row->status)),
        row->currency,
        money_amount(a, row->total, row->currency),
        arena_printf(a, "%" PRId64, row->pieces),
        {at, CLOCK_RFC3339_LEN},
    };

    clock_format_rfc3339(row->created_at, at);
    csv_row(b, cells, COLUMNS);
}

static struct str page_as_csv(struct flow *f, const struct report *r,
                              const struct order_rows *rows)
{
    struct buf b;
    struct str csv = {0};

    buf_init(&b, CHUNK_MAX_BYTES);
    if (r->chunk == 0)
        put_head(&b);
    for (size_t i = 0; i < rows->items.n; i++)
        put_row(&f->arena, &b, &rows->items.v[i]);
    if (!b.failed)
        csv = arena_str(&f->arena, buf_view(&b));
    buf_fini(&b);
    return csv;
}

/* How far the last row is in the period; 100 is for the end. */
static int64_t percent_done(const struct report *r, const struct order_rows *rows)
{
    double whole = (double)(r->period.to - r->period.from); /* a year at most */
    double part;

    if (!rows->items.n)
        return r->progress->percent;
    part = (double)(rows->items.v[rows->items.n - 1].created_at - r->period.from);
    return part <= 0 ? 0 : part >= whole ? 99 : (int64_t)(99 * part / whole);
}

/* ---- a page ---------------------------------------------------------------------- */

static enum step page_over(struct flow *f, struct report_page *p)
{
    struct report *r = p->report;
    struct str next = p->rows.next_cursor;

    if (next.n > CURSOR_MAX)
        return flow_fail(f, ERR_STATIC(INTERNAL));
    r->progress->percent = percent_done(r, &p->rows);
    r->more = p->rows.has_next_cursor && next.n > 0;
    r->cursor_n = r->more ? next.n : 0;
    if (r->more)
        memcpy(r->cursor, next.p, next.n);
    return flow_done(f);
}

static enum step page_appended(struct flow *f)
{
    struct report_page *p = f->state;

    if (!store_job_append_read(p->append))
        return flow_fail(f, ERR_STATIC(JOB_LEASE_LOST));
    p->report->chunk++;
    return page_over(f, p);
}

static enum step page_came(struct flow *f)
{
    struct report_page *p = f->state;
    struct report *r = p->report;
    struct str csv;

    if (!p->rows.items.n && r->chunk > 0)
        return page_over(f, p);
    csv = page_as_csv(f, r, &p->rows);
    if (!csv.p)
        return flow_fail(f, ERR_STATIC(INTERNAL));
    p->append = store_job_append(f, r->task->id, r->task->fence, r->chunk, csv,
                                 percent_done(r, &p->rows));
    return flow_await(f, page_appended);
}

static enum step page_ask(struct flow *f)
{
    const struct jobs_env *env = f->env;
    struct report *r = f->state;
    struct report_page *p = ARENA_NEW(&f->arena, struct report_page);

    p->report = r;
    WIRE_SET(&p->in, from, r->period.from);
    WIRE_SET(&p->in, to, r->period.to);
    WIRE_SET(&p->in, limit, PAGE_ROWS);
    if (r->cursor_n)
        WIRE_SET(&p->in, cursor, ((struct str){r->cursor, r->cursor_n}));
    f->state = p;
    return rpc_await(f, env->rpc, &ORDERS_PERIOD, &p->in, &p->rows, page_came);
}

/* ---- all of them ----------------------------------------------------------------- */

static enum step report_next(struct flow *f)
{
    struct report *r = f->state;

    if (!r->more)
        return flow_done(f);
    part_start(f, &r->part, page_ask, r);
    return flow_await(f, report_next);
}

enum step report_work(struct flow *f)
{
    struct report *r = ARENA_NEW(&f->arena, struct report);

    r->task = f->in;
    r->progress = f->out;
    r->more = true;
    f->state = r;
    if (wire_from_msgpack(&f->arena, &report_create_msg, r->task->payload, &r->period))
        return flow_fail(f, ERR_STATIC(JOB_BAD_PAYLOAD));
    return report_next(f);
}
