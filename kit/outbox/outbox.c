// SPDX-License-Identifier: Apache-2.0
/*
 * The relay as a state machine:
 *
 *     RESTING --timer, nudge, room--> READING --rows--> SENDING --reports--> MARKING -->
 * ...
 *
 * READING and MARKING are flows of one statement; SENDING waits for delivery reports.
 * What fails rests with a growing pause. MARKING is repeated until it is through: reading
 * again instead would send again.
 */
#include "kit/outbox/outbox.h"

#include "kit/base/clock.h"
#include "kit/base/log.h"
#include "kit/base/mem.h"
#include "kit/guard/backoff.h"
#include "kit/obs/metrics.h"
#include "kit/outbox/round.h"
#include "kit/pg/pg.h"
#include "sql.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    STATEMENT_MS = 10000,
    OTHERS_TURN_MS = 1000, /* how often to ask whether the lock is free */
    RETRY_MS = 200,
    RETRY_MAX_MS = 5000,
    SWEEP_MIN_MS = 100,
    SWEEP_MAX_MS = 60000,
    HEADERS = 4,
};

/* Locks are numbered per database, and this is the only one of its kind there. */
static const int64_t relay_lock = 0x766961647563746f;

enum relay_state {
    RELAY_RESTING,
    RELAY_READING,
    RELAY_SENDING,
    RELAY_MARKING,
    RELAY_OVER
};

struct outbox_relay {
    struct loop *loop;
    struct outbox_conf conf;
    struct kafka_producer *producer;
    struct pg_pool *pg;
    enum relay_state state;
    bool leader;             /* the last read had the lock */
    bool nudged;             /* rows came while we were busy */
    bool more;               /* the last batch was full */
    unsigned failures;       /* in a row */
    struct loop_timer timer; /* ends a rest, or a pause of MARKING */
    struct flow *flow;       /* of READING and MARKING */
    struct round *round;     /* of SENDING and MARKING */
    struct loop_timer sweep_timer;
    struct flow *sweep;
    struct metric *published, *age, *leads;
    _Atomic int64_t
        oldest_us; /* wall time of the oldest row not published, 0: none known */
};

enum { COL_MINE, COL_SEQ, COL_ID, COL_TYPE, COL_KEY, COL_BODY, COL_TRACE, COL_CREATED };

static void mark(struct outbox_relay *r);

/* ---- resting --------------------------------------------------------------------- */

static void rest(struct outbox_relay *r, int64_t ms)
{
    r->state = RELAY_RESTING;
    loop_timer_set(&r->timer, r->nudged && r->leader && !r->failures ? 0 : ms);
}

static void rest_after_failure(struct outbox_relay *r, const struct err *err)
{
    LOG_WARN(NULL, "outbox.delayed", KV("topic", r->conf.topic),
             KV("error", err ? err->code->name : "not delivered"));
    rest(r, backoff_ms(RETRY_MS, RETRY_MAX_MS, r->failures++));
}

static void go_on(struct outbox_relay *r)
{
    r->failures = 0;
    if (!r->leader)
        rest(r, OTHERS_TURN_MS);
    else
        rest(r, r->more ? 0 : r->conf.poll_ms);
}

/* ---- sending --------------------------------------------------------------------- */

static void add_header(struct kafka_header *headers, size_t *n, struct str name,
                       struct str value)
{
    if (value.p)
        headers[(*n)++] = (struct kafka_header){name, value};
}

/* false: the producer takes no more for now. */
static bool send_row(struct outbox_relay *r, const struct pg_rows *rows, int row)
{
    char id[UUID_TEXT_LEN], at[CLOCK_RFC3339_LEN];
    struct kafka_header headers[HEADERS];
    size_t n = 0;
    bool taken;

    uuid_format(pg_get_uuid(rows, row, COL_ID), id);
    clock_format_rfc3339(pg_get_time(rows, row, COL_CREATED), at);
    add_header(headers, &n, STR("id"), (struct str){id, sizeof id});
    add_header(headers, &n, STR("type"), pg_get_str(rows, row, COL_TYPE));
    add_header(headers, &n, STR("traceparent"), pg_get_str(rows, row, COL_TRACE));
    add_header(headers, &n, STR("created_at"), (struct str){at, sizeof at});
    taken = kafka_produce(r->producer, r->conf.topic, pg_get_str(rows, row, COL_KEY),
                          pg_get_str(rows, row, COL_BODY), headers, n, round_report,
                          round_row(r->round, pg_get_i64(rows, row, COL_SEQ)));
    if (!taken)
        round_row_back(r->round);
    return taken;
}

