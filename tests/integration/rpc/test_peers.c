// SPDX-License-Identifier: Apache-2.0
/* Peers that are wrong, broken or hostile: they lose their connection, and nobody else.
 */
#include "tests/support/rpc/raw.h"
#include "tests/support/rpc/rig.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <nng/protocol/reqrep0/rep.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct rig_server *server;

static void start(void)
{
    rig_init();
    server = rig_server_start(&(struct rig_conf){.url = "tcp://127.0.0.1:0", .loops = 2});
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

TestSuite(rpc_peers, .init = start, .fini = stop);

/* ---- a raw peer of the service ---------------------------------------------- */

static atomic_uint pipes_lost;

static void on_lost(nng_pipe p, nng_pipe_ev ev, void *arg)
{
    (void)p, (void)ev, (void)arg;
    atomic_fetch_add(&pipes_lost, 1);
}

static bool lost_a_pipe(void *unused)
{
    (void)unused;
    return atomic_load(&pipes_lost) > 0;
}

static nng_socket raw_peer(void)
{
    nng_socket s;

    atomic_store(&pipes_lost, 0);
    s = raw_open(rig_server_url(server));
    nng_pipe_notify(s, NNG_PIPE_EV_REM_POST, on_lost, NULL);
    return s;
}

/* Sent on a connection of its own: it must end, count, and hurt nobody else. */
static void expect_kicked(const void *bytes, size_t n, int times)
{
    nng_socket s = raw_peer();
    int64_t want = raw_bad_frames() + 1;

    for (int i = 0; i < times; i++)
        raw_send(s, bytes, n);
    cr_assert(rig_until(lost_a_pipe, NULL), "%zu bytes were taken", n);
    cr_assert(rig_until(raw_bad_frames_reach, &want));
    nng_close(s);
}

Test(rpc_peers, malformed_messages_end_their_connection)
{
    struct rpc_frame call = {.type = RPC_CALL,
                             .method = RIG_ECHO.id,
                             .call = 4096,
                             .of_call.left_ms = 60000,
                             .body = STR("\x80")};
    struct rpc_frame reply = {.type = RPC_REPLY, .call = 4096, .body = STR("\x80")};
    char bytes[400];

    expect_kicked("", 0, 1);
    expect_kicked("garbage", 7, 1);
    memset(bytes, 0xff,
           sizeof bytes); /* sessions of earlier connections are borne a few times */
    expect_kicked(bytes, sizeof bytes, 9);
    memset(bytes, 0, sizeof bytes);
    expect_kicked(bytes, sizeof bytes, 1);
    rpc_head_write(bytes, (struct rpc_head){0, 0});
    rpc_frame_write(bytes + RPC_HEAD_LEN, &call); /* before HELLO */
    expect_kicked(bytes, RPC_HEAD_LEN + rpc_frame_size(&call), 1);
    rpc_frame_write(bytes + RPC_HEAD_LEN, &reply);
    expect_kicked(bytes, RPC_HEAD_LEN + rpc_frame_size(&reply), 1);
}

Test(rpc_peers, a_message_for_an_earlier_connection_is_not_executed)
{
    struct rpc_frame call = {.type = RPC_CALL,
                             .method = RIG_ECHO.id,
                             .call = 4096,
                             .of_call.left_ms = 60000,
                             .body = STR("\x81\xa4text\xa1"
                                         "a")};
    nng_socket s = raw_peer();
    uint32_t session = raw_greet(s);
    nng_msg *msg;

    raw_send_frame(s, session + 1, &call);
    raw_send_frame(s, session, &call);
    cr_assert_eq(nng_recvmsg(s, &msg, 0), 0);
    nng_msg_free(msg);
    cr_assert_eq(atomic_load(&rig_counts->begun), 1u);
    nng_close(s);
}

static bool has_some(void *count)
{
    return atomic_load((atomic_uint *)count) > 0;
}

Test(rpc_peers, the_work_of_a_lost_caller_is_cancelled)
{
    struct rpc_frame call = {.type = RPC_CALL,
                             .method = RIG_SLEEP.id,
                             .call = 4096,
                             .of_call.left_ms = 120000,
                             .body = STR("\x82\xa4text\xa1"
                                         "a\xa6number\xcd\xea\x60")};
    nng_socket s = raw_peer();

    raw_send_frame(s, raw_greet(s), &call);
    cr_assert(rig_until(has_some, &rig_counts->begun));
    nng_close(s);
    cr_assert(rig_until(has_some, &rig_counts->cut_off));
    cr_assert_eq(atomic_load(&rig_counts->done), 0u);
}

Test(rpc_peers, random_messages_only_cost_their_connection)
{
    unsigned seed = 7;
    char bytes[300];

    for (int round = 0; round < 200; round++) {
        nng_socket s = raw_peer();
        uint32_t session = round % 2 ? raw_greet(s) : 0;

        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)rand_r(&seed);
        rpc_head_write(bytes, (struct rpc_head){session, 0});
        raw_send(s, bytes, (size_t)rand_r(&seed) % sizeof bytes);
        nng_close(s);
    }
}

