// SPDX-License-Identifier: Apache-2.0
#include "kit/rpc/sp_address.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static struct sp_address a;

Test(sp_address, reads_both_families)
{
    cr_assert(sp_address_parse("tcp://127.0.0.1:7101", &a));
    cr_assert_eq(a.to.ss_family, AF_INET);
    cr_assert_eq(ntohs(((struct sockaddr_in *)&a.to)->sin_port), 7101);
    cr_assert(sp_address_parse("tcp://[::1]:1", &a));
    cr_assert_eq(a.to.ss_family, AF_INET6);
    cr_assert_not(a.ipc);
}

Test(sp_address, reads_a_path)
{
    cr_assert(sp_address_parse("ipc:///run/x.sock", &a));
    cr_assert(a.ipc);
    cr_assert_str_eq(((struct sockaddr_un *)&a.to)->sun_path, "/run/x.sock");
}

Test(sp_address, leaves_all_else_to_others)
{
    static const char *const urls[] = {
        "tls+tcp://127.0.0.1:1",
        "inproc://x",
        "tcp://localhost:1",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:70000",
        "tcp://127.0.0.1:1x",
        "tcp://1.2.3.4.5.6:1",
        "ipc://",
        "tcp://",
    };

    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        cr_expect_not(sp_address_parse(urls[i], &a), "%s", urls[i]);
}

Test(sp_address, a_path_that_does_not_fit_is_refused)
{
    char url[300] = "ipc:///";

    memset(url + 7, 'x', 200);
    cr_assert_not(sp_address_parse(url, &a));
}
