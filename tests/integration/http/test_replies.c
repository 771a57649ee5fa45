// SPDX-License-Identifier: Apache-2.0
/* What goes out: whole replies, streams, keep-alive, pipelines, header fields. */
#include "harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "Host: a\r\n"

static void exchange(const struct harness *h, struct str request, char *out, size_t room)
{
    int fd = client_connect(h);

    client_send(fd, request);
    client_read_all(fd, out, room);
    close(fd);
}

static void expect_has(const char *answer, const char *part)
{
    cr_expect_not_null(strstr(answer, part), "no %s in\n%s", part, answer);
}

static void expect_ends(const char *answer, const char *end)
{
    size_t n = strlen(answer), m = strlen(end);

    cr_expect(n >= m && strcmp(answer + n - m, end) == 0, "%s", answer);
}

Test(replies, carry_what_the_handler_said_and_what_http_needs)
{
    struct harness h;
    char answer[4096];

    harness_start(&h, (struct http_conf){.server_header = "viaduct"});
    exchange(&h,
             STR("POST /a%20b/../c?q=1 HTTP/1.1\r\n" HOST "Connection: close\r\n"
                 "X-Send:  back \r\nContent-Length: 5\r\n\r\nhello"),
             answer, sizeof answer);
    cr_expect_eq(strncmp(answer, "HTTP/1.1 200 OK\r\n", 17), 0, "%s", answer);
    expect_has(answer, "\r\nDate: ");
    expect_has(answer, " GMT\r\n");
    expect_has(answer, "\r\nServer: viaduct\r\n");
    expect_has(answer, "\r\nContent-Type: text/plain\r\n");
    expect_has(answer, "\r\nContent-Length: 17\r\n");
    expect_has(answer, "\r\nX-Seen: back\r\n");
    expect_has(answer, "\r\nConnection: close\r\n");
    expect_ends(answer, "\r\n\r\nPOST /c q=1 hello");
    harness_stop(&h);
}

Test(replies, decode_chunked_bodies)
{
    struct harness h;
    char answer[4096];

    harness_start(&h, (struct http_conf){0});
    exchange(&h,
             STR("POST /c HTTP/1.1\r\n" HOST "Connection: close\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n"
                 "3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: z\r\n\r\n"),
             answer, sizeof answer);
    expect_ends(answer, "\r\n\r\nPOST /c  hello");
    harness_stop(&h);
}

static const char *const with_body[] = {"POST", "PUT", "PATCH"};
static const char *const without_body[] = {"GET", "DELETE", "OPTIONS"};

static void expect_method(const struct harness *h, const char *method, const char *body)
{
    char request[200], answer[4096], end[100];

    snprintf(request, sizeof request,
             "%s /m HTTP/1.1\r\n" HOST
             "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
             method, strlen(body), body);
    exchange(h, str_of(request), answer, sizeof answer);
    snprintf(end, sizeof end, "\r\n\r\n%s /m  %s", method, body);
    expect_ends(answer, end);
}

Test(replies, every_method_reaches_the_handler)
{
    struct harness h;

    harness_start(&h, (struct http_conf){0});
    for (size_t i = 0; i < 3; i++) {
        expect_method(&h, with_body[i], "b");
        expect_method(&h, with_body[i], "");
        expect_method(&h, without_body[i], "");
    }
    harness_stop(&h);
}

Test(replies, to_head_have_a_length_and_no_body)
{
    struct harness h;
    char answer[4096];

    harness_start(&h, (struct http_conf){0});
    exchange(&h, STR("HEAD /x HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"), answer,
             sizeof answer);
    expect_has(answer, "\r\nContent-Length: 9\r\n");
    expect_ends(answer, "\r\n\r\n");
    harness_stop(&h);
}

Test(replies, of_status_204_have_neither_type_nor_length)
{
    struct harness h;
    char answer[4096];

    harness_start(&h, (struct http_conf){0});
    exchange(&h, STR("GET /nothing HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"),
             answer, sizeof answer);
    expect_has(answer, "HTTP/1.1 204 No Content\r\n");
    cr_expect_null(strstr(answer, "Content-"));
    expect_ends(answer, "\r\n\r\n");
    harness_stop(&h);
}

Test(replies, drop_header_values_that_would_split_the_response)
{
    struct harness h;
    char answer[4096];

    harness_start(&h, (struct http_conf){0});
    exchange(&h, STR("GET /evil HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"), answer,
             sizeof answer);
    expect_has(answer, "HTTP/1.1 200 OK\r\n");
    cr_expect_null(strstr(answer, "Set-Cookie"));
    harness_stop(&h);
}