/* ---- plain TCP -------------------------------------------------------------- */

static const char SP_REQ[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};

Test(rpc_peers, connections_that_end_in_the_handshake_do_no_harm)
{
    for (int i = 0; i < 200; i++) {
        int fd = raw_dial(rig_server_url(server));

        if (i % 4)
            cr_assert_eq(send(fd, SP_REQ, (size_t)(i % 4) * 2, MSG_NOSIGNAL), i % 4 * 2);
        if (i % 2)
            raw_reset(fd);
        else
            close(fd);
    }
}

Test(rpc_peers, http_and_absurd_lengths_are_refused)
{
    static const char HTTP[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char HUGE_LEN[8] = {0, 0, 0, 1, 0, 0, 0, 0}; /* 4 GiB */
    static const char OVER[8] = {0, 0, 0, 0, 0, 0x20, 0, 1};  /* 2 MiB and 1 */
    int fd = raw_dial(rig_server_url(server));

    send(fd, HTTP, sizeof HTTP - 1, MSG_NOSIGNAL);
    cr_assert(raw_ends(fd));
    fd = raw_dial(rig_server_url(server));
    send(fd, SP_REQ, sizeof SP_REQ, MSG_NOSIGNAL);
    send(fd, HUGE_LEN, sizeof HUGE_LEN, MSG_NOSIGNAL);
    cr_assert(raw_ends(fd));
    fd = raw_dial(rig_server_url(server));
    send(fd, SP_REQ, sizeof SP_REQ, MSG_NOSIGNAL);
    send(fd, OVER, sizeof OVER, MSG_NOSIGNAL);
    cr_assert(raw_ends(fd));
}

/* ---- a raw service for our caller ------------------------------------------- */

static bool lost_pipes(void *n)
{
    return atomic_load(&pipes_lost) >= *(unsigned *)n;
}

/* Answers each message with `reply`; the caller must break off each time, and dial anew.
 */
static void serve_wrongly(const char *reply, size_t n)
{
    const struct rpc_client_conf conf = {.self = "test"};
    const char *url = rig_ipc("wrong");
    struct rpc_client *c = rpc_client_create(rig_loop, &conf);
    unsigned lost = 0;
    nng_socket s;
    struct arena a;
    nng_msg *msg;

    arena_init(&a);
    atomic_store(&pipes_lost, 0);
    cr_assert_eq(nng_rep0_open_raw(&s), 0);
    nng_pipe_notify(s, NNG_PIPE_EV_REM_POST, on_lost, NULL);
    cr_assert_eq(nng_listen(s, url, NULL, 0), 0);
    cr_assert_null(rpc_client_add(c, &a, "other", url));
    while (lost++ < 3) {
        while (nng_recvmsg(s, &msg, NNG_FLAG_NONBLOCK) != 0)
            cr_assert(rig_until(rig_all_ended, NULL));
        nng_msg_clear(msg);
        nng_msg_append(msg, reply, n);
        cr_assert_eq(nng_sendmsg(s, msg, 0), 0);
        cr_assert(rig_until(lost_pipes, &lost));
    }
    cr_assert_not(rpc_client_up(c, "other"));
    nng_close(s);
    rpc_client_destroy(c);
    arena_fini(&a);
}

Test(rpc_peers, a_service_that_talks_nonsense_is_dropped)
{
    serve_wrongly("nonsense at length", 18);
}

Test(rpc_peers, a_service_of_another_name_is_dropped)
{
    struct rpc_frame f = {.type = RPC_HELLO,
                          .of_hello = {.version = 1, .session = 9, .name = STR("users")}};
    char bytes[100];

    rpc_head_write(bytes, (struct rpc_head){9, 1});
    rpc_frame_write(bytes + RPC_HEAD_LEN, &f);
    serve_wrongly(bytes, RPC_HEAD_LEN + rpc_frame_size(&f));
}

/* ---- a raw TCP service for our caller --------------------------------------- */

/* Listens at a free port; the caller of the suite's loop is to dial it. */
static int tcp_listen(char *url, size_t room)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(fd, 8), 0);
    getsockname(fd, (struct sockaddr *)&at, &n);
    snprintf(url, room, "tcp://127.0.0.1:%d", ntohs(at.sin_port));
    return fd;
}

