// SPDX-License-Identifier: Apache-2.0
/* Everything that viaduct-jobs makes, made in a test. */
#include "pipeline.h"

#include "jobs/kinds/mailer.h"
#include "jobs/migrations.h"
#include "jobs/relay/dispatcher.h"
#include "jobs/relay/intake.h"
#include "jobs/relay/upkeep.h"
#include "jobs/rules/payloads.h"
#include "jobs/store/statements.h"
#include "kit/pg/pg.h"
#include "kit/rpc/client.h"
#include "proto/errors.h"
#include "proto/events.h"
#include "tests/support/stack/mail.h"

#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdlib.h>

enum {
    LEASE_MS = 30000, /* not lost by a machine that is slow for a while */
    SHORT_LEASE_MS = 2000,
    HEARTBEAT_MS = 200,
    AGAIN_MS = 2000,
    END_MS = 10000
};

struct database db;
struct loop *loop;
struct jobs_env env;
struct worker *worker;
const char *address;

static struct arena arena;
static const char *brokers, *topic;
static struct kafka_producer *producer;
static struct dispatcher *dispatcher;
static struct event_intake *intake;
static struct upkeep *upkeep;
static int lock = -1;
static int64_t lease_ms;

/* ---- servers --------------------------------------------------------------------- */

/* The worker's topics and groups have fixed names, so one test at a time has the servers.
 */
static void take_servers(void)
{
    lock = live_lock(PIPELINE_SERVERS);
    cr_assert(live_server("start", "kafka", PIPELINE_SERVERS));
    cr_assert(live_server("start", "smtp", PIPELINE_SERVERS));
    brokers =
        arena_printf(&arena, "127.0.0.1:%d", live_server_port("kafka", PIPELINE_SERVERS))
            .p;
    setenv("VIADUCT_TEST_MAILDIR",
           arena_printf(&arena, "%s/.dev/state/" PIPELINE_SERVERS "/smtp/mail",
                        live_setting("VIADUCT_SOURCE"))
               .p,
           1);
}

/* In the runner, when all cases are over. */
ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    (void)stats;
    (void)live_server("stop", "kafka", PIPELINE_SERVERS);
    (void)live_server("stop", "smtp", PIPELINE_SERVERS);
}

/* ---- parts ----------------------------------------------------------------------- */

static void open_ledger(void)
{
    int applied;

    database_create(&db, "VIADUCT_JOBS_PG");
    cr_assert_null(pg_migrate(&arena, db.conninfo, jobs_migrations, &applied));
    env.pg = pg_pool_create(loop, &(struct pg_conf){.conninfo = db.conninfo,
                                                    .stmts = jobs_statements,
                                                    .connections = 2,
                                                    .max_waiting = 1000,
                                                    .statement_timeout_ms = 10000,
                                                    .name = "test"});
}

static void open_relay(void)
{
    const struct kafka_conf kafka = {brokers, "jobs-test"};
    const struct event_intake_conf events = {brokers, topic, topic};

    cr_assert_null(kafka_producer_create(&arena, loop, &kafka, &producer));
    cr_assert_null(event_intake_create(&arena, loop, &events, &env, &intake));
    dispatcher = dispatcher_create(
        loop, &(struct dispatcher_conf){.poll_ms = 50, .again_ms = AGAIN_MS}, &env,
        producer);
    env.queued = dispatcher_nudge;
    env.queued_arg = dispatcher;
    upkeep = upkeep_create(
        loop,
        &(struct upkeep_conf){.lease_ms = lease_ms, .every_ms = 100, .keep_ms = 3600000},
        &env);
}

static void open_tools(void)
{
    const struct rpc_client_conf rpc = {.self = "jobs", .codes = ERR_CODES};
    const char *url = arena_printf(&arena, "smtp://127.0.0.1:%d",
                                   live_server_port("smtp", PIPELINE_SERVERS))
                          .p;

    peers_start(loop);
    env.rpc = rpc_client_create(loop, &rpc);
    cr_assert_null(rpc_client_add(env.rpc, &arena, "users", peers_users_url()));
    cr_assert_null(rpc_client_add(env.rpc, &arena, "orders", peers_orders_url()));
    env.mailer = mailer_create(&(struct mailer_conf){.url = url});
    env.mail_from = STR("Test Shop <shop@viaduct.example>");
}

static bool services_up(void *arg)
{
    (void)arg;
    return pg_pool_up(env.pg) && rpc_client_up(env.rpc, "users") &&
           rpc_client_up(env.rpc, "orders");
}

