// SPDX-License-Identifier: Apache-2.0
/* Connections: how many, how long, what happens when either side goes. */
#include "harness.h"
#include "kit/http/internal.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HOST "Host: a\r\n"

static void expect_echo(int fd)
{
    char answer[4096];

    client_send(fd, STR("GET /echo HTTP/1.1\r\n" HOST "\r\n"));
    client_read(fd, answer, sizeof answer, "GET /echo  ");
    cr_expect_not_null(strstr(answer, "GET /echo  "));
}

static size_t body_bytes;
static int body_pieces;

static void look_at_body(struct harness *h)
{
    struct http_conn *c = CONTAINER_OF(h->server->conns.next, struct http_conn, link);

    body_bytes = c->body ? evbuffer_get_length(c->body) : 0;
    body_pieces = c->body ? evbuffer_peek(c->body, -1, NULL, NULL, 0) : 0;
}

/* Each byte must not keep the buffer that it was read into. */
Test(connections, a_body_that_comes_byte_by_byte_takes_little_more_than_its_length)
{
    enum { LENGTH = 2000 };
    static char body[LENGTH];
    struct harness h;
    int fd;

    memset(body, 'x', sizeof body);
    harness_start(&h, (struct http_conf){0});
    fd = client_connect(&h);
    client_send(fd, STR("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2001\r\n\r\n"));
    client_send_slowly(fd, (struct str){body, sizeof body});
    EVENTUALLY((harness_in_loop(&h, look_at_body), body_bytes == LENGTH));
    cr_expect_leq(body_pieces, 8, "%d pieces", body_pieces);
    close(fd);
    harness_stop(&h);
}

Test(connections, above_the_cap_wait_and_are_served_when_one_goes)
{
    struct harness h;
    char answer[4096];
    int fds[4];

    harness_start(&h, (struct http_conf){.max_connections = 3});
    for (int i = 0; i < 3; i++) {
        fds[i] = client_connect(&h);
        expect_echo(fds[i]);
    }
    fds[3] = client_connect(&h); /* in the backlog */
    client_send(fds[3], STR("GET /echo?fourth HTTP/1.1\r\n" HOST "\r\n"));
    usleep(50000);
    cr_expect_eq(h.requests, 3);
    close(fds[0]);
    client_read(fds[3], answer, sizeof answer, "fourth ");
    cr_expect_eq(h.requests, 4);
    for (int i = 1; i < 4; i++)
        close(fds[i]);
    harness_stop(&h);
}

Test(connections, idle_ones_are_closed)
{
    struct harness h;
    int used, fresh;

    harness_start(&h, (struct http_conf){.idle_ms = 2000});
    used = client_connect(&h);
    fresh = client_connect(&h);
    expect_echo(used);
    cr_expect(client_is_closed(used));
    cr_expect(client_is_closed(fresh));
    close(used);
    close(fresh);
    harness_stop(&h);
}

Test(connections, a_client_that_goes_away_is_noticed_while_its_request_waits)
{
    struct harness h;
    int fd;

    harness_start(&h, (struct http_conf){0});
    fd = client_connect(&h);
    client_send(fd, STR("GET /wait HTTP/1.1\r\n" HOST "\r\n"));
    EVENTUALLY(h.requests == 1);
    cr_expect_eq(h.gone, 0);
    close(fd);
    EVENTUALLY(h.gone == 1);
    fd = client_connect(&h);
    expect_echo(fd);
    close(fd);
    harness_stop(&h);
}

static unsigned in_flight;

static void read_in_flight(struct harness *h)
{
    in_flight = http_server_in_flight(h->server);
}

Test(connections, many_clients_that_go_away_at_once_leave_nothing_behind)
{
    struct harness h;
    int fds[300];

    harness_start(&h, (struct http_conf){0});
    for (int i = 0; i < 300; i++) {
        fds[i] = client_connect(&h);
        client_send(fds[i], i % 2 ? STR("GET /wait HTTP/1.1\r\n" HOST "\r\n")
                                  : STR("GET /forever HTTP/1.1\r\n" HOST "\r\n"));
    }
    EVENTUALLY(h.requests == 300);
    for (int i = 0; i < 300; i++)
        close(fds[i]);
    EVENTUALLY(h.gone == 300);
    EVENTUALLY((harness_in_loop(&h, read_in_flight), in_flight == 0));
    harness_stop(&h);
}

