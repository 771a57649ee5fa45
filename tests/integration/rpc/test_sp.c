// SPDX-License-Identifier: Apache-2.0
/* A caller that meets services which do not speak SP as they should: it breaks off each
 * time, dials anew, and works as soon as a real one is there. */
#include "tests/support/rpc/rig.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int listener;
static char url[64];
static const struct rpc_client_conf CONF = {.self = "test"};

static void start(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;

    rig_init();
    rig_loop = loop_create();
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(listener, 8), 0);
    getsockname(listener, (struct sockaddr *)&at, &len);
    (void)snprintf(url, sizeof url, "tcp://127.0.0.1:%d", ntohs(at.sin_port));
    rig_client = rpc_client_create(rig_loop, &CONF);
}

static void stop(void)
{
    rpc_client_destroy(rig_client);
    loop_destroy(rig_loop);
    close(listener);
}

TestSuite(rpc_sp, .init = start, .fini = stop);

static void connect_client(void)
{
    struct arena a;

    arena_init(&a);
    cr_assert_null(rpc_client_add(rig_client, &a, "rig", url));
    arena_fini(&a);
}

static bool accepted(void *fd)
{
    *(int *)fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    return *(int *)fd >= 0;
}

/* The other side has closed: what it sent before is thrown away. */
static bool ended(void *fd)
{
    char bytes[256];
    ssize_t n;

    while ((n = recv(*(int *)fd, bytes, sizeof bytes, 0)) > 0)
        ;
    return n == 0 || (errno != EAGAIN && errno != EINTR);
}

/* Says `text` to the next `times` connections, each of which must be given up. */
static void answer(const char *text, size_t n, int times)
{
    connect_client();
    for (int i = 0; i < times; i++) {
        int fd;

        cr_assert(rig_until(accepted, &fd), "connection %d never came", i);
        cr_assert_eq(send(fd, text, n, MSG_NOSIGNAL), (ssize_t)n);
        cr_assert(rig_until(ended, &fd), "connection %d stayed", i);
        close(fd);
    }
    cr_assert_not(rpc_client_up(rig_client, "rig"));
}

#define OPENING      "\0SP\0\0\x31\0\0"
#define ANSWER(text) answer(text, sizeof(text) - 1, 3)

Test(rpc_sp, one_that_speaks_http_is_given_up)
{
    ANSWER("HTTP/1.1 400 Bad Request\r\n\r\n");
}

Test(rpc_sp, one_of_another_protocol_is_given_up)
{
    ANSWER("\0SP\0\0\x30\0\0");
}

Test(rpc_sp, a_message_of_four_gigabytes_is_not_waited_for)
{
    ANSWER(OPENING "\0\0\0\1\0\0\0\0"
                   "\x80\0\0\0");
}

Test(rpc_sp, a_message_without_room_for_its_id_is_malformed)
{
    ANSWER(OPENING "\0\0\0\0\0\0\0\3"
                   "\x80\0\0\0");
}

Test(rpc_sp, an_id_that_is_no_request_is_malformed)
{
    ANSWER(OPENING "\0\0\0\0\0\0\0\x10"
                   "\0\0\0\1");
}

Test(rpc_sp, connections_that_end_at_once_are_dialled_again)
{
    int fd;

    connect_client();
    for (int i = 0; i < 3; i++) {
        const struct linger hard = {.l_onoff = 1};

        cr_assert(rig_until(accepted, &fd));
        if (i % 2)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(fd);
    }
    cr_assert(rig_until(accepted, &fd), "it gave up for ever");
    close(fd);
}

Test(rpc_sp, what_comes_byte_by_byte_is_put_together)
{
    static const char opening[] = OPENING;
    int fd;

    connect_client();
    cr_assert(rig_until(accepted, &fd));
    for (size_t i = 0; i < sizeof opening - 1; i++) {
        char hello[64];

        cr_assert_eq(recv(fd, hello, sizeof hello, MSG_PEEK), 8, "it went on too early");
        cr_assert_eq(send(fd, opening + i, 1, MSG_NOSIGNAL), 1);
        cr_assert(rig_until(rig_all_ended, NULL));
    }
    close(fd);
}
