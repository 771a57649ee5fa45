// SPDX-License-Identifier: Apache-2.0
/*
 * Requests that the handler is asked about before their bodies are read: it may answer at
 * once or later, take the body at once or later, with a limit; nothing of a body that it
 * did not want runs as a request, and its answer arrives.
 */
#include "harness.h"
#include "kit/base/err.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#define HOST   "Host: a\r\n"
#define HIDDEN "GET /echo?hidden HTTP/1.1\r\nHost: a\r\n\r\n"
#define NEXT   "GET /echo?next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

enum { LIMIT = 50, LARGE = 1 << 20, SOON_MS = 30 };

/* ---- what is asked ---- */

static void deny(struct http_req *r)
{
    http_reply(r, 401, "text/plain", NULL, 0, STR("denied"));
}

static void take(struct http_req *r)
{
    const struct err *e = http_take_body(r, LIMIT);

    if (e)
        http_reply(r, err_info(e)->http_status, "text/plain", NULL, 0, e->detail);
}

struct soon {
    struct loop_timer timer;
    struct http_req *r;
    void (*fn)(struct http_req *r);
};

static void soon_fired(struct loop_timer *t)
{
    struct soon *s = CONTAINER_OF(t, struct soon, timer);

    s->fn(s->r);
}

static void soon(struct http_req *r, void (*fn)(struct http_req *r))
{
    struct soon *s = ARENA_NEW(&r->arena, struct soon);

    s->r = r;
    s->fn = fn;
    loop_timer_init(&s->timer, harness_loop(), soon_fired);
    loop_timer_set(&s->timer, SOON_MS);
}

static void gone(struct http_req *r)
{
    struct harness *h = r->user;

    h->gone++;
    http_reply(r, 503, NULL, NULL, 0, STR(""));
}

static void wait(struct http_req *r)
{
    (void)r;
}

static void later_deny(struct http_req *r)
{
    soon(r, deny);
}

static void later_take(struct http_req *r)
{
    soon(r, take);
}

static const struct {
    struct str path;
    void (*fn)(struct http_req *r);
} asked[] = {
    {{"/deny", 5}, deny},
    {{"/take", 5}, take},
    {{"/deny-later", 11}, later_deny},
    {{"/take-later", 11}, later_take},
    {{"/wait-head", 10}, wait},
};

static atomic_int heads;

static void head(void *arg, struct http_req *r)
{
    atomic_fetch_add(&heads, 1);
    cr_assert_null(r->user);
    cr_assert(r->client_ip.n > 0 && r->start_us > 0);
    r->user = arg;
    r->gone = gone;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if (str_eq(r->path, asked[i].path))
            asked[i].fn(r);
}

static void refused(void *arg, struct http_req *r, const struct err *e)
{
    cr_assert(r->user == NULL || r->user == arg);
    http_reply(r, err_info(e)->http_status, "text/x-refused", NULL, 0, e->detail);
}

static void begin(struct harness *h, int64_t request_ms)
{
    harness_start(h, (struct http_conf){.head = head,
                                        .refused = refused,
                                        .request_ms = request_ms,
                                        .max_body_bytes = LARGE});
}

/* ---- rows: what is sent at once, and all that comes back ---- */