static void all_reported(void *owner, struct round *round)
{
    struct outbox_relay *r = owner;
    unsigned n;

    round_persisted(round, &n);
    r->more = r->more || n < round_sent(round);
    if (n) {
        mark(r);
        return;
    }
    round_destroy(round);
    r->round = NULL;
    rest_after_failure(r, NULL); /* room in the producer ends this rest early */
}

static void send_rows(struct outbox_relay *r, const struct pg_rows *rows)
{
    int row = 0;

    r->state = RELAY_SENDING;
    r->round = round_create((unsigned)rows->count, all_reported, r);
    while (row < rows->count && send_row(r, rows, row))
        row++;
    r->more = row < rows->count || (unsigned)rows->count == r->conf.batch;
    round_sealed(r->round);
}

/* ---- reading --------------------------------------------------------------------- */

static enum step read_done(struct flow *f)
{
    return flow_done(f);
}

static enum step read_rows(struct flow *f)
{
    struct outbox_relay *r = f->owner;
    struct pg_query *q = pg_query(f, r->pg, &sql_outbox_read);

    pg_i64(q, relay_lock);
    pg_i64(q, r->conf.batch);
    f->state = q;
    return pg_await(f, q, read_done);
}

/* The thread that renders metrics asks, so that the age grows while Kafka is away. */
static void collect_age(void *arg)
{
    struct outbox_relay *r = arg;
    int64_t oldest_us = atomic_load(&r->oldest_us);
    int64_t age_us = oldest_us ? clock_wall_us() - oldest_us : 0;

    metric_set_double(r->age, age_us > 0 ? (double)age_us / 1e6 : 0);
}

static void observe(struct outbox_relay *r, const struct pg_rows *rows)
{
    bool leader = pg_get_flag(rows, 0, COL_MINE);

    atomic_store(&r->oldest_us, leader ? pg_get_time(rows, 0, COL_CREATED) : 0);
    if (leader == r->leader)
        return;
    r->leader = leader;
    metric_set(r->leads, leader);
    LOG_INFO(NULL, "outbox.leader", KV("topic", r->conf.topic), KV("leader", leader));
}

static void read_ended(struct flow *f, const struct err *err)
{
    struct outbox_relay *r = f->owner;
    const struct pg_query *q = f->state;

    if (r->state == RELAY_OVER)
        return;
    r->flow = NULL;
    if (err) {
        rest_after_failure(r, err);
        return;
    }
    observe(r, &q->rows);
    if (r->leader && !pg_is_null(&q->rows, 0, COL_SEQ)) {
        send_rows(r, &q->rows);
        return;
    }
    r->more = false;
    go_on(r);
}

static void begin_read(struct outbox_relay *r)
{
    r->state = RELAY_READING;
    r->nudged = false;
    r->flow = flow_create(r->loop, STATEMENT_MS, read_ended, r);
    flow_start(r->flow, read_rows);
}

/* ---- marking --------------------------------------------------------------------- */

static enum step mark_rows(struct flow *f)
{
    struct outbox_relay *r = f->owner;
    struct pg_query *q = pg_query(f, r->pg, &sql_outbox_mark);
    unsigned n;
    const int64_t *seqs = round_persisted(r->round, &n);

    pg_i64_array(q, seqs, n);
    return pg_await(f, q, read_done);
}

static void mark_ended(struct flow *f, const struct err *err)
{
    struct outbox_relay *r = f->owner;
    unsigned n;

    if (r->state == RELAY_OVER)
        return;
    r->flow = NULL;
    if (err) {
        LOG_WARN(NULL, "outbox.mark_delayed", KV("error", err->code->name));
        loop_timer_set(&r->timer, backoff_ms(RETRY_MS, RETRY_MAX_MS, r->failures++));
        return;
    }
    round_persisted(r->round, &n);
    metric_add(r->published, n);
    round_destroy(r->round);
    r->round = NULL;
    go_on(r);
}

static void mark(struct outbox_relay *r)
{
    r->state = RELAY_MARKING;
    r->flow = flow_create(r->loop, STATEMENT_MS, mark_ended, r);
    flow_start(r->flow, mark_rows);
}

static void timer_fired(struct loop_timer *t)
{
    struct outbox_relay *r = CONTAINER_OF(t, struct outbox_relay, timer);

    if (r->state == RELAY_RESTING)
        begin_read(r);
    else if (r->state == RELAY_MARKING && !r->flow)
        mark(r);
}