Test(connections, a_slow_reader_holds_the_stream_back)
{
    struct harness h;
    char some[1000];
    long before;
    int fd;

    harness_start(&h, (struct http_conf){0});
    fd = client_connect(&h);
    client_send(fd, STR("GET /forever HTTP/1.1\r\n" HOST "\r\n"));
    client_read(fd, some, sizeof some, NULL);
    do { /* until the kernel's buffers are full */
        before = h.streamed;
        usleep(200000);
    } while (h.streamed != before);
    cr_expect_lt(before, 64L << 20);
    cr_expect_eq(h.gone, 0);
    close(fd);
    EVENTUALLY(h.gone == 1);
    harness_stop(&h);
}

Test(connections, a_reader_that_stops_is_cut_off)
{
    struct harness h;
    int fd;

    harness_start(&h, (struct http_conf){.response_ms = 300});
    fd = client_connect(&h);
    client_send(fd, STR("GET /forever HTTP/1.1\r\n" HOST "\r\n"));
    EVENTUALLY(h.gone == 1);
    close(fd);
    harness_stop(&h);
}

static unsigned open_now;

static void read_open(struct harness *h)
{
    open_now = http_server_connections(h->server);
}

/* Of an answer that the sockets do not hold; of one after which the connection ends. */
Test(connections, who_does_not_read_or_does_not_close_is_cut_off)
{
    static const char *const requests[] = {
        "GET /large HTTP/1.1\r\n" HOST "\r\n",
        "GET /large HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
        "GET /lasting HTTP/1.1\r\n" HOST "\r\nGET /echo HTTP/1.1\r\n" HOST "\r\n",
        "POST /large HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx",
        "GET /echo HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
        "GET /echo HTTP/1.1\r\n\r\n",
    };
    enum { N = sizeof requests / sizeof *requests };
    struct harness h;
    int fds[N];

    harness_start(&h, (struct http_conf){.response_ms = 300});
    for (int i = 0; i < N; i++) {
        fds[i] = client_connect(&h);
        client_send(fds[i], str_of(requests[i]));
    }
    EVENTUALLY(h.requests == N - 1);
    EVENTUALLY((harness_in_loop(&h, read_open), open_now == 0));
    for (int i = 0; i < N; i++)
        close(fds[i]);
    harness_stop(&h);
}

/* Sends until nobody takes any more; how much that was. */
static size_t pump(int fd)
{
    struct timeval patience = {.tv_usec = 300000};
    char block[65536];
    size_t sent = 0;
    ssize_t n;

    memset(block, 'z', sizeof block);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    while (sent < 256UL << 20 && (n = send(fd, block, sizeof block, MSG_NOSIGNAL)) > 0)
        sent += (size_t)n;
    return sent;
}

static void expect_bounded(struct harness *h, struct str request)
{
    struct linger reset = {.l_onoff = 1}; /* a FIN would queue behind what is unread */
    int requests = h->requests, gone = h->gone;
    int fd = client_connect(h);

    client_send(fd, request);
    EVENTUALLY(h->requests == requests + 1);
    cr_expect_lt(pump(fd), 32UL << 20);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    EVENTUALLY(h->gone == gone + 1);
}

Test(connections, what_is_sent_ahead_is_bounded)
{
    struct harness h;

    harness_start(&h, (struct http_conf){0});
    expect_bounded(&h, STR("GET /wait HTTP/1.1\r\n" HOST "\r\n"));
    expect_bounded(&h, STR("GET /forever HTTP/1.1\r\n" HOST "\r\n"));
    harness_stop(&h);
}

/* ---- requests that come ahead while those before them are answered ---- */

enum { AHEAD_MAX = 16 << 20, ANSWERS = 5000 };

/* Sends what is taken of it. */
static size_t send_some(int fd, struct str bytes)
{
    ssize_t n = send(fd, bytes.p, bytes.n, MSG_DONTWAIT | MSG_NOSIGNAL);

    return n > 0 ? (size_t)n : 0;
}

static void wait_for(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

    poll(&p, 1, 1000);
}

/* Takes what has come of the answers. */
static size_t read_some(int fd)
{
    static char some[1 << 16];
    ssize_t n = recv(fd, some, sizeof some, MSG_DONTWAIT);

    return n > 0 ? (size_t)n : 0;
}

static size_t answer_length(const struct harness *h, struct str request)
{
    int fd = client_connect(h);
    char answer[4096];

    client_send(fd, request);
    client_read(fd, answer, sizeof answer, "\r\n\r\n");
    usleep(20000);
    size_t n = strlen(answer) + read_some(fd);
    close(fd);
    return n;
}

