// SPDX-License-Identifier: Apache-2.0
/* SIGHUP: settings read again, the last good ones kept. */
#include "process.h"

#include <criterion/criterion.h>
#include <signal.h>

TestSuite(svc_reload, .init = world_begin, .fini = world_end);

static struct process *start_with_file(void)
{
    struct process *p;

    put_file(".env", "VIADUCT_SAMPLE_CONNS=5\n");
    p = start_service();
    wait_output(p, "\"svc.ready\"");
    return p;
}

Test(svc_reload, settings_of_the_file_are_read_again)
{
    struct process *p = start_with_file();

    put_file(".env", "VIADUCT_SAMPLE_CONNS=6\n");
    kill(p->pid, SIGHUP);
    wait_output(p, "\"sample.reload\",\"conns\":6,\"loop\":1");
    wait_output(p, "\"svc.reloaded\"");
    drop_file(".env");
    kill(p->pid, SIGHUP);
    wait_output(p, "\"sample.reload\",\"conns\":4");
    kill(p->pid, SIGTERM);
    cr_assert_eq(wait_exit(p), 0);
}

Test(svc_reload, what_is_wrong_changes_nothing)
{
    struct process *p = start_with_file();

    put_file(".env", "VIADUCT_SAMPLE_CONNS=many\n");
    kill(p->pid, SIGHUP);
    wait_output(p, "\"svc.reload_failed\"");
    cr_assert_null(strstr(output(), "sample.reload"));
    cr_assert_eq(get(p, "/readyz", NULL), 200);
    put_file(".env", "VIADUCT_SAMPLE_FAIL=reload\n");
    kill(p->pid, SIGHUP);
    wait_output(p, "told to fail in reload");
    kill(p->pid, SIGTERM);
    cr_assert_eq(wait_exit(p), 0);
}
