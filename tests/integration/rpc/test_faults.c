// SPDX-License-Identifier: Apache-2.0
/* Services that die, hang, refuse, or come back. */
#include "kit/obs/metrics.h"
#include "tests/support/rpc/rig.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <time.h>

enum { SOON_MS = 50000 }; /* below what the service would take */

static bool all_begun(void *n)
{
    return atomic_load(&rig_counts->begun) >= *(unsigned *)n;
}

static int count_code(const struct rig_outcome *o, int n, const struct err_code *code)
{
    int found = 0;

    for (int i = 0; i < n; i++)
        found += o[i].ended && o[i].code == code && o[i].took_ms < SOON_MS;
    return found;
}

Test(rpc_faults, calls_to_a_killed_service_fail_at_once_by_what_they_are)
{
    enum { N = 100 };
    static struct rig_outcome reads[N], writes[N];
    unsigned all = 2 * N;
    char url[200];
    pid_t pid;

    rig_init();
    pid = rig_spawn(&(struct rig_conf){.url = "tcp://127.0.0.1:0"}, url, sizeof url);
    rig_connect(url);
    for (int i = 0; i < N; i++) {
        rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .number = 60000}, &reads[i]);
        rig_begin(&(struct rig_call){.method = &RIG_WORK, .number = 60000}, &writes[i]);
    }
    cr_assert(rig_until(all_begun, &all));
    kill(pid, SIGKILL);
    cr_assert(rig_until(rig_all_ended, NULL));
    cr_assert_eq(count_code(reads, N, &ERR_CODE_UNAVAILABLE), N);
    cr_assert_eq(count_code(writes, N, &ERR_CODE_UNKNOWN_OUTCOME), N);
    rig_reap(pid);
}

Test(rpc_faults, without_a_service_a_call_is_unavailable_at_once)
{
    struct rig_outcome o;
    char url[200];
    pid_t pid;

    rig_init();
    pid = rig_spawn(&(struct rig_conf){.url = rig_ipc("gone")}, url, sizeof url);
    rig_connect(url);
    kill(pid, SIGKILL);
    rig_reap(pid);
    cr_assert(rig_until(rig_is_down, NULL));
    rig_do(&(struct rig_call){.method = &RIG_WORK}, &o);
    cr_assert_eq(o.code, &ERR_CODE_UNAVAILABLE);
    cr_assert_gt(o.retry_after_ms, 0);
    cr_assert_lt(o.took_ms, SOON_MS);
}

Test(rpc_faults, calls_resume_when_the_service_is_back)
{
    struct rig_outcome o;
    char url[200];

    rig_init();
    for (int round = 0; round < 5; round++) {
        pid_t pid = rig_spawn(&(struct rig_conf){.url = round ? url : rig_tcp()}, url,
                              sizeof url);

        if (round == 0)
            rig_connect(url);
        cr_assert(rig_until(rig_is_up, NULL), "round %d", round);
        rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = "back"}, &o);
        cr_assert_str_eq(o.text, "back");
        kill(pid, SIGKILL);
        rig_reap(pid);
        cr_assert(rig_until(rig_is_down, NULL));
    }
}

static bool all_cut_off(void *n)
{
    return atomic_load(&rig_counts->cut_off) == *(unsigned *)n;
}

Test(rpc_faults, a_stopped_process_costs_its_calls_no_more_than_their_deadline)
{
    static struct rig_outcome o[20];
    unsigned late = 21;
    char url[200];
    pid_t pid;

    rig_init();
    pid = rig_spawn(&(struct rig_conf){.url = "tcp://127.0.0.1:0"}, url, sizeof url);
    rig_connect(url);
    kill(pid, SIGSTOP);
    for (int i = 0; i < 20; i++)
        rig_begin(
            &(struct rig_call){.method = &RIG_WORK, .number = 60000, .timeout_ms = 100},
            &o[i]);
    cr_assert(rig_until(rig_all_ended, NULL));
    cr_assert_eq(count_code(o, 20, &ERR_CODE_DEADLINE), 20);
    rig_do(&(struct rig_call){.method = &RIG_BRIEF, .number = 60000},
           &o[0]); /* its own */
    cr_assert_eq(o[0].code, &ERR_CODE_DEADLINE);
    kill(pid, SIGCONT);
    do {
        rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = "awake"}, &o[0]);
    } while (o[0].code == &ERR_CODE_UNAVAILABLE);
    cr_assert_str_eq(o[0].text, "awake");
    cr_assert(rig_until(all_cut_off, &late), "nobody waits for these any more");
    kill(pid, SIGKILL);
    rig_reap(pid);
}

