// SPDX-License-Identifier: Apache-2.0
/* Several replicas: shares, loss of one, rolling, names. */
#include "kit/base/clock.h"
#include "kit/obs/metrics.h"
#include "tests/support/rpc/rig.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* As long as a busy machine may need to begin all, and to kill. */
enum { WORK_MS = 3000 };

struct fleet {
    pid_t pids[3];
    char urls[3][200];
    char all[700];
};

static void spawn_fleet(struct fleet *f)
{
    rig_init();
    for (int i = 0; i < 3; i++)
        f->pids[i] = rig_spawn(&(struct rig_conf){.url = rig_tcp()}, f->urls[i],
                               sizeof f->urls[i]);
    snprintf(f->all, sizeof f->all, "%s, %s,%s", f->urls[0], f->urls[1], f->urls[2]);
    rig_connect(f->all);
}

/* Until all three take calls: else the first calls all go to whoever was up first. */
static int64_t up(void)
{
    return metric_value(metrics_gauge("viaduct_hop_replicas", "", "upstream", "rig",
                                      "state", "up", NULL));
}

static bool all_three_up(void *unused)
{
    (void)unused;
    return up() == 3;
}

static void end_fleet(struct fleet *f)
{
    rig_disconnect();
    for (int i = 0; i < 3; i++) {
        kill(f->pids[i], SIGKILL);
        rig_reap(f->pids[i]);
    }
}

static bool all_begun(void *n)
{
    return atomic_load(&rig_counts->begun) >= *(unsigned *)n;
}

Test(rpc_replicas, ten_thousand_at_once_spread_and_come_back)
{
    enum { N = 10000 };
    static struct rig_outcome o[N];
    static struct fleet f;
    int good = 0;

    spawn_fleet(&f);
    cr_assert(rig_until(all_three_up, NULL));
    for (int i = 0; i < N; i++)
        rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .text = "one", .number = 300},
                  &o[i]);
    cr_assert(rig_until(rig_all_ended, NULL));
    for (int i = 0; i < N; i++)
        good += o[i].code == NULL;
    cr_assert_eq(good, N);
    end_fleet(&f);
}

Test(rpc_replicas, a_killed_replica_costs_reads_nothing_and_doubles_no_write)
{
    enum { N = 200 };
    static struct rig_outcome reads[N], writes[N];
    static struct fleet f;
    unsigned all = 2 * N;
    int unknown = 0;

    spawn_fleet(&f);
    cr_assert(rig_until(all_three_up, NULL));
    for (int i = 0; i < 3 * N; i++) /* fills the retry budget, as traffic does */
        rig_do(&(struct rig_call){.method = &RIG_FAIL}, &reads[0]);
    for (int i = 0; i < N; i++) {
        rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .number = WORK_MS}, &reads[i]);
        rig_begin(&(struct rig_call){.method = &RIG_WORK, .number = WORK_MS}, &writes[i]);
    }
    cr_assert(rig_until(all_begun, &all));
    kill(f.pids[1], SIGKILL);
    cr_assert(rig_until(rig_all_ended, NULL));
    for (int i = 0; i < N; i++) {
        cr_assert_null(reads[i].code, "read %d: %s", i, reads[i].code->name);
        cr_assert(!writes[i].code || writes[i].code == &ERR_CODE_UNKNOWN_OUTCOME);
        unknown += writes[i].code != NULL;
    }
    cr_assert_gt(unknown, 0, "the killed replica must have had some");
    end_fleet(&f);
}

/* A hundred are lost at once, which is more than a fifth of all. */
Test(rpc_replicas, a_key_makes_a_write_repeatable_and_answers_pay_for_it)
{
    enum { N = 300 };
    static struct rig_outcome o[N];
    static struct fleet f;
    unsigned all = N;

    spawn_fleet(&f);
    cr_assert(rig_until(all_three_up, NULL));
    for (int i = 0; i < 120; i++)
        rig_do(&(struct rig_call){.method = &RIG_FAIL}, &o[0]);
    for (int i = 0; i < N; i++)
        rig_begin(&(struct rig_call){.method = &RIG_WORK, .number = WORK_MS, .key = "k"},
                  &o[i]);
    cr_assert(rig_until(all_begun, &all));
    kill(f.pids[0], SIGKILL);
    cr_assert(rig_until(rig_all_ended, NULL));
    for (int i = 0; i < N; i++)
        cr_assert_null(o[i].code);
    end_fleet(&f);
}

