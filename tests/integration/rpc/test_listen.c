// SPDX-License-Identifier: Apache-2.0
/* The listener that speaks SP itself, met by bytes, by many connections, by a caller
 * while it drains; and NNG's own REP socket (tcp4://) in its place, for a reference. */
#include "kit/rpc/stream.h"
#include "tests/support/rpc/raw.h"
#include "tests/support/rpc/rig.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct rig_server *server;

static void start(void)
{
    rig_init();
    server = rig_server_start(&(struct rig_conf){.url = "tcp://127.0.0.1:0", .loops = 3});
    rig_connect(rig_server_url(server));
}

static void stop(void)
{
    struct rig_outcome o;

    rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = "alive"}, &o);
    cr_assert_str_eq(o.text, "alive");
    rig_disconnect();
    rig_server_stop(server);
}

TestSuite(rpc_listen, .init = start, .fini = stop);

static in_port_t port(void)
{
    return (in_port_t)strtol(strrchr(rig_server_url(server), ':') + 1, NULL, 10);
}

#define REQ        "\0SP\0\0\x30\0\0"
#define WORD(text) {text, sizeof(text) - 1}

static const struct {
    const char *bytes;
    size_t n;
} MALFORMED[] = {
    WORD("GET / HTTP/1.1\r\n\r\n"),
    WORD("\x16\3\1\2\0\1\0\1"),                   /* TLS */
    WORD("\0SP\0\0\x31\0\0"),                     /* a REP socket */
    WORD("\0SP\0\0\x30\0\1"),                     /* not zero at the end */
    WORD(REQ "\0\0\0\1\0\0\0\0"),                 /* 4 GiB */
    WORD(REQ "\xff\xff\xff\xff\xff\xff\xff\xff"), /* all there is */
    WORD(REQ "\x80\0\0\0\0\0\0\x10"),             /* below zero */
    WORD(REQ "\0\0\0\0\0\x20\0\1"),               /* 2 MiB and 1 */
    WORD(REQ "\0\0\0\0\0\0\0\0"),                 /* nothing */
    WORD(REQ "\0\0\0\0\0\0\0\3"
             "\x80\0\0"), /* no room for an id */
    WORD(REQ "\0\0\0\0\0\0\0\x10"
             "\0\0\0\1"
             "01234567"), /* an id that is no request */
    WORD(REQ "\0\0\0\0\0\0\0\4"
             "\x80\0\0\1"), /* a message of nothing */
};

Test(rpc_listen, malformed_bytes_end_their_connection_whole_or_one_by_one)
{
    for (size_t i = 0; i < 2 * (sizeof MALFORMED / sizeof *MALFORMED); i++) {
        size_t word = i / 2, step = i % 2 ? 1 : MALFORMED[word].n;
        int fd = raw_dial(rig_server_url(server));

        for (size_t sent = 0; sent < MALFORMED[word].n; sent += step)
            if (send(fd, MALFORMED[word].bytes + sent, step, MSG_NOSIGNAL) < 0)
                break; /* it knew enough */
        cr_assert(raw_ends(fd), "it bears word %zu", word);
    }
}

/* Each prefix of a good beginning, then FIN or RST. */
Test(rpc_listen, connections_may_end_after_any_byte)
{
    static const char good[] = REQ "\0\0\0\0\0\0\0\x10"
                                   "\x80\0\0\1"
                                   "01234567";
    for (size_t i = 0; i < 2 * sizeof good; i++) {
        int fd = raw_dial(rig_server_url(server));

        if (i / 2)
            cr_assert_eq(send(fd, good, i / 2, MSG_NOSIGNAL), (ssize_t)(i / 2));
        if (i % 2)
            raw_reset(fd);
        else
            close(fd);
    }
}

/* Announced, never sent: it costs what was announced, and nobody waits for it. */
Test(rpc_listen, a_hundred_unfinished_messages_stop_nobody)
{
    enum { N = 100 };
    static const char begun[] = REQ "\0\0\0\0\0\x20\0\0"
                                    "\x80\0\0\1"
                                    "01234567";
    struct rig_outcome o;
    int fds[N];

    for (int i = 0; i < N; i++) {
        fds[i] = raw_dial(rig_server_url(server));
        cr_assert_eq(send(fds[i], begun, sizeof begun - 1, MSG_NOSIGNAL),
                     (ssize_t)sizeof begun - 1);
    }
    rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = "x"}, &o);
    cr_assert_str_eq(o.text, "x");
    for (int i = 0; i < N; i++)
        close(fds[i]);
}