Test(rpc_faults, a_service_that_hangs_is_given_up_and_taken_again)
{
    struct rig_outcome o;
    char url[200];
    pid_t pid;

    rig_init();
    pid = rig_spawn(&(struct rig_conf){.url = rig_ipc("hung")}, url, sizeof url);
    rig_connect(url);
    kill(pid, SIGSTOP);
    rig_begin(&(struct rig_call){.method = &RIG_WORK}, &o);
    cr_assert(rig_until(rig_is_down, NULL), "silence must end the connection");
    cr_assert(rig_until(rig_all_ended, NULL));
    cr_assert_eq(o.code, &ERR_CODE_UNKNOWN_OUTCOME);
    kill(pid, SIGCONT);
    cr_assert(rig_until(rig_is_up, NULL));
    kill(pid, SIGKILL);
    rig_reap(pid);
}

Test(rpc_faults, a_failing_service_is_left_alone_by_the_breaker)
{
    struct rig_outcome o = {0};
    struct rig_server *s;
    int calls = 0;

    rig_init();
    s = rig_server_start(&(struct rig_conf){.url = "tcp://127.0.0.1:0"});
    rig_connect(rig_server_url(s));
    while (o.code != &ERR_CODE_UNAVAILABLE && calls++ < 1000)
        rig_do(&(struct rig_call){.method = &RIG_BREAK}, &o);
    cr_assert_lt(calls, 1000);
    cr_assert_gt(o.retry_after_ms, 0);
    cr_assert_not(rpc_client_up(rig_client, "rig"));
    cr_assert(rig_until(rig_is_up, NULL), "it must let probes through after a while");
    rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = "well"}, &o);
    cr_assert_str_eq(o.text, "well");
    rig_disconnect();
    rig_server_stop(s);
}

Test(rpc_faults, a_full_service_says_overloaded_and_has_not_begun)
{
    struct rig_outcome first, second;
    struct rig_server *s;
    unsigned one = 1;

    rig_init();
    s = rig_server_start(
        &(struct rig_conf){.url = "tcp://127.0.0.1:0", .max_in_flight = 1});
    rig_connect(rig_server_url(s));
    rig_begin(&(struct rig_call){.method = &RIG_WORK, .number = 60000}, &first);
    cr_assert(rig_until(all_begun, &one));
    rig_begin(&(struct rig_call){.method = &RIG_WORK, .number = 60000}, &second);
    while (!second.ended)
        rig_until(all_begun, &one);
    cr_assert_eq(second.code, &ERR_CODE_SHED);
    cr_assert_eq(atomic_load(&rig_counts->begun), 1u);
    rig_disconnect();
    rig_server_stop(s);
}

static bool now(void *unused)
{
    (void)unused;
    return true;
}

/* A raw REP socket of NNG drops what exceeds its queue of 64 messages for one connection.
 * Each answer here fills a message of its own, and nobody reads while they pile up. */
Test(rpc_faults, a_caller_that_was_not_reading_loses_no_answer)
{
    enum { N = 110, BYTES = 140000 }; /* less than RPC_OUTBOX_FULL */
    static struct rig_outcome o[N];
    struct rig_server *s;
    int good = 0;

    rig_init();
    s = rig_server_start(&(struct rig_conf){.url = rig_ipc("slow")});
    rig_connect(rig_server_url(s));
    for (int i = 0; i < N; i++)
        rig_begin(&(struct rig_call){.method = &RIG_GROW, .number = BYTES}, &o[i]);
    cr_assert(rig_until(now, NULL)); /* one turn: sends all */
    while (atomic_load(&rig_counts->begun) < N || rig_server_in_flight(s) > 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    cr_assert(rig_until(rig_all_ended, NULL));
    for (int i = 0; i < N; i++)
        good += o[i].text_len == BYTES;
    cr_assert_eq(good, N);
    rig_disconnect();
    rig_server_stop(s);
}