/* Nothing has been answered, so nothing else pays. */
Test(rpc_replicas, a_loss_is_repeated_within_the_retry_budget)
{
    enum { N = 600 };
    static struct rig_outcome o[N];
    static struct fleet f;
    int64_t begun_us = clock_mono_us(), seconds;
    unsigned all = N, lost = 0;

    spawn_fleet(&f);
    cr_assert(rig_until(all_three_up, NULL));
    for (int i = 0; i < N; i++)
        rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .number = WORK_MS}, &o[i]);
    cr_assert(rig_until(all_begun, &all));
    kill(f.pids[0], SIGKILL);
    cr_assert(rig_until(rig_all_ended, NULL));
    seconds = (clock_mono_us() - begun_us) / 1000000 + 1; /* each brings three more */
    for (int i = 0; i < N; i++)
        lost += o[i].code == &ERR_CODE_UNAVAILABLE;
    cr_assert_leq(atomic_load(&rig_counts->begun), N + N / 5 + 3 + 3 * seconds);
    cr_assert_geq(atomic_load(&rig_counts->begun) + lost, N + N / 4, "few were lost");
    end_fleet(&f);
}

static int64_t breakers(const struct fleet *f)
{
    char target[220];
    int64_t sum = 0;

    for (int i = 0; i < 3; i++) {
        (void)snprintf(target, sizeof target, "rig@%s", f->urls[i]);
        sum += metric_value(
            metrics_gauge("viaduct_breaker_state", "", "target", target, NULL));
    }
    return sum;
}

/* Two calls of five fail, on every replica: no breaker opens, and each failed one wants
 * another try, of which two of five fail again: without a budget 1.56 times the calls. */
Test(rpc_replicas, where_no_breaker_acts_the_budget_keeps_retries_to_a_fifth)
{
    enum { BURST = 50, BURSTS = 100, N = BURST * BURSTS };
    static struct rig_outcome o[BURST];
    static struct fleet f;
    int64_t begun_us, seconds;
    unsigned before, begun;

    spawn_fleet(&f);
    cr_assert(rig_until(all_three_up, NULL));
    for (int i = 0; i < 300; i++) /* no ten failures are half of what a breaker knows */
        rig_do(&(struct rig_call){.method = &RIG_FAIL}, &o[0]);
    before = atomic_load(&rig_counts->begun);
    begun_us = clock_mono_us();
    for (int i = 0; i < BURSTS; i++) {
        for (int j = 0; j < BURST; j++)
            rig_begin(&(struct rig_call){.method = &RIG_FLAKY}, &o[j]);
        cr_assert(rig_until(rig_all_ended, NULL));
        cr_assert_eq(breakers(&f), 0, "a breaker is what limits");
    }
    seconds = (clock_mono_us() - begun_us) / 1000000 + 1; /* each brings three more */
    begun = atomic_load(&rig_counts->begun) - before;
    cr_assert_leq(begun, N + (N + 300) / 5 + 3 + 3 * seconds);
    cr_assert_geq(begun, N + N / 6, "the budget is not what limits");
    end_fleet(&f);
}

/* ---- rolling: a steady stream of writes while replicas drain and come back -- */

static int failed, answered;
static bool streaming;

struct stream {
    struct rig_outcome o;
    struct loop_timer timer;
};

static void next_call(struct loop_timer *t)
{
    struct stream *s = CONTAINER_OF(t, struct stream, timer);

    if (s->o.ended) {
        answered++;
        if (s->o.code && ++failed < 5)
            cr_log_error("failed: %s", s->o.code->name);
        s->o.ended = false;
        if (!streaming)
            return;
        rig_begin(&(struct rig_call){.method = &RIG_WORK, .number = 1}, &s->o);
    }
    loop_timer_set(t, 0);
}

