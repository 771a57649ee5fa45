// SPDX-License-Identifier: Apache-2.0
/*
 * What evhttp would let through and must not, over a socket: each case whole and byte by
 * byte gets problem+json and the end of the connection, and no handler ever runs; least
 * of all for a request hidden in a body.
 */
#include "harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

struct row {
    int status;
    const char *bytes;
    size_t n;
};

#define ROW(status, text) {status, text, sizeof(text) - 1}
#define HOST              "Host: a\r\n"
#define CHUNKED           "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
#define HIDDEN            "GET /echo?hidden HTTP/1.1\r\nHost: a\r\n\r\n"

static const struct row rows[] = {
    /* the table of what evhttp accepts */
    ROW(501, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n" HIDDEN),
    ROW(501, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
             "Transfer-Encoding: chunked\r\n\r\n" HIDDEN),
    ROW(400, "HEAD /echo HTTP/1.1\r\n" HOST "Content-Length: 38\r\n\r\n" HIDDEN),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "Content-Length: 38\r\n\r\n" HIDDEN),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
             "26\r\n" HIDDEN "\r\n0\r\n\r\n"),
    ROW(501, "BREW /echo HTTP/1.1\r\n" HOST "Content-Length: 38\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 38\r\n"
             "Content-Length: 2\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n"
             "Content-Length: 38\r\n\r\nab" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: +2\r\n\r\nab" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length : 2\r\n\r\nab" HIDDEN),
    ROW(400, "GET /echo HTTP/1.1\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "Host: b\r\n\r\n"),
    ROW(400, "POST /echo HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
             "2\r\nab\r\n0\r\n\r\n"),
    ROW(505, "GET /echo HTTP/1.2\r\n" HOST "\r\n"),
    ROW(400, "GET /echo HTTP/4294967295.255\r\n" HOST "\r\n"),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
             "+2\r\nab\r\n0\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
             "0x2\r\nab\r\n0\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
             " 2\r\nab\r\n0\r\n\r\n" HIDDEN),
    ROW(400, "GET /echo HTTP/1.1\n" HOST "\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\nHost: a\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST ": a\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "X Y: a\r\n\r\n"),
    ROW(400, "GET /ec\001ho HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "\0\r\n\r\n"),

    /* more */
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n"
             "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" HIDDEN),
    ROW(413, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n"),
    ROW(413,
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n10001\r\n"),
    ROW(400, "GET //evil/x HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /a%2fb HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /a%00b HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /../etc/passwd HTTP/1.1\r\n" HOST "\r\n"),
    ROW(501, "CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n"),
    ROW(501, "TRACE / HTTP/1.1\r\n" HOST "\r\n"),
    ROW(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ROW(400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ROW(400, "GET /\r\n\r\n"),
    ROW(400, "\r\n\r\n\r\n\r\n"),

    /* request lines */
    ROW(400, "GET  /echo HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /echo  HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, " GET /echo HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET\t/echo\tHTTP/1.1\r\n" HOST "\r\n"),
    ROW(501, "get /echo HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /echo http/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /echo HTTP/1.1 \r\n" HOST "\r\n"),
    ROW(400, "GET /echo HTTP/01.1\r\n" HOST "\r\n"),
    ROW(400, "GET /echo HTTP/1.1x\r\n" HOST "\r\n"),
    ROW(400, "GET /echo HTTP/1\r\n" HOST "\r\n"),
    ROW(505, "GET /echo HTTP/0.9\r\n" HOST "\r\n"),
    ROW(400, "GET /echo\r\n" HOST "\r\n"),
    ROW(400, "(GET) /echo HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "G\0ET /echo HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\r\n" HOST "\r\n"),
    ROW(400, "GET /echo HTTP/1.1\rX: y\r\n" HOST "\r\n"),

    /* targets */
    ROW(400, "GET echo HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET ftp://a/echo HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET http:///echo HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET http://u:p@a/echo HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET * HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /echo#part HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /ec\\ho HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /%zz HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /% HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /%2 HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /a/%2e%2e/%2e%2e/b HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /%5cb HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /%c0%af HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /%ff HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /a%0d%0ab HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /a//b HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /\xff HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /\x7f HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /<a> HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /a%2Fb/../c HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /%e2%28%a1 HTTP/1.1\r\n" HOST "\r\n"),
    ROW(400, "GET /a/../../b HTTP/1.1\r\n" HOST "\r\n"),

    /* hosts and other fields */
    ROW(400, "GET /echo HTTP/1.1\r\n"
             "Host:\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n"
             "Host: a b\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n"
             "Host: a/b\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n"
             "Host: u@a\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n"
             "Host: a:b\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n"
             "Host: [::1\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n"
             "Host : a\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n"
             " Host: a\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n"
             "Host: a\r\nHOST: a\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n"
             "Host: a\t b\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n"
             "Hos\xc3\xa9t: a\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "X\001: a\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "X: a\001\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "XYZ\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "(X): a\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "X/Y: a\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "X\xc3\xa4: a\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "X\t: a\r\n\r\n"),
    ROW(400,
        "GET /echo HTTP/1.1\r\n" HOST "Content-Type: a/b\r\nContent-Type: a/c\r\n\r\n"),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST
             "Authorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n"),

    /* lengths and codings */
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2,2\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2, 2\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0x10\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1e1\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2 2\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST
             "Content-Length: 99999999999999999999999\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2.0\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: \0132\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2;\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: ٢\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST
             "Content-Length: 2\r\nContent-Length: 2\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n 3\r\n\r\n" HIDDEN),
    ROW(413, "POST /echo HTTP/1.1\r\n" HOST
             "Content-Length: 9223372036854775807\r\n\r\n" HIDDEN),
    ROW(501, "POST /echo HTTP/1.1\r\n" HOST
             "Transfer-Encoding: chunked, identity\r\n\r\n" HIDDEN),
    ROW(501, "POST /echo HTTP/1.1\r\n" HOST
             "Transfer-Encoding: identity, chunked\r\n\r\n" HIDDEN),
    ROW(501,
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n" HIDDEN),
    ROW(501,
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked;q=1\r\n\r\n" HIDDEN),
    ROW(501,
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n" HIDDEN),
    ROW(501, "POST /echo HTTP/1.1\r\n" HOST
             "Transfer-Encoding: chunked, chunked\r\n\r\n" HIDDEN),
    ROW(501, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: \r\n\r\n" HIDDEN),
    ROW(501, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunke\r\n\r\n" HIDDEN),
    ROW(501, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked,\r\n\r\n" HIDDEN),
    ROW(501, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: ,chunked\r\n\r\n" HIDDEN),
    ROW(501, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: cow\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n" HIDDEN),
    ROW(400,
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding\0: chunked\r\n\r\n" HIDDEN),
    ROW(400,
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\013\r\n\r\n" HIDDEN),
    ROW(400, "POST /echo HTTP/1.1\r\n" HOST
             "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n" HIDDEN),
    ROW(501,
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n chunked\r\n\r\n" HIDDEN),
    ROW(400,
        "POST /echo HTTP/1.1\r\n" HOST "\rTransfer-Encoding: chunked\r\n\r\n" HIDDEN),
    ROW(400,
        "POST /echo HTTP/1.1\r\n" HOST "X: y\nTransfer-Encoding: chunked\r\n\r\n" HIDDEN),
    ROW(400, "HEAD /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello" HIDDEN),
    ROW(400, "DELETE /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello" HIDDEN),
    ROW(400, "OPTIONS /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello" HIDDEN),
    ROW(400, "GET /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello" HIDDEN),
    ROW(400, "HEAD /echo HTTP/1.1\r\n" HOST
             "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" HIDDEN),
    ROW(400, "DELETE /echo HTTP/1.1\r\n" HOST
             "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" HIDDEN),
    ROW(400, "OPTIONS /echo HTTP/1.1\r\n" HOST
             "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" HIDDEN),

    /* chunks */
    ROW(400, CHUNKED "\r\n" HIDDEN),
    ROW(400, CHUNKED "g\r\n" HIDDEN),
    ROW(400, CHUNKED "-1\r\n" HIDDEN),
    ROW(400, CHUNKED "2\nab\r\n0\r\n\r\n" HIDDEN),
    ROW(400, CHUNKED "2\r\nabc\r\n0\r\n\r\n" HIDDEN),
    ROW(400, CHUNKED "2\r\nab\n0\r\n\r\n" HIDDEN),
    ROW(400, CHUNKED "2\r\nab\r0\r\n\r\n" HIDDEN),
    ROW(400, CHUNKED "2\r\nab0\r\n\r\n" HIDDEN),
    ROW(400, CHUNKED "2;\001\r\nab\r\n0\r\n\r\n" HIDDEN),
    ROW(400, CHUNKED "2;a\nb\r\nab\r\n0\r\n\r\n" HIDDEN),
    ROW(400, CHUNKED "2\rab\r\n0\r\n\r\n" HIDDEN),
    ROW(400, CHUNKED "0\r\nX\r\n\r\n" HIDDEN),
    ROW(400, CHUNKED "0\r\n X: y\r\n\r\n" HIDDEN),
    ROW(400, CHUNKED "0\r\n\n" HIDDEN),
    ROW(400, CHUNKED "0\r\nX: a\0b\r\n\r\n" HIDDEN),
    ROW(400, CHUNKED "0\r\n: a\r\n\r\n" HIDDEN),
    ROW(400, CHUNKED "0\r\nX: a\n\r\n" HIDDEN),
    ROW(400, CHUNKED "1.0\r\na\r\n0\r\n\r\n" HIDDEN),
    ROW(400, CHUNKED "\t2\r\nab\r\n0\r\n\r\n" HIDDEN),
    ROW(400, CHUNKED "2,\r\nab\r\n0\r\n\r\n" HIDDEN),
    ROW(400, CHUNKED "\0002\r\nab\r\n0\r\n\r\n" HIDDEN),
    ROW(413, CHUNKED "ffffffffffffffff\r\n" HIDDEN),
    ROW(413, CHUNKED "10000000000000002\r\nab\r\n0\r\n\r\n" HIDDEN),
};

static void expect_refused(const struct harness *h, const struct row *row, bool slowly)
{
    char answer[8192], status_line[32];
    const struct str bytes = {row->bytes, row->n};
    int fd = client_connect(h);

    if (slowly)
        client_send_slowly(fd, bytes);
    else
        client_send(fd, bytes);
    client_send(fd, STR(HIDDEN)); /* legal, but too late */
    client_read(fd, answer, sizeof answer, NULL);
    cr_assert(client_is_closed(fd), "%.*s\nis not closed", STR_FMT(bytes));
    snprintf(status_line, sizeof status_line, "HTTP/1.1 %d ", row->status);
    cr_expect(strncmp(answer, status_line, strlen(status_line)) == 0, "%.*s\ngot\n%s",
              STR_FMT(bytes), answer);
    cr_expect_not_null(strstr(answer, "Content-Type: application/problem+json\r\n"));
    cr_expect_not_null(strstr(answer, "Connection: close\r\n"));
    cr_expect_eq(strstr(answer, "\"request_id\":\"") != NULL,
                 strncmp(row->bytes, "HEAD ", 5) != 0, "%s", answer);
    cr_expect_null(strstr(answer, "\nHTTP/1.1 "), "a second answer: %s", answer);
    close(fd);
}

Test(refusals, every_case_gets_a_problem_and_the_end)
{
    struct harness h;

    harness_start(&h, (struct http_conf){0});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        expect_refused(&h, &rows[i], false);
        expect_refused(&h, &rows[i], true);
    }
    cr_expect_eq(h.requests, 0);
    harness_stop(&h);
}

Test(refusals, come_after_the_answers_to_earlier_requests)
{
    struct harness h;
    char answer[8192];
    int fd;
    char *first, *second;

    harness_start(&h, (struct http_conf){0});
    fd = client_connect(&h);
    client_send(fd, STR("GET /later HTTP/1.1\r\n" HOST "\r\n"
                        "GET /echo HTTP/7.0\r\n" HOST "\r\n" HIDDEN));
    client_read_all(fd, answer, sizeof answer);
    first = strstr(answer, "HTTP/1.1 200");
    second = strstr(answer, "HTTP/1.1 505");
    cr_expect(first == answer && second > first, "%s", answer);
    cr_expect_eq(h.requests, 1);
    close(fd);
    harness_stop(&h);
}

static void send_repeated(int fd, const char *what, size_t times)
{
    for (size_t i = 0; i < times; i++)
        client_send(fd, str_of(what));
}

Test(refusals, too_long_a_target_is_414)
{
    struct harness h;
    char answer[8192];
    int fd;

    harness_start(&h, (struct http_conf){0});
    fd = client_connect(&h);
    client_send(fd, STR("GET /"));
    send_repeated(fd, "xxxxxxxxxxxxxxxx", 1025);
    client_read_all(fd, answer, sizeof answer);
    cr_expect_not_null(strstr(answer, "HTTP/1.1 414 "));
    close(fd);
    harness_stop(&h);
}

Test(refusals, too_much_head_is_431_and_the_answer_survives_what_follows)
{
    struct harness h;
    char answer[8192];
    int fd;

    harness_start(&h, (struct http_conf){0});
    fd = client_connect(&h);
    client_send(fd, STR("GET / HTTP/1.1\r\n" HOST));
    send_repeated(fd, "X-Field: 0123456789012345678901234567890123456789\r\n", 2000);
    client_read_all(fd, answer, sizeof answer);
    cr_expect_not_null(strstr(answer, "HTTP/1.1 431 "));
    close(fd);
    harness_stop(&h);
}

Test(refusals, a_head_that_drips_in_is_408)
{
    struct harness h;
    char answer[8192];
    int fd;

    harness_start(&h, (struct http_conf){.request_ms = 300});
    fd = client_connect(&h);
    client_send(fd, STR("GET / HTTP/1.1\r\nHost: a\r\nX: "));
    for (int i = 0; i < 40; i++) { /* each byte well within any idle time-out */
        client_send(fd, STR("y"));
        usleep(20000);
    }
    client_read_all(fd, answer, sizeof answer);
    cr_expect_not_null(strstr(answer, "HTTP/1.1 408 "), "%s", answer);
    cr_expect_eq(h.requests, 0);
    close(fd);
    harness_stop(&h);
}

Test(refusals, a_body_that_does_not_come_is_408)
{
    struct harness h;
    char answer[8192];
    int fd;

    harness_start(&h, (struct http_conf){.request_ms = 100});
    fd = client_connect(&h);
    client_send(fd, STR("POST / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc"));
    client_read_all(fd, answer, sizeof answer);
    cr_expect_not_null(strstr(answer, "HTTP/1.1 408 "), "%s", answer);
    cr_expect_eq(h.requests, 0);
    close(fd);
    harness_stop(&h);
}

Test(refusals, a_client_that_goes_on_sending_is_cut_off)
{
    struct harness h;
    int fd;
    char block[65536];
    bool cut = false;

    memset(block, 'z', sizeof block);
    harness_start(&h, (struct http_conf){0});
    fd = client_connect(&h);
    client_send(fd, STR("GET / HTTP/9.9\r\n"));
    for (int i = 0; i < 100000 && !cut; i++)
        cut = send(fd, block, sizeof block, MSG_NOSIGNAL) < 0;
    cr_expect(cut);
    close(fd);
    harness_stop(&h);
}