static bool has_caller(void *fd)
{
    struct pollfd p = {.fd = *(int *)fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

static const char SP_REP[8] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};

/* What a service may say first: an opening, a length, an id; the caller must break off,
 * or find it broken off, and dial again. */
static const struct {
    const char *bytes;
    size_t n;
    bool reset;
} FIRST_WORDS[] = {
    {SP_REP, 0, false},
    {SP_REP, 0, true},
    {SP_REP, 5, true},
    {SP_REP, 8, true},
    {"HTTP/1.1 400 Bad Request\r\n\r\n", 28, false},
    {"\0SP\0\0\x31\0\0\0\0\0\1\0\0\0\0\x80\0\0\1", 20, false}, /* 4 GiB */
    {"\0SP\0\0\x31\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x80\0\0\1", 20, false},
    {"\0SP\0\0\x31\0\0\0\0\0\0\0\x20\0\1\x80\0\0\1", 20, false}, /* 2 MiB and 1 */
    {"\0SP\0\0\x31\0\0\0\0\0\0\0\0\0\0", 16, true},              /* nothing at all */
};

static bool has_broken_off(void *fd)
{
    char bytes[64];
    ssize_t n = recv(*(int *)fd, bytes, sizeof bytes, MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno != EAGAIN);
}

/* Waits for the caller to break off, unless it is us who do. */
static void say(int listening, size_t word)
{
    int fd = accept(listening, NULL, NULL);

    cr_assert_geq(fd, 0);
    send(fd, FIRST_WORDS[word].bytes, FIRST_WORDS[word].n, MSG_NOSIGNAL);
    if (FIRST_WORDS[word].reset)
        raw_reset(fd);
    else if (FIRST_WORDS[word].n)
        cr_assert(rig_until(has_broken_off, &fd), "it bears word %zu", word);
    if (!FIRST_WORDS[word].reset)
        close(fd);
}

Test(rpc_peers, a_caller_survives_absurd_lengths_and_broken_handshakes)
{
    const struct rpc_client_conf conf = {.self = "test"};
    struct rpc_client *c = rpc_client_create(rig_loop, &conf);
    char url[100];
    int fd = tcp_listen(url, sizeof url);
    struct arena a;

    arena_init(&a);
    cr_assert_null(rpc_client_add(c, &a, "other", url));
    for (size_t i = 0; i < sizeof FIRST_WORDS / sizeof *FIRST_WORDS; i++) {
        cr_assert(rig_until(has_caller, &fd), "it does not dial after word %zu", i);
        say(fd, i);
    }
    cr_assert(rig_until(has_caller, &fd));
    cr_assert_not(rpc_client_up(c, "other"));
    rpc_client_destroy(c);
    close(fd);
    arena_fini(&a);
}