static const struct row {
    const char *what, *sent;
    int statuses[3]; /* in order; the connection ends after them */
    const char *has;
    int requests; /* that the handler got whole */
} rows[] = {
    {"answered at once, the body skipped",
     "POST /deny HTTP/1.1\r\n" HOST "Content-Length: 38\r\n\r\n" HIDDEN NEXT,
     {401, 200},
     "GET /echo next ",
     1},
    {"answered later, the body skipped",
     "POST /deny-later HTTP/1.1\r\n" HOST "Content-Length: 38\r\n\r\n" HIDDEN NEXT,
     {401, 200},
     "GET /echo next ",
     1},
    {"two in a row",
     "POST /deny HTTP/1.1\r\n" HOST "Content-Length: 38\r\n\r\n" HIDDEN
     "PUT /deny-later HTTP/1.1\r\n" HOST "Content-Length: 38\r\n\r\n" HIDDEN NEXT,
     {401, 401, 200},
     "GET /echo next ",
     1},
    {"of a chunked body the end is not looked for",
     "POST /deny HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
     "26\r\n" HIDDEN "\r\n0\r\n\r\n" NEXT,
     {401},
     "Connection: close\r\n",
     0},
    {"who waits to be invited may send the body or not",
     "POST /deny HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
     "Content-Length: 38\r\n\r\n" HIDDEN NEXT,
     {401},
     "Connection: close\r\n",
     0},
    {"the end was asked for",
     "POST /deny HTTP/1.1\r\n" HOST "Connection: close\r\n"
     "Content-Length: 38\r\n\r\n" HIDDEN NEXT,
     {401},
     "Connection: close\r\n",
     0},
    {"taken at once",
     "POST /take HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello" NEXT,
     {200, 200},
     "POST /take  hello",
     2},
    {"taken later",
     "POST /take-later HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello" NEXT,
     {200, 200},
     "POST /take-later  hello",
     2},
    {"taken later, chunked",
     "POST /take-later HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
     "5\r\nhello\r\n0\r\n\r\n" NEXT,
     {200, 200},
     "POST /take-later  hello",
     2},
    {"too long by its head, and the limit is named",
     "POST /take HTTP/1.1\r\n" HOST "Content-Length: 51\r\n\r\n"
     "012345678901234567890123456789012345678901234567890" NEXT,
     {413, 200},
     "The limit for this body is 50 bytes",
     1},
    {"too long for any route",
     "POST /take HTTP/1.1\r\n" HOST "Content-Length: 1048577\r\n\r\n",
     {413},
     "The limit for this body is 1048576 bytes",
     0},
    {"too long as it turns out",
     "POST /take HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
     "33\r\n012345678901234567890123456789012345678901234567890\r\n0\r\n\r\n" NEXT,
     {413},
     "The limit for this body is 50 bytes",
     0},
    {"malformed after it was taken",
     "POST /take-later HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
     "5\r\nhellooo" NEXT,
     {400},
     "text/x-refused",
     0},
    {"malformed before anybody is asked",
     "POST /deny HTTP/1.1\r\n" HOST
     "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello" NEXT,
     {400},
     "text/x-refused",
     0},
    {"nobody is asked without a body",
     "POST /deny HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n" NEXT,
     {200, 200},
     "POST /deny",
     2},
};

static void expect_statuses(const struct row *row, const char *answer)
{
    for (size_t i = 0; i < 3 && row->statuses[i]; i++) {
        char line[32];

        (void)snprintf(line, sizeof line, "HTTP/1.1 %d ", row->statuses[i]);
        answer = answer ? strstr(answer, line) : NULL;
        cr_expect_not_null(answer, "%s: no %s", row->what, line);
        answer = answer ? answer + 1 : NULL;
    }
    cr_expect(!answer || !strstr(answer, "HTTP/1.1 "), "%s: one more", row->what);
}

static void try_row(struct harness *h, const struct row *row, bool slowly)
{
    int before = h->requests, fd = client_connect(h);
    char answer[8192];

    if (slowly)
        client_send_slowly(fd, str_of(row->sent));
    else
        client_send(fd, str_of(row->sent));
    client_read_all(fd, answer, sizeof answer);
    expect_statuses(row, answer);
    cr_expect_not_null(strstr(answer, row->has), "%s: %s", row->what, answer);
    cr_expect_null(strstr(answer, "hidden"), "%s", row->what);
    cr_expect_eq(h->requests - before, row->requests, "%s: %d", row->what, h->requests);
    close(fd);
}

Test(early, every_row_whole_and_byte_by_byte)
{
    struct harness h;

    begin(&h, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        try_row(&h, &rows[i], false);
        try_row(&h, &rows[i], true);
    }
    harness_stop(&h);
}

/* ---- without the body ---- */

Test(early, the_answer_does_not_wait_for_the_body)
{
    static char body[60000];
    struct harness h;
    char answer[8192];
    int fd;

    memset(body, 'x', sizeof body);
    begin(&h, 0);
    fd = client_connect(&h);
    client_send(fd, STR("POST /deny HTTP/1.1\r\n" HOST "Content-Length: 60000\r\n\r\n"));
    client_read(fd, answer, sizeof answer, "denied");
    cr_expect_eq(strncmp(answer, "HTTP/1.1 401 ", 13), 0, "%s", answer);
    cr_expect_null(strstr(answer, "Connection: close"));
    client_send(fd, (struct str){body, sizeof body});
    client_send(fd, STR(NEXT));
    client_read_all(fd, answer, sizeof answer);
    cr_expect_not_null(strstr(answer, "GET /echo next "), "%s", answer);
    cr_expect_eq(h.requests, 1);
    close(fd);
    harness_stop(&h);
}

