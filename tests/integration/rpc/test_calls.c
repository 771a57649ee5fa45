// SPDX-License-Identifier: Apache-2.0
/* Calls that go their usual way, and errors that travel. */
#include "tests/support/rpc/rig.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct rig_server *server;

static void start(void)
{
    rig_init();
    server = rig_server_start(&(struct rig_conf){.url = "tcp://127.0.0.1:0", .loops = 2});
    rig_connect(rig_server_url(server));
}

static void stop(void)
{
    rig_disconnect();
    rig_server_stop(server);
}

TestSuite(rpc_calls, .init = start, .fini = stop);

Test(rpc_calls, an_answer_comes_back)
{
    struct rig_outcome o;

    rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = "Grüße"}, &o);
    cr_assert(o.ended);
    cr_assert_null(o.code);
    cr_assert_str_eq(o.text, "Grüße");
}

Test(rpc_calls, context_and_caller_go_along)
{
    const char *want = "request=req-7 trace=abababababababababababababababab "
                       "user=11111111-1111-1111-1111-111111111111 roles=5 key=k1 "
                       "route=rig.who env=the env left=1";
    struct rig_outcome o;

    rig_do(
        &(struct rig_call){
            .method = &RIG_WHO, .key = "k1", .request_id = "req-7", .timeout_ms = 10000},
        &o);
    cr_assert_str_eq(o.text, want);
}

Test(rpc_calls, an_error_keeps_code_detail_fields_and_retry_time)
{
    struct rig_outcome o;

    rig_do(&(struct rig_call){.method = &RIG_FAIL}, &o);
    cr_assert_eq(o.code, &RIG_OUT_OF_STOCK);
    cr_assert_str_eq(o.text, "only 3 left");
    cr_assert_str_eq(o.fields, "/items/0: wants 5; /items/1: wants 7; ");
    cr_assert_eq(o.retry_after_ms, 1500);
}

Test(rpc_calls, an_unknown_code_keeps_its_kind)
{
    struct rig_outcome o;

    rig_do(&(struct rig_call){.method = &RIG_ODD}, &o);
    cr_assert_eq(o.code, &ERR_CODE_SHED);
}

Test(rpc_calls, the_service_names_bad_fields)
{
    struct rig_outcome o;

    rig_do(&(struct rig_call){.method = &RIG_ECHO, .number = 9000000}, &o);
    cr_assert_eq(o.code, &ERR_CODE_INVALID_FIELDS);
    cr_assert(strstr(o.fields, "/number"), "%s", o.fields);
}

Test(rpc_calls, a_method_nobody_serves_is_unavailable)
{
    struct rig_outcome o;

    rig_do(&(struct rig_call){.method = &RIG_MISSING}, &o);
    cr_assert_eq(o.code, &ERR_CODE_UNAVAILABLE);
}

static bool all_cut_off(void *n)
{
    return atomic_load(&rig_counts->cut_off) == *(unsigned *)n;
}

Test(rpc_calls, the_deadline_of_the_flow_ends_the_call_and_the_work)
{
    struct rig_outcome o;
    unsigned one = 1;

    rig_do(&(struct rig_call){.method = &RIG_SLEEP, .number = 60000, .timeout_ms = 100},
           &o);
    cr_assert_eq(o.code, &ERR_CODE_DEADLINE);
    cr_assert_lt(o.took_ms, 60000);
    cr_assert(rig_until(all_cut_off, &one));
}

Test(rpc_calls, the_method_has_a_deadline_of_its_own)
{
    struct rig_outcome o;

    rig_do(&(struct rig_call){.method = &RIG_BRIEF, .number = 60000}, &o);
    cr_assert_eq(o.code, &ERR_CODE_DEADLINE);
    cr_assert_lt(o.took_ms, 60000);
}

static bool all_begun(void *n)
{
    return atomic_load(&rig_counts->begun) == *(unsigned *)n;
}

Test(rpc_calls, a_cancelled_call_is_cancelled_in_the_service)
{
    static struct rig_outcome o[50];
    unsigned n = 50;

    for (unsigned i = 0; i < n; i++)
        rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .number = 60000}, &o[i]);
    cr_assert(rig_until(all_begun, &n));
    for (unsigned i = 0; i < n; i++)
        flow_cancel(o[i].flow, ERR_STATIC(CANCELLED));
    cr_assert(rig_until(all_cut_off, &n));
    cr_assert_eq(o[49].code, &ERR_CODE_CANCELLED);
}

Test(rpc_calls, bodies_may_be_large_but_not_too_large)
{
    static char text[1100000];
    struct rig_outcome o;

    memset(text, 'a', sizeof text - 1);
    rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = text}, &o);
    cr_assert_eq(o.code, &ERR_CODE_BODY_TOO_LARGE);
    text[900000] = '\0';
    rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = text}, &o);
    cr_assert_null(o.code);
    cr_assert_eq(o.text_len, 900000);
    rig_do(&(struct rig_call){.method = &RIG_GROW, .number = 1100000}, &o);
    cr_assert_eq(o.code, &ERR_CODE_INTERNAL);
    rig_do(&(struct rig_call){.method = &RIG_GROW, .number = 1000000}, &o);
    cr_assert_eq(o.text_len, 1000000);
}

Test(rpc_calls, thousands_at_once_all_come_back)
{
    enum { N = 4000 };
    static struct rig_outcome o[N];

    for (int i = 0; i < N; i++)
        rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .text = "here", .number = 20},
                  &o[i]);
    cr_assert(rig_until(rig_all_ended, NULL));
    for (int i = 0; i < N; i++)
        cr_assert_str_eq(o[i].text, "here");
}

Test(rpc_calls, more_than_a_replica_may_have_pending_is_overload)
{
    enum { N = 4200 };
    static struct rig_outcome o[N];
    int refused = 0;

    for (int i = 0; i < N; i++)
        rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .number = 20}, &o[i]);
    cr_assert(rig_until(rig_all_ended, NULL));
    for (int i = 0; i < N; i++)
        refused += o[i].code == &ERR_CODE_SHED;
    cr_assert_eq(refused, N - 4096);
}

Test(rpc_calls, calls_left_open_end_with_the_client)
{
    struct rig_outcome o;

    rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .number = 60000}, &o);
    rpc_client_destroy(rig_client);
    rig_client = NULL;
    cr_assert(o.ended);
    cr_assert_eq(o.code, &ERR_CODE_CANCELLED);
}

Test(rpc_transports, ipc_carries_calls_as_well)
{
    struct rig_outcome o;
    char url[200];
    pid_t pid;

    rig_init();
    pid = rig_spawn(&(struct rig_conf){.url = rig_ipc("a")}, url, sizeof url);
    rig_connect(url);
    rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = "over ipc"}, &o);
    cr_assert_str_eq(o.text, "over ipc");
    rig_disconnect();
    kill(pid, SIGTERM);
    rig_reap(pid);
}
