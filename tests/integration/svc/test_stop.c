// SPDX-License-Identifier: Apache-2.0
/* Stopping: drain with work in flight, deadlines, the second signal. */
#include "process.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define SAYS(text, part) \
    cr_assert_not_null(strstr(text, part), "no '%s' in\n%s", part, text)
#define SAYS_NOT(text, part) cr_assert_null(strstr(text, part), "'%s' in\n%s", part, text)

/* Threads of the process that would take a SIGTERM. */
static int takers(pid_t pid)
{
    char line[256];
    int taking = 0;
    FILE *f;

    snprintf(line, sizeof line, "grep -h ^SigBlk: /proc/%d/task/*/status", (int)pid);
    f = popen(line, "r");
    while (fgets(line, sizeof line, f))
        taking += !(strtoull(strchr(line, '\t'), NULL, 16) >> (SIGTERM - 1) & 1);
    pclose(f);
    return taking;
}

TestSuite(svc_stop, .init = world_begin, .fini = world_end);

static struct process *start_with_work(void)
{
    struct process *p;

    put_file("work", "");
    set("VIADUCT_SAMPLE_WORK", file("work"));
    p = start_service();
    wait_output(p, "\"svc.ready\"");
    return p;
}

static void comes_after(const char *first, const char *second)
{
    const char *a = strstr(output(), first), *b = strstr(output(), second);

    cr_assert(a && b && a < b, "'%s' before '%s' in\n%s", first, second, output());
}

Test(svc_stop, an_idle_program_stops_at_once_and_in_order)
{
    struct process *p = start_service();

    wait_output(p, "\"svc.ready\"");
    kill(p->pid, SIGTERM);
    cr_assert_eq(wait_exit(p), 0);
    comes_after("svc.stop_asked", "svc.draining");
    comes_after("svc.draining", "\"sample.drain\",\"loop\":0,\"draining\":true");
    comes_after("\"sample.drain\",\"loop\":1", "\"sample.loop_stop\",\"loop\":1");
    comes_after("\"sample.loop_stop\",\"loop\":0", "sample.stop\"");
    comes_after("sample.stop\"", "\"svc.stopped\",\"exit_code\":0");
}

Test(svc_stop, sigint_is_as_good)
{
    struct process *p = start_service();

    wait_output(p, "\"svc.ready\"");
    kill(p->pid, SIGINT);
    cr_assert_eq(wait_exit(p), 0);
}

Test(svc_stop, signals_disturb_one_thread_only)
{
    struct process *p = start_service();

    wait_output(p, "\"svc.ready\"");
    cr_assert_eq(takers(p->pid), 1);
}

Test(svc_stop, work_in_flight_is_finished)
{
    struct process *p = start_with_work();
    const char *a;

    kill(p->pid, SIGTERM);
    wait_output(p, "\"sample.drain\",\"loop\":0");
    cr_assert_eq(get(p, "/readyz", &a), 503);
    SAYS(a, "\"status\":\"draining\"");
    cr_assert_eq(get(p, "/livez", NULL), 200);
    SAYS_NOT(output(), "sample.loop_stop");
    drop_file("work");
    cr_assert_eq(wait_exit(p), 0);
    SAYS_NOT(output(), "svc.work_cut_off");
}

Test(svc_stop, work_that_takes_too_long_is_cut_off)
{
    struct process *p;

    set("VIADUCT_DRAIN_MS", "50");
    p = start_with_work();
    kill(p->pid, SIGTERM);
    cr_assert_eq(wait_exit(p), 1);
    SAYS(output(), "\"svc.work_cut_off\",\"busy_loops\":1");
    comes_after("svc.work_cut_off", "sample.loop_stop");
    comes_after("sample.loop_stop", "sample.stop\"");
}

Test(svc_stop, no_drain_time_at_all_still_stops_in_order)
{
    struct process *p;

    set("VIADUCT_DRAIN_MS", "0");
    p = start_with_work();
    kill(p->pid, SIGTERM);
    cr_assert_eq(wait_exit(p), 1);
    SAYS(output(), "sample.stop\"");
}

Test(svc_stop, a_second_signal_ends_it_at_once)
{
    struct process *p = start_with_work();

    kill(p->pid, SIGTERM);
    wait_output(p, "\"sample.drain\",\"loop\":0");
    kill(p->pid, SIGINT);
    cr_assert_eq(wait_exit(p), 1);
    SAYS(output(), "svc.stopped_at_once");
    SAYS_NOT(output(), "sample.loop_stop");
}

Test(svc_stop, not_ready_at_once_but_going_on_for_the_delay)
{
    struct process *p;

    set("VIADUCT_DRAIN_DELAY_MS", "60000");
    p = start_service();
    wait_output(p, "\"svc.ready\"");
    kill(p->pid, SIGTERM);
    wait_output(p, "\"svc.stop_asked\",\"delay_ms\":60000");
    cr_assert_eq(get(p, "/readyz", NULL), 503);
    cr_assert_eq(get(p, "/metrics", NULL), 200);
    SAYS_NOT(output(), "sample.drain");
    kill(p->pid, SIGTERM);
    cr_assert_eq(wait_exit(p), 1);
}

Test(svc_stop, while_starting_there_is_nothing_to_drain)
{
    struct process *p;

    put_file("hold", "");
    set("VIADUCT_SAMPLE_HOLD_START", file("hold"));
    p = start_service();
    wait_output(p, "\"sample.start\"");
    cr_assert_eq(get(p, "/readyz", NULL), 503);
    cr_assert_eq(get(p, "/livez", NULL), 200);
    kill(p->pid, SIGTERM);
    cr_assert_eq(wait_exit(p), 0);
    SAYS(output(), "\"phase\":\"starting\"");
}

Test(svc_stop, a_stuck_loop_cannot_keep_it_alive)
{
    struct process *p;

    set("VIADUCT_DRAIN_MS", "50");
    set("VIADUCT_SAMPLE_HOLD_LOOP", file("hold"));
    p = start_service();
    wait_output(p, "\"svc.ready\"");
    put_file("hold", "");
    wait_status(p, "/livez", 503);
    kill(p->pid, SIGTERM);
    cr_assert_eq(wait_exit(p), 1);
    SAYS(output(), "svc.work_cut_off");
    SAYS(output(), "svc.stop_stuck");
}