Test(replies, to_pipelined_requests_come_in_order)
{
    struct harness h;
    char answer[65536], want[32];
    const char *at = answer;
    int fd;

    harness_start(&h, (struct http_conf){0});
    fd = client_connect(&h);
    for (int i = 0; i < 30; i++) {
        char request[128];

        snprintf(request, sizeof request, "GET %s?n=%d HTTP/1.1\r\n" HOST "%s\r\n",
                 i % 3 ? "/echo" : "/later", i, i == 29 ? "Connection: close\r\n" : "");
        client_send(fd, str_of(request));
    }
    client_read_all(fd, answer, sizeof answer);
    for (int i = 0; i < 30; i++) {
        snprintf(want, sizeof want, " n=%d ", i);
        at = strstr(at, want);
        cr_assert_not_null(at, "no%sin its place", want);
    }
    close(fd);
    harness_stop(&h);
}

Test(replies, invite_a_body_that_waits_for_it_again_and_again)
{
    struct harness h;
    char answer[4096];
    int fd;

    harness_start(&h, (struct http_conf){0});
    fd = client_connect(&h);
    for (int i = 0; i < 5; i++) {
        client_send(fd, STR("POST /c HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                            "Content-Length: 5\r\n\r\n"));
        client_read(fd, answer, sizeof answer, "\r\n\r\n");
        cr_expect_str_eq(answer, "HTTP/1.1 100 Continue\r\n\r\n");
        client_send(fd, STR("hello"));
        client_read(fd, answer, sizeof answer, "POST /c  hello");
        expect_has(answer, "HTTP/1.1 200 OK\r\n");
    }
    cr_expect_eq(h.requests, 5);
    close(fd);
    harness_stop(&h);
}

Test(replies, do_not_invite_a_body_that_is_too_large)
{
    struct harness h;
    char answer[4096];

    harness_start(&h, (struct http_conf){.max_body_bytes = 10});
    exchange(&h,
             STR("POST /c HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                 "Content-Length: 11\r\n\r\n"),
             answer, sizeof answer);
    cr_expect_eq(strncmp(answer, "HTTP/1.1 413 ", 13), 0, "%s", answer);
    harness_stop(&h);
}

Test(replies, to_http_1_0_end_with_the_connection_unless_kept_alive)
{
    struct harness h;
    char answer[4096];
    int fd;

    harness_start(&h, (struct http_conf){0});
    exchange(&h, STR("GET /x HTTP/1.0\r\n\r\n"), answer, sizeof answer);
    expect_ends(answer, "GET /x  ");
    fd = client_connect(&h);
    for (int i = 0; i < 3; i++) {
        client_send(fd, STR("GET /x HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
        client_read(fd, answer, sizeof answer, "GET /x  ");
        expect_has(answer, "\r\nConnection: keep-alive\r\n");
    }
    close(fd);
    harness_stop(&h);
}

static size_t count_x(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += *s == 'x';
    return n;
}

/* Of the body, and of what follows it: one, in `text/plain`. */
static size_t read_large(int fd, const char *until)
{
    char *text = malloc(2 * LARGE_BYTES);
    size_t n;

    client_read(fd, text, 2 * LARGE_BYTES, until);
    n = count_x(strstr(text, "\r\n\r\n"));
    free(text);
    return n;
}

static void expect_large(const struct harness *h, struct str request)
{
    int fd = client_connect(h);

    client_send(fd, request);
    usleep(50000); /* the sockets are full by then, or the test shows less */
    client_send(fd, STR("GET /after HTTP/1.1\r\n" HOST "\r\n"));
    cr_expect_eq(read_large(fd, "GET /after  "), LARGE_BYTES + 1);
    close(fd);
}

Test(replies, that_the_sockets_do_not_hold_are_whole)
{
    struct harness h;

    harness_start(&h, (struct http_conf){0});
    expect_large(&h, STR("GET /large HTTP/1.1\r\n" HOST "\r\n"));
    expect_large(&h, STR("GET /lasting HTTP/1.1\r\n" HOST "\r\n"));
    harness_stop(&h);
}

/* Each of them fits, but the sockets are full: each has a head with one `x`, too. All the
 * requests come at once, so over TLS in one record. */
Test(replies, that_wait_for_those_before_are_whole)
{
    enum { N = LARGE_BYTES / RECORD_BYTES, ROOM = 64 };
    struct harness h;
    char *asked = malloc((N + 1) * ROOM);
    size_t n = 0;
    int fd;

    harness_start(&h, (struct http_conf){0});
    fd = client_connect(&h);
    for (int i = 0; i <= N; i++)
        n += (size_t)snprintf(asked + n, ROOM, "GET /%s HTTP/1.1\r\n" HOST "\r\n",
                              i < N ? "record" : "after");
    client_send(fd, (struct str){asked, n});
    usleep(50000); /* the sockets are full by then, or the test shows less */
    cr_expect_eq(read_large(fd, "GET /after  "), (size_t)N * (RECORD_BYTES + 1));
    cr_expect_eq(h.requests, N + 1);
    close(fd);
    free(asked);
    harness_stop(&h);
}

static void stop_reading(const struct harness *h, struct str request)
{
    char some[100];
    int fd = client_connect(h);

    client_send(fd, request);
    client_read(fd, some, sizeof some, "x");
    close(fd);
}

static unsigned open_now;

static void read_open(struct harness *h)
{
    open_now = http_server_connections(h->server);
}

Test(replies, to_a_client_that_leaves_end_with_it)
{
    struct harness h;

    harness_start(&h, (struct http_conf){0});
    for (int i = 0; i < 20; i++) {
        stop_reading(&h, STR("GET /large HTTP/1.1\r\n" HOST "\r\n"));
        stop_reading(&h, STR("GET /lasting HTTP/1.1\r\n" HOST "\r\n"));
    }
    EVENTUALLY((harness_in_loop(&h, read_open), open_now == 0));
    harness_stop(&h);
}

Test(replies, streams_are_chunked_and_whole)
{
    struct harness h;
    size_t room = 2 * STREAM_CHUNKS * STREAM_CHUNK_BYTES;
    char *answer = malloc(room);

    harness_start(&h, (struct http_conf){0});
    for (int i = 0; i < 20; i++) {
        exchange(&h, STR("GET /stream HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"),
                 answer, room);
        expect_has(answer, "\r\nTransfer-Encoding: chunked\r\n");
        cr_expect_eq(count_x(strstr(answer, "\r\n\r\n")),
                     (size_t)STREAM_CHUNKS * STREAM_CHUNK_BYTES);
        expect_ends(answer, "\r\n0\r\n\r\n");
    }
    free(answer);
    harness_stop(&h);
}

Test(replies, streams_to_http_1_0_are_plain)
{
    struct harness h;
    size_t room = 2 * STREAM_CHUNKS * STREAM_CHUNK_BYTES;
    char *answer = malloc(room);

    harness_start(&h, (struct http_conf){0});
    exchange(&h, STR("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), answer,
             room);
    cr_expect_null(strstr(answer, "chunked"));
    cr_expect_null(strstr(answer, "keep-alive"));
    cr_expect_null(strstr(answer, "Content-Length"));
    cr_expect_eq(strlen(strstr(answer, "\r\n\r\n") + 4),
                 (size_t)STREAM_CHUNKS * STREAM_CHUNK_BYTES);
    free(answer);
    harness_stop(&h);
}

Test(replies, streams_to_head_end_without_a_body)
{
    struct harness h;
    char answer[4096];
    int fd;

    harness_start(&h, (struct http_conf){0});
    fd = client_connect(&h);
    client_send(fd, STR("HEAD /stream HTTP/1.1\r\n" HOST "\r\n"
                        "GET /echo?next HTTP/1.1\r\n" HOST "\r\n"));
    client_read(fd, answer, sizeof answer, "GET /echo next ");
    expect_has(answer, "GET /echo next ");
    cr_expect_null(strchr(answer, 'x') && count_x(answer) > 20 ? answer : NULL);
    close(fd);
    harness_stop(&h);
}

Test(replies, a_stream_is_followed_by_the_next_request)
{
    struct harness h;
    size_t room = 2 * STREAM_CHUNKS * STREAM_CHUNK_BYTES;
    char *answer = malloc(room);
    int fd;

    harness_start(&h, (struct http_conf){0});
    fd = client_connect(&h);
    client_send(fd, STR("GET /stream HTTP/1.1\r\n" HOST "\r\n"
                        "GET /echo?after HTTP/1.1\r\n" HOST "\r\n"));
    client_read(fd, answer, room, "GET /echo after ");
    expect_has(answer, "\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n");
    expect_ends(answer, "GET /echo after ");
    free(answer);
    close(fd);
    harness_stop(&h);
}

static void expect_cut(const struct harness *h, struct str request, bool chunked)
{
    char answer[4096];

    exchange(h, request, answer, sizeof answer);
    expect_has(answer, "not all of it");
    cr_expect_null(strstr(answer, "\r\n0\r\n"));
    cr_expect_eq(strstr(answer, "chunked") != NULL, chunked);
}

Test(replies, a_stream_that_breaks_off_does_not_look_whole)
{
    struct harness h;

    harness_start(&h, (struct http_conf){0});
    expect_cut(&h, STR("GET /cut HTTP/1.1\r\n" HOST "\r\n"), true);
    expect_cut(&h, STR("GET /cut HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"), true);
    expect_cut(&h, STR("GET /cut HTTP/1.0\r\n\r\n"), false);
    harness_stop(&h);
}