/* Every answer makes room for one request, and for no more. */
static void expect_no_growth(const struct harness *h, struct str request)
{
    size_t each = answer_length(h, request), block_n = 1000 * request.n, at = 0;
    size_t sent = 0, got = 0;
    char *block = malloc(block_n);
    int fd = client_connect(h);

    for (size_t i = 0; i < 1000; i++)
        memcpy(block + i * request.n, request.p, request.n);
    while (got < ANSWERS * each && sent - got / each * request.n < AHEAD_MAX) {
        size_t n;

        wait_for(fd);
        n = send_some(fd, (struct str){block + at, block_n - at});
        sent += n;
        at = (at + n) % block_n;
        got += read_some(fd);
    }
    cr_expect_lt(sent - got / each * request.n, AHEAD_MAX, "%.4s: %zu answers", request.p,
                 got / each);
    close(fd);
    free(block);
}

Test(connections, who_reads_answers_cannot_send_ever_further_ahead)
{
    struct harness h;

    harness_start(&h, (struct http_conf){0});
    expect_no_growth(&h, STR("GET /e HTTP/1.1\r\n" HOST "\r\n"));
    expect_no_growth(&h, STR("POST /e HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"));
    expect_no_growth(&h, STR("HEAD /stream HTTP/1.1\r\n" HOST "\r\n"));
    harness_stop(&h);
}

Test(connections, who_reads_a_stream_cannot_send_ever_further_ahead)
{
    static char block[1 << 16];
    size_t sent = 0, got = 0;
    struct harness h;
    int fd;

    harness_start(&h, (struct http_conf){0});
    fd = client_connect(&h);
    client_send(fd, STR("GET /forever HTTP/1.1\r\n" HOST "\r\n"));
    while (got < 8 * (size_t)AHEAD_MAX && sent < AHEAD_MAX) {
        wait_for(fd);
        sent += send_some(fd, (struct str){block, sizeof block});
        got += read_some(fd);
    }
    cr_expect_lt(sent, AHEAD_MAX, "%zu bytes read", got);
    close(fd);
    EVENTUALLY(h.gone == 1);
    harness_stop(&h);
}

Test(connections, a_handler_is_told_once_that_its_client_went_away)
{
    struct harness h;
    int fd;

    harness_start(&h, (struct http_conf){0});
    fd = client_connect(&h);
    client_send(fd, STR("GET /deaf HTTP/1.1\r\n" HOST "\r\n"));
    EVENTUALLY(h.requests == 1);
    close(fd);
    EVENTUALLY(h.gone == 1);
    EVENTUALLY((harness_in_loop(&h, read_in_flight), in_flight == 0));
    cr_expect_eq(h.gone, 1);
    harness_stop(&h);
}

Test(connections, destroying_with_requests_under_way_is_clean)
{
    struct harness h;
    int fds[3];

    harness_start(&h, (struct http_conf){0});
    for (int i = 0; i < 3; i++) {
        fds[i] = client_connect(&h);
        client_send(fds[i], STR("GET /wait HTTP/1.1\r\n" HOST "\r\n"));
    }
    EVENTUALLY(h.requests == 3);
    harness_stop(&h);
    for (int i = 0; i < 3; i++) {
        cr_expect(client_is_closed(fds[i]));
        close(fds[i]);
    }
}

#ifndef HARNESS_TLS
/* Criterion itself needs descriptors: no assertion while there are none. */
static bool echoes(int fd)
{
    char answer[4096];

    client_send(fd, STR("GET /echo HTTP/1.1\r\n" HOST "\r\n"));
    client_read(fd, answer, sizeof answer, "GET /echo  ");
    return strstr(answer, "GET /echo  ") != NULL;
}

Test(connections, running_out_of_descriptors_is_survived)
{
    struct harness h;
    struct rlimit limit, low;
    int old, last, requests;
    bool others_go_on, told;
    clock_t cpu;

    harness_start(&h, (struct http_conf){0});
    old = client_connect(&h);
    expect_echo(old);
    last = socket(AF_INET, SOCK_STREAM, 0);
    getrlimit(RLIMIT_NOFILE, &limit);
    low = (struct rlimit){(rlim_t)last + 1, limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
    client_connect_with(&h, last); /* the server gets none */
    told = client_is_closed(last);
    cpu = clock();
    usleep(500000);
    cpu = clock() - cpu;
    requests = h.requests;
    others_go_on = echoes(old);
    setrlimit(RLIMIT_NOFILE, &limit);
    cr_expect(told, "closed at once, not kept waiting");
    cr_expect_eq(requests, 1);
    cr_expect(others_go_on);
    cr_expect_lt(cpu, CLOCKS_PER_SEC / 16, "it spins");
    close(last);
    last = client_connect(&h);
    expect_echo(last);
    close(last);
    close(old);
    harness_stop(&h);
}
#endif