Test(early, the_answer_survives_a_client_that_sends_on)
{
    static char body[LARGE];
    struct harness h;
    char answer[8192];
    int fd;

    memset(body, 'x', sizeof body);
    begin(&h, 0);
    fd = client_connect(&h);
    client_send(fd,
                STR("POST /deny HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\n"));
    client_send(fd, (struct str){body, 900000});
    client_read_all(fd, answer, sizeof answer);
    cr_expect_not_null(strstr(answer, "denied"), "%s", answer);
    cr_expect_not_null(strstr(answer, "Connection: close\r\n"));
    cr_expect_eq(h.requests, 0);
    close(fd);
    harness_stop(&h);
}

Test(early, a_body_is_invited_when_it_is_taken_and_not_before)
{
    struct harness h;
    char answer[8192];
    int fd;

    begin(&h, 0);
    fd = client_connect(&h);
    client_send(fd, STR("POST /deny-later HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                        "Content-Length: 5\r\n\r\n"));
    client_read_all(fd, answer, sizeof answer);
    cr_expect_eq(strncmp(answer, "HTTP/1.1 401 ", 13), 0, "%s", answer);
    close(fd);
    fd = client_connect(&h);
    client_send(fd, STR("POST /take-later HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                        "Content-Length: 5\r\n\r\n"));
    client_read(fd, answer, sizeof answer, "\r\n\r\n");
    cr_expect_str_eq(answer, "HTTP/1.1 100 Continue\r\n\r\n");
    client_send(fd, STR("hello" NEXT));
    client_read_all(fd, answer, sizeof answer);
    cr_expect_not_null(strstr(answer, "POST /take-later  hello"), "%s", answer);
    close(fd);
    harness_stop(&h);
}

Test(early, a_client_that_reads_late_gets_every_answer)
{
    static char answer[1 << 18];
    struct harness h;
    int fd;

    begin(&h, 0);
    fd = client_connect(&h);
    for (int i = 0; i < 300; i++)
        client_send(fd,
                    STR("POST /deny HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"));
    client_send(fd, STR(NEXT));
    client_read_all(fd, answer, sizeof answer);
    cr_expect_not_null(strstr(answer, "GET /echo next "));
    cr_expect_eq(h.requests, 1);
    close(fd);
    harness_stop(&h);
}

/* ---- ends ---- */

Test(early, a_client_that_goes_away_is_told)
{
    struct harness h;
    int fd;

    begin(&h, 0);
    fd = client_connect(&h);
    client_send(fd,
                STR("POST /wait-head HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nh"));
    EVENTUALLY(heads == 1);
    cr_expect_eq(h.gone, 0);
    close(fd);
    EVENTUALLY(h.gone == 1);
    harness_stop(&h);
}

Test(early, what_waits_for_its_handler_too_long_is_408)
{
    struct harness h;
    char answer[8192];
    int fd;

    begin(&h, 200);
    fd = client_connect(&h);
    client_send(fd,
                STR("POST /wait-head HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nh"));
    client_read_all(fd, answer, sizeof answer);
    cr_expect_eq(strncmp(answer, "HTTP/1.1 408 ", 13), 0, "%s", answer);
    cr_expect_not_null(strstr(answer, "text/x-refused"), "%s", answer);
    close(fd);
    harness_stop(&h);
}

Test(early, destroying_with_heads_under_way_is_clean)
{
    struct harness h;
    int fds[4];

    begin(&h, 0);
    for (int i = 0; i < 4; i++) {
        fds[i] = client_connect(&h);
        client_send(
            fds[i],
            i % 2 ? STR("POST /wait-head HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nh")
                  : STR("POST /take HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nh"));
    }
    EVENTUALLY(heads == 4);
    harness_stop(&h);
    cr_expect_eq(h.gone, 4);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
}
