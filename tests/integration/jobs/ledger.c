// SPDX-License-Identifier: Apache-2.0
/* One statement after the other. */
#include "ledger.h"

#include "jobs/migrations.h"
#include "jobs/store/statements.h"
#include "kit/pg/pg.h"
#include "tests/support/live/live.h"

#include <criterion/criterion.h>

struct database db;
struct loop *loop;
struct jobs_env env;

static bool pool_up(void *pool)
{
    return pg_pool_up(pool);
}

void ledger_begin(void)
{
    struct arena a;
    int applied;

    arena_init(&a);
    database_create(&db, "VIADUCT_JOBS_PG");
    cr_assert_null(pg_migrate(&a, db.conninfo, jobs_migrations, &applied));
    arena_fini(&a);
    loop = loop_create();
    env.cursor_secret = STR("0123456789abcdef0123456789abcdef");
    env.pg = pg_pool_create(loop, &(struct pg_conf){.conninfo = db.conninfo,
                                                    .stmts = jobs_statements,
                                                    .connections = 4,
                                                    .max_waiting = 1000,
                                                    .statement_timeout_ms = 10000,
                                                    .name = "test"});
    cr_assert(live_until(loop, pool_up, env.pg));
}

void ledger_end(void)
{
    pg_pool_destroy(env.pg);
    live_turns(loop, 1);
    loop_destroy(loop);
    database_drop(&db);
}

/* ---- flows ----------------------------------------------------------------------- */

struct asked {
    bool over;
    const struct wire_msg *msg;
    const struct err *err;
};

/* What the flow brought lies in its arena: packed and unpacked it lies in db's. */
static void keep_reply(struct flow *f, const struct wire_msg *m)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    wire_to_msgpack(&b, m, f->out);
    memset(f->out, 0, m->size);
    cr_assert_null(
        wire_from_msgpack(&db.arena, m, arena_str(&db.arena, buf_view(&b)), f->out));
    buf_fini(&b);
}

static void ended(struct flow *f, const struct err *err)
{
    struct asked *a = f->owner;

    a->err = err ? err_copy(&db.arena, err) : NULL;
    if (!err && a->msg)
        keep_reply(f, a->msg);
    a->over = true;
}

static bool is_over(void *asked)
{
    return ((struct asked *)asked)->over;
}

const struct err *ledger_flow(flow_step first, const void *in, void *out,
                              const struct wire_msg *m, struct caller caller)
{
    struct asked a = {.msg = m};
    struct flow *f = flow_create(loop, 30000, ended, &a);

    f->env = &env;
    f->in = in;
    f->out = out;
    f->caller = caller;
    flow_start(f, first);
    cr_assert(live_until(loop, is_over, &a));
    return a.err;
}

/* One statement: its parameters, how it begins, how its answer is read. */
struct operation {
    struct pg_query *(*start)(struct flow *f, struct operation *o);
    void (*read)(struct flow *f, struct operation *o);
    struct pg_query *query;
    struct uuid id;
    int64_t fence, number;
    const char *text;
    const void *in;
    void *out;
    bool yes;
    unsigned count;
};

static enum step operation_read(struct flow *f)
{
    struct operation *o = f->out;

    if (o->read)
        o->read(f, o);
    return flow_done(f);
}

static enum step operation_start(struct flow *f)
{
    struct operation *o = f->out;

    o->query = o->start(f, o);
    return flow_await(f, operation_read);
}

static void operate(struct operation *o)
{
    const struct err *err =
        ledger_flow(operation_start, NULL, o, NULL, (struct caller){0});

    cr_assert_null(err, "%s", err->code->name);
}

/* ---- statements ------------------------------------------------------------------ */

static struct pg_query *start_add(struct flow *f, struct operation *o)
{
    const struct job_new job = {
        .id = o->id, .kind = (enum job_kind)o->number, .payload = STR("payload")};

    return store_job_insert(f, &job)->work;
}

struct uuid ledger_add(enum job_kind kind)
{
    struct operation o = {.start = start_add, .id = uuid_new(), .number = kind};

    operate(&o);
    return o.id;
}

static struct pg_query *start_claim(struct flow *f, struct operation *o)
{
    return store_job_claim(f, o->id, str_of(o->text), LEASE_MS);
}

static void read_claim(struct flow *f, struct operation *o)
{
    struct job_claim *out = o->out;

    (void)f;
    o->yes = store_job_claim_read(o->query, out);
    if (!o->yes)
        return;
    out->payload = arena_str(&db.arena, out->payload);
    out->traceparent = arena_str(&db.arena, out->traceparent);
}

