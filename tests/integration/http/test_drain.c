// SPDX-License-Identifier: Apache-2.0
/* Draining: whoever sends a request gets an answer, and then knows that it was the last.
 */
#include "harness.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "Host: a\r\n"

static void drain(struct harness *h)
{
    http_server_drain(h->server);
}

static unsigned left;
static void read_left(struct harness *h)
{
    left = http_server_connections(h->server);
}

#define NOBODY_IS_LEFT(h) EVENTUALLY((harness_in_loop(h, read_left), left == 0))

static void expect_echo(int fd)
{
    char answer[4096];

    client_send(fd, STR("GET /echo HTTP/1.1\r\n" HOST "\r\n"));
    client_read(fd, answer, sizeof answer, "GET /echo  ");
    cr_assert_not_null(strstr(answer, "GET /echo  "));
    cr_expect_null(strstr(answer, "Connection: close"));
}

static void expect_last_answer(int fd)
{
    char answer[4096];

    client_read_all(fd, answer, sizeof answer);
    cr_expect_not_null(strstr(answer, "\r\nConnection: close\r\n"), "%s", answer);
    cr_expect_not_null(strstr(answer, "GET /echo  "), "%s", answer);
    close(fd);
}

Test(drain, every_open_connection_gets_one_more_answer)
{
    enum { N = 20 };
    struct harness h;
    int fds[N];

    harness_start(&h, (struct http_conf){0});
    for (int i = 0; i < N; i++) {
        fds[i] = client_connect(&h);
        if (i % 2) /* others have sent nothing yet */
            expect_echo(fds[i]);
    }
    expect_echo(fds[0]); /* so all have arrived */
    harness_in_loop(&h, drain);
    for (int i = 0; i < N; i++) {
        usleep(20000); /* a client that pauses */
        client_send(fds[i], STR("GET /echo HTTP/1.1\r\n" HOST "\r\n"));
        expect_last_answer(fds[i]);
    }
    NOBODY_IS_LEFT(&h);
    harness_stop(&h);
}

Test(drain, an_answer_that_began_before_does_not_end_its_connection)
{
    enum { ROOM = STREAM_CHUNKS * STREAM_CHUNK_BYTES + 65536 };
    static char answer[ROOM];
    struct harness h;
    int fd;

    harness_start(&h, (struct http_conf){0});
    fd = client_connect(&h);
    client_send(fd, STR("GET /stream HTTP/1.1\r\n" HOST "\r\n"));
    EVENTUALLY(h.requests == 1);
    harness_in_loop(&h, drain);
    client_read(fd, answer, sizeof answer, "\r\n0\r\n\r\n");
    cr_expect_null(strstr(answer, "Connection: close"));
    client_send(fd, STR("GET /echo HTTP/1.1\r\n" HOST "\r\n"));
    expect_last_answer(fd);
    NOBODY_IS_LEFT(&h);
    harness_stop(&h);
}

Test(drain, who_asks_nothing_is_closed_and_who_is_busy_is_not)
{
    struct harness h;
    char answer[4096];
    int idle, fresh, half, busy;

    harness_start(&h, (struct http_conf){.drain_idle_ms = 100});
    idle = client_connect(&h);
    fresh = client_connect(&h);
    half = client_connect(&h);
    busy = client_connect(&h);
    expect_echo(idle);
    client_send(half, STR("GET /echo HTTP/1.1\r\n"));
    client_send(busy, STR("GET /deaf HTTP/1.1\r\n" HOST "\r\n"));
    EVENTUALLY(h.requests == 2);
    harness_in_loop(&h, drain);
    cr_expect(client_is_closed(idle));
    cr_expect(client_is_closed(fresh));
    client_read_all(half, answer, sizeof answer);
    cr_expect_not_null(strstr(answer, " 408 "), "%s", answer);
    client_read_all(busy, answer, sizeof answer);
    cr_expect_not_null(strstr(answer, "GET /deaf  "), "%s", answer);
    close(idle);
    close(fresh);
    close(half);
    close(busy);
    NOBODY_IS_LEFT(&h);
    harness_stop(&h);
}

static int late;

/* The loop is here, so that it has not accepted it. */
static void connect_and_drain(struct harness *h)
{
    late = client_connect(h);
    client_send(late, STR("GET /echo HTTP/1.1\r\n" HOST "\r\n"));
    http_server_drain(h->server);
}

static bool connects(const struct harness *h)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool yes = client_connect_with(h, fd);

    close(fd);
    return yes;
}

Test(drain, who_has_connected_is_taken_and_soon_nobody_connects)
{
    struct harness h;

    harness_start(&h, (struct http_conf){0});
    harness_in_loop(&h, connect_and_drain);
    expect_last_answer(late);
    EVENTUALLY(!connects(&h));
    NOBODY_IS_LEFT(&h);
    harness_stop(&h);
}

/* Its time is over before the loop looks. */
static void ask_and_hold_up(struct harness *h)
{
    (void)h;
    client_send(late, STR("GET /echo HTTP/1.1\r\n" HOST "\r\n"));
    usleep(300000);
}

Test(drain, a_request_that_the_loop_is_late_to_read_is_answered)
{
    struct harness h;

    harness_start(&h, (struct http_conf){.drain_idle_ms = 200});
    late = client_connect(&h);
    expect_echo(late);
    harness_in_loop(&h, drain);
    harness_in_loop(&h, ask_and_hold_up);
    expect_last_answer(late);
    NOBODY_IS_LEFT(&h);
    harness_stop(&h);
}
