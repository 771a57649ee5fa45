// SPDX-License-Identifier: Apache-2.0
/*
 * rpc-rig-server COUNTS_FD URL LOOPS MAX_IN_FLIGHT: the odd service as a process. With
 * RIG_TLS its identity is the files of that folder.
 */
#include "kit/rpc/tls.h"
#include "tests/support/rpc/rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static unsigned number(const char *text)
{
    int64_t n = 0;

    return str_to_i64(str_of(text), 0, 1000000, &n) ? (unsigned)n : 0;
}

/* GOAWAY, and on until every answer has arrived. */
static void drain(struct rig_server *s)
{
    rig_server_drain(s);
    while (rig_server_in_flight(s) > 0)
        usleep(1000);
    rig_server_stop(s);
    rpc_tls_stop();
}

int main(int argc, char **argv)
{
    struct rig_server *s;
    sigset_t term;
    int signo;

    if (argc != 5)
        return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    rig_init_child((int)number(argv[1]));
    if (getenv("RIG_TLS"))
        rig_tls_start(getenv("RIG_TLS"));
    s = rig_server_start(&(struct rig_conf){
        .url = argv[2], .loops = number(argv[3]), .max_in_flight = number(argv[4])});
    printf("%s", rig_server_url(s));
    fflush(stdout);
    fclose(stdout);
    sigwait(&term, &signo);
    drain(s);
    return 0;
}