bool ledger_claim(struct uuid id, const char *worker, struct job_claim *out)
{
    struct job_claim unused;
    struct operation o = {.start = start_claim,
                          .read = read_claim,
                          .id = id,
                          .text = worker,
                          .out = out ? out : &unused};

    operate(&o);
    return o.yes;
}

static struct pg_query *start_begin(struct flow *f, struct operation *o)
{
    return store_job_begin(f, o->id, o->fence);
}

void ledger_begin_alone(struct uuid id, int64_t fence)
{
    struct operation o = {.start = start_begin, .id = id, .fence = fence};

    operate(&o);
}

static struct pg_query *start_heartbeat(struct flow *f, struct operation *o)
{
    const struct job_held held = {o->id, o->fence, 17};

    return store_jobs_heartbeat(f, &held, 1, LEASE_MS);
}

static void read_heartbeat(struct flow *f, struct operation *o)
{
    (void)f;
    o->yes = store_jobs_heartbeat_read(o->query, o->id, o->fence);
}

bool ledger_heartbeat(struct uuid id, int64_t fence)
{
    struct operation o = {
        .start = start_heartbeat, .read = read_heartbeat, .id = id, .fence = fence};

    operate(&o);
    return o.yes;
}

static void read_written(struct flow *f, struct operation *o)
{
    (void)f;
    o->yes = store_job_written(o->query);
}

static struct pg_query *start_succeed(struct flow *f, struct operation *o)
{
    return store_job_succeed(f, o->id, o->fence);
}

bool ledger_succeed(struct uuid id, int64_t fence)
{
    struct operation o = {
        .start = start_succeed, .read = read_written, .id = id, .fence = fence};

    operate(&o);
    return o.yes;
}

static struct pg_query *start_settle(struct flow *f, struct operation *o)
{
    return store_job_settle(f, o->id, o->fence, o->in);
}

bool ledger_settle(struct uuid id, int64_t fence, const struct job_settlement *s)
{
    struct operation o = {
        .start = start_settle, .read = read_written, .id = id, .fence = fence, .in = s};

    operate(&o);
    return o.yes;
}

static struct pg_query *start_append(struct flow *f, struct operation *o)
{
    return store_job_append(f, o->id, o->fence, o->number, str_of(o->text), 40);
}

static void read_append(struct flow *f, struct operation *o)
{
    (void)f;
    o->yes = store_job_append_read(o->query);
}

bool ledger_append(struct uuid id, int64_t fence, int64_t chunk, const char *bytes)
{
    struct operation o = {.start = start_append,
                          .read = read_append,
                          .id = id,
                          .fence = fence,
                          .number = chunk,
                          .text = bytes};

    operate(&o);
    return o.yes;
}

static struct pg_query *start_dispatch(struct flow *f, struct operation *o)
{
    return store_jobs_to_dispatch(f, o->number, o->count);
}

static void read_dispatch(struct flow *f, struct operation *o)
{
    (void)f;
    o->count = store_jobs_to_dispatch_count(o->query);
}

unsigned ledger_dispatch(int64_t again_ms, unsigned max)
{
    struct operation o = {
        .start = start_dispatch, .read = read_dispatch, .number = again_ms, .count = max};

    operate(&o);
    return o.count;
}

static struct pg_query *start_reap(struct flow *f, struct operation *o)
{
    (void)o;
    return store_jobs_reap(f, LEASE_MS, 3);
}

static void read_reap(struct flow *f, struct operation *o)
{
    (void)f;
    o->count = store_jobs_reap_count(o->query);
}

unsigned ledger_reap(void)
{
    struct operation o = {.start = start_reap, .read = read_reap};

    operate(&o);
    return o.count;
}

static struct pg_query *start_sweep(struct flow *f, struct operation *o)
{
    return store_jobs_sweep(f, o->number);
}

static void read_sweep(struct flow *f, struct operation *o)
{
    (void)f;
    o->count = (unsigned)o->query->rows.affected;
}

unsigned ledger_sweep(int64_t keep_ms)
{
    struct operation o = {.start = start_sweep, .read = read_sweep, .number = keep_ms};

    operate(&o);
    return o.count;
}

/* ---- behind the ledger's back ---------------------------------------------------- */

static const char *text_of(struct uuid id)
{
    return uuid_str(&db.arena, id).p;
}

void ledger_expire(struct uuid id, long ms)
{
    database_run(&db,
                 "UPDATE jobs SET lease_until = now() - %ld * interval '1 millisecond' "
                 "WHERE id = '%s'",
                 ms, text_of(id));
}

const char *ledger_column(struct uuid id, const char *column)
{
    return database_text(&db, "SELECT (%s)::text FROM jobs WHERE id = '%s'", column,
                         text_of(id));
}