static bool has_answered(void *more)
{
    return answered >= *(int *)more;
}

static void run_for_answers(int n)
{
    int goal = answered + n;

    cr_assert(rig_until(has_answered, &goal));
}

Test(rpc_replicas, a_rolling_restart_fails_no_call)
{
    static struct stream streams[32];
    static struct fleet f;

    spawn_fleet(&f);
    cr_assert(rig_until(all_three_up, NULL));
    streaming = true;
    for (int i = 0; i < 32; i++) {
        loop_timer_init(&streams[i].timer, rig_loop, next_call);
        streams[i].o.ended = true;
        loop_timer_set(&streams[i].timer, 0);
    }
    for (int round = 0; round < 6; round++) {
        int i = round % 3;

        run_for_answers(500);
        kill(f.pids[i], SIGTERM);
        run_for_answers(500);
        cr_assert_eq(rig_reap(f.pids[i]), 0);
        f.pids[i] = rig_spawn(&(struct rig_conf){.url = f.urls[i]}, NULL, 0);
        cr_assert(rig_until(all_three_up, NULL));
    }
    streaming = false;
    cr_assert(rig_until(rig_all_ended, NULL));
    cr_assert_eq(failed, 0, "%d of %d", failed, answered);
    cr_assert_eq(atomic_load(&rig_counts->cut_off), 0u);
    end_fleet(&f);
}

static bool two_up(void *unused)
{
    (void)unused;
    return up() == 2;
}

/* Six calls go evenly to both; the full one begins one of its three. */
Test(rpc_replicas, an_overloaded_replica_hands_on_what_it_has_not_begun)
{
    enum { N = 6 };
    static struct rig_outcome o[N];
    struct rig_server *full, *roomy;
    char urls[400];

    rig_init();
    full = rig_server_start(&(struct rig_conf){.url = rig_ipc("a"), .max_in_flight = 1});
    roomy = rig_server_start(&(struct rig_conf){.url = rig_ipc("b")});
    snprintf(urls, sizeof urls, "%s,%s", rig_server_url(full), rig_server_url(roomy));
    rig_connect(urls);
    cr_assert(rig_until(two_up, NULL));
    for (int i = 0; i < N; i++)
        rig_begin(&(struct rig_call){.method = &RIG_WORK, .number = 100}, &o[i]);
    cr_assert(rig_until(rig_all_ended, NULL));
    for (int i = 0; i < N; i++)
        cr_assert_null(o[i].code);
    cr_assert_eq(atomic_load(&rig_counts->begun), (unsigned)N);
    rig_disconnect();
    rig_server_stop(full);
    rig_server_stop(roomy);
}

Test(rpc_replicas, a_host_name_is_resolved)
{
    struct rig_outcome o;
    char url[200], name[200];
    pid_t pid;

    rig_init();
    pid = rig_spawn(&(struct rig_conf){.url = "tcp://127.0.0.1:0"}, url, sizeof url);
    snprintf(name, sizeof name, "tcp://localhost%s", strrchr(url, ':'));
    rig_connect(name);
    rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = "by name"}, &o);
    cr_assert_str_eq(o.text, "by name");
    rig_disconnect();
    kill(pid, SIGKILL);
    rig_reap(pid);
}

Test(rpc_replicas, bad_urls_are_named)
{
    static const char *const BAD[] = {"",
                                      "tcp://",
                                      "tcp://host",
                                      "tcp://:80",
                                      "tcp://host:0",
                                      "tcp://host:99999",
                                      "http://a:1",
                                      "ipc:///a,,ipc:///b",
                                      "host:7101"};
    const struct rpc_client_conf conf = {.self = "test"};
    struct rpc_client *c;
    struct arena a;

    arena_init(&a);
    rpc_process_init();
    rig_loop = loop_create();
    c = rpc_client_create(rig_loop, &conf);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        const struct err *err = rpc_client_add(c, &a, "rig", BAD[i]);

        cr_assert_not_null(err, "'%s' was taken", BAD[i]);
        cr_assert_gt(err->detail.n, 0);
    }
    rpc_client_destroy(c);
    loop_destroy(rig_loop);
    arena_fini(&a);
}