static void begin_with(int64_t ms)
{
    lease_ms = ms;
    arena_init(&arena);
    rpc_process_init();
    take_servers();
    loop = loop_create();
    topic = live_name(&arena, "events");
    address = arena_printf(&arena, "%s@example.com", live_name(&arena, "ada")).p;
    peers = (struct peers){.email = address, .name = "Ada L\xc3\xb6we"};
    open_ledger();
    open_relay();
    open_tools();
    cr_assert(live_until(loop, services_up, NULL));
    pipeline_worker_start();
}

void pipeline_begin(void)
{
    begin_with(LEASE_MS);
}

void pipeline_begin_short(void)
{
    begin_with(SHORT_LEASE_MS);
}

void pipeline_end(void)
{
    pipeline_worker_stop();
    mailer_destroy(env.mailer);
    rpc_client_destroy(env.rpc);
    event_intake_destroy(intake);
    upkeep_destroy(upkeep);
    dispatcher_destroy(dispatcher);
    kafka_producer_destroy(producer, END_MS);
    peers_stop(loop);
    pg_pool_destroy(env.pg);
    live_turns(loop, 1);
    loop_destroy(loop);
    database_drop(&db);
    arena_fini(&arena);
    live_unlock(lock);
}

void pipeline_worker_start(void)
{
    const struct worker_conf conf = {
        .brokers = brokers,
        .name = worker_name(&arena),
        .lease_ms = lease_ms,
        .heartbeat_ms = HEARTBEAT_MS,
        .at_once = 4,
    };

    cr_assert_null(worker_create(&arena, loop, &conf, &env, &worker));
}

void pipeline_worker_stop(void)
{
    worker_destroy(worker);
    worker = NULL;
}

/* ---- events ---------------------------------------------------------------------- */

static void reported(void *arg, bool ok)
{
    (void)arg;
    cr_assert(ok);
}

void pipeline_event(struct uuid event, const char *type, struct str body)
{
    struct str id = uuid_str(&arena, event);
    const struct kafka_header headers[] = {{STR("id"), id}, {STR("type"), str_of(type)}};

    cr_assert(kafka_produce(producer, topic, id, body, headers, 2, reported, NULL));
}

void pipeline_registered(struct uuid event, struct uuid user)
{
    struct user_registered body = {0};

    WIRE_SET(&body, user_id, user);
    pipeline_event(event, EVENT_USER_REGISTERED,
                   payload_pack(&arena, &user_registered_msg, &body));
}

void pipeline_placed(struct uuid event, struct uuid user, struct uuid order)
{
    struct order_placed body = {0};

    WIRE_SET(&body, user_id, user);
    WIRE_SET(&body, order_id, order);
    pipeline_event(event, EVENT_ORDER_PLACED,
                   payload_pack(&arena, &order_placed_msg, &body));
}

struct uuid pipeline_report(void)
{
    struct uuid id = uuid_new();
    struct report_create in = {0};
    struct str payload;
    char *hex;

    WIRE_SET(&in, from, 0);
    WIRE_SET(&in, to, peers.rows + 1);
    payload = payload_pack(&arena, &report_create_msg, &in);
    hex = arena_alloc(&arena, payload.n * 2 + 1);
    hex_encode(payload.p, payload.n, hex);
    database_run(&db,
                 "INSERT INTO jobs (id, kind, payload) VALUES ('%s', 'report', '\\x%s')",
                 uuid_str(&arena, id).p, hex);
    return id;
}

/* ---- waiting --------------------------------------------------------------------- */

struct expected {
    long n;
    const char *sql;
};

static bool number_is(void *arg)
{
    const struct expected *e = arg;

    return database_number(&db, "%s", e->sql) == e->n;
}

void pipeline_wait_number(long n, const char *sql)
{
    struct expected e = {n, sql};

    cr_assert(live_until(loop, number_is, &e), "%s: %ld instead of %ld\n%s", sql,
              database_number(&db, "%s", sql), n,
              database_text(&db, "SELECT string_agg(jobs::text, '\n') FROM jobs"));
}

void pipeline_wait(long n, const char *state)
{
    pipeline_wait_number(
        n, arena_printf(&arena, "SELECT count(*) FROM jobs WHERE state = '%s'", state).p);
}

long pipeline_mails(const char *word)
{
    return mail_count(address, word);
}