/* ---- sweeping -------------------------------------------------------------------- */

/* Often enough that rows live at most a tenth longer than they should. */
static int64_t sweep_pause_ms(const struct outbox_relay *r)
{
    int64_t ms = r->conf.keep_ms / 10;

    return ms < SWEEP_MIN_MS ? SWEEP_MIN_MS : ms > SWEEP_MAX_MS ? SWEEP_MAX_MS : ms;
}

static enum step sweep_rows(struct flow *f)
{
    struct outbox_relay *r = f->owner;
    struct pg_query *q = pg_query(f, r->pg, &sql_outbox_sweep);

    pg_i64(q, r->conf.keep_ms);
    f->state = q;
    return pg_await(f, q, read_done);
}

static void sweep_ended(struct flow *f, const struct err *err)
{
    struct outbox_relay *r = f->owner;
    const struct pg_query *q = f->state;

    if (r->state == RELAY_OVER)
        return;
    r->sweep = NULL;
    loop_timer_set(&r->sweep_timer, !err && q->rows.affected ? 0 : sweep_pause_ms(r));
}

static void sweep(struct loop_timer *t)
{
    struct outbox_relay *r = CONTAINER_OF(t, struct outbox_relay, sweep_timer);

    if (!r->leader) {
        loop_timer_set(t, sweep_pause_ms(r));
        return;
    }
    r->sweep = flow_create(r->loop, STATEMENT_MS, sweep_ended, r);
    flow_start(r->sweep, sweep_rows);
}

/* ---- life ------------------------------------------------------------------------ */

void outbox_relay_nudge(struct outbox_relay *r)
{
    r->nudged = true;
    if (r->state == RELAY_RESTING && r->leader && !r->failures)
        loop_timer_set(&r->timer, 0);
}

static void room_in_producer(void *arg)
{
    struct outbox_relay *r = arg;

    if (r->state == RELAY_RESTING)
        loop_timer_set(&r->timer, 0);
}

static struct pg_pool *make_pool(struct loop *l, const char *conninfo)
{
    static const struct pg_stmt *const stmts[] = {&sql_outbox_read, &sql_outbox_mark,
                                                  &sql_outbox_sweep, NULL};
    const struct pg_conf conf = {
        .conninfo = conninfo,
        .stmts = stmts,
        .connections = 1, /* the lock is the connection's */
        .max_waiting = 8,
        .statement_timeout_ms = STATEMENT_MS,
        .name = "outbox",
    };

    return pg_pool_create(l, &conf);
}

static void find_metrics(struct outbox_relay *r)
{
    r->published = metrics_counter("viaduct_outbox_published_total",
                                   "Events that are in Kafka and marked", NULL);
    r->age = metrics_gauge("viaduct_outbox_age_seconds",
                           "Age of the oldest event that was not published", NULL);
    r->leads = metrics_gauge("viaduct_outbox_leader",
                             "1 when this process relays the outbox", NULL);
}

struct outbox_relay *outbox_relay_create(struct loop *l, const struct outbox_conf *conf,
                                         struct kafka_producer *producer)
{
    struct outbox_relay *r = MEM_NEW(struct outbox_relay);

    r->loop = l;
    r->conf = *conf;
    r->conf.topic = mem_strdup(conf->topic);
    r->producer = producer;
    r->pg = make_pool(l, conf->conninfo);
    find_metrics(r);
    metrics_collect(collect_age, r);
    loop_timer_init(&r->timer, l, timer_fired);
    loop_timer_init(&r->sweep_timer, l, sweep);
    loop_timer_set(&r->sweep_timer, sweep_pause_ms(r));
    kafka_producer_on_room(producer, room_in_producer, r);
    rest(r, 0);
    return r;
}

void outbox_relay_destroy(struct outbox_relay *r)
{
    if (!r)
        return;
    r->state = RELAY_OVER;
    metrics_uncollect(collect_age, r);
    kafka_producer_on_room(r->producer, NULL, NULL);
    loop_timer_clear(&r->timer);
    loop_timer_clear(&r->sweep_timer);
    if (r->flow)
        flow_cancel(r->flow, ERR_STATIC(CANCELLED));
    if (r->sweep)
        flow_cancel(r->sweep, ERR_STATIC(CANCELLED));
    round_abandon(r->round);
    pg_pool_destroy(r->pg);
    free((void *)(uintptr_t)r->conf.topic);
    free(r);
}