/* ---- other addresses -------------------------------------------------------- */

static void expect_echo(const char *at)
{
    struct rig_outcome o;

    rig_connect(at);
    rig_do(&(struct rig_call){.method = &RIG_ECHO, .text = "hello"}, &o);
    cr_assert_str_eq(o.text, "hello");
    rig_disconnect();
}

Test(rpc_addresses, names_and_all_addresses_can_be_listened_at)
{
    static const char *const URLS[] = {"tcp://localhost:0", "tcp://*:0", "tcp://:0",
                                       "tcp://[::1]:0"};

    rig_init();
    for (size_t i = 0; i < sizeof URLS / sizeof *URLS; i++) {
        struct rig_server *s = rig_server_start(&(struct rig_conf){.url = URLS[i]});
        char at[64];

        snprintf(at, sizeof at, "tcp://%s%s", i == 3 ? "[::1]" : "127.0.0.1",
                 strrchr(rig_server_url(s), ':'));
        expect_echo(at);
        rig_server_stop(s);
    }
}

/* As a process that was killed leaves it. */
Test(rpc_addresses, a_socket_file_that_was_left_is_replaced)
{
    const char *url = rig_ipc("left");
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct rig_server *s;

    rig_init();
    strncpy(at.sun_path, url + strlen("ipc://"), sizeof at.sun_path - 1);
    cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    close(fd);
    s = rig_server_start(&(struct rig_conf){.url = url});
    expect_echo(url);
    rig_server_stop(s);
    cr_assert_neq(access(at.sun_path, F_OK), 0, "the file is still there");
}

/* ---- while it drains -------------------------------------------------------- */

static bool is_refused(void *unused)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port())};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool refused;

    (void)unused;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    refused = connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

static bool has_gone(void *unused)
{
    (void)unused;
    return rig_server_in_flight(server) == 0;
}

Test(rpc_addresses, a_draining_service_answers_what_it_has_and_refuses_connections)
{
    struct rig_outcome o;
    int half_open;

    rig_init();
    server = rig_server_start(&(struct rig_conf){.url = "tcp://127.0.0.1:0", .loops = 3});
    rig_connect(rig_server_url(server));
    half_open = raw_dial(rig_server_url(server));
    rig_begin(&(struct rig_call){.method = &RIG_SLEEP, .text = "late", .number = 300},
              &o);
    while (atomic_load(&rig_counts->begun) == 0)
        rig_until(rig_all_ended, NULL);
    rig_server_drain(server);
    cr_assert(rig_until(is_refused, NULL));
    cr_assert(raw_ends(half_open));
    cr_assert(rig_until(rig_all_ended, NULL));
    cr_assert_str_eq(o.text, "late");
    cr_assert(rig_until(has_gone, NULL), "the caller does not leave");
    rig_disconnect();
    rig_server_stop(server);
}

/* ---- NNG on the other side -------------------------------------------------- */

static void expect_all_kinds(unsigned loops)
{
    static struct rig_outcome o[2 * RPC_STREAMS_MAX];
    char at[64];

    rig_init();
    server =
        rig_server_start(&(struct rig_conf){.url = "tcp4://127.0.0.1:0", .loops = loops});
    snprintf(at, sizeof at, "tcp://127.0.0.1%s", strrchr(rig_server_url(server), ':'));
    rig_connect(at);
    for (size_t i = 0; i < sizeof o / sizeof *o; i++)
        rig_begin(&(struct rig_call){.method = i % 2 ? &RIG_GROW : &RIG_STREAM,
                                     .number = i % 2 ? 100000 : 20,
                                     .text = ""},
                  &o[i]);
    cr_assert(rig_until(rig_all_ended, NULL));
    for (size_t i = 0; i < sizeof o / sizeof *o; i++) {
        cr_assert_null(o[i].code);
        cr_assert_eq(i % 2 ? o[i].text_len : o[i].chunks, i % 2 ? 100000 : 20);
    }
    rig_server_drain(server);
    cr_assert(rig_until(has_gone, NULL));
    rig_disconnect();
    rig_server_stop(server);
}

Test(rpc_nng, a_rep_socket_of_nng_answers_our_caller)
{
    expect_all_kinds(1);
}

Test(rpc_nng, its_messages_are_spread_over_loops)
{
    expect_all_kinds(3);
}
