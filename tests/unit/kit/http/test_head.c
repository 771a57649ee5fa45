// SPDX-License-Identifier: Apache-2.0
/* The head machine, row by row: each row whole and byte by byte. */
#include "kit/http/chars.h"
#include "kit/http/head.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct head_limits limits = {.head_bytes = 16384, .body_bytes = 1000};

struct row {
    struct str bytes;
    enum head_reject reject;
};

#define ROW(text, why) {{text, sizeof(text) - 1}, HEAD_REJECT_##why}
#define HOST           "Host: a.example\r\n"

static const struct row rows[] = {
    /* good */
    ROW("GET / HTTP/1.1\r\n" HOST "\r\n", NONE),
    ROW("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", NONE),
    ROW("GET / HTTP/1.0\r\n\r\n", NONE),
    ROW("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", NONE),
    ROW("GET http://a.example/x HTTP/1.1\r\n" HOST "\r\n", NONE),
    ROW("GET HTTPS://a.example HTTP/1.1\r\n" HOST "\r\n", NONE),
    ROW("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", NONE),
    ROW("GET / HTTP/1.1\r\n" HOST "X-Empty:\r\n\r\n", NONE),
    ROW("GET / HTTP/1.1\r\n" HOST "X: \t caf\xc3\xa9 \t\r\n\r\n", NONE),
    ROW("GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", NONE),
    ROW("DELETE / HTTP/1.1\r\n" HOST "content-length: 0\r\n\r\n", NONE),
    ROW("POST / HTTP/1.1\r\n" HOST "Content-Length: 1000\r\n\r\n", NONE),
    ROW("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n", NONE),
    ROW("GET /?filter[a]={x}|y HTTP/1.1\r\n" HOST "\r\n", NONE),

    /* framing that two readers take for two things */
    ROW("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", CODING),
    ROW("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", CODING),
    ROW("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", CODING),
    ROW("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n", CODING),
    ROW("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n", CODING),
    ROW("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n", CODING),
    ROW("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
        "Transfer-Encoding: chunked\r\n\r\n",
        CODING_TWICE),
    ROW("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
        "Content-Length: 5\r\n\r\n",
        LENGTH_AND_CHUNKED),
    ROW("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n"
        "Transfer-Encoding: chunked\r\n\r\n",
        LENGTH_AND_CHUNKED),
    ROW("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", CODING_HTTP10),
    ROW("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        LENGTH),
    ROW("POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
        LENGTH),
    ROW("POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\n", LENGTH),
    ROW("POST / HTTP/1.1\r\n" HOST "Content-Length: +2\r\n\r\n", LENGTH),
    ROW("POST / HTTP/1.1\r\n" HOST "Content-Length: -2\r\n\r\n", LENGTH),
    ROW("POST / HTTP/1.1\r\n" HOST "Content-Length: 0x2\r\n\r\n", LENGTH),
    ROW("POST / HTTP/1.1\r\n" HOST "Content-Length: 2 2\r\n\r\n", LENGTH),
    ROW("POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", LENGTH),
    ROW("POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n",
        LENGTH),
    ROW("POST / HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\n", FIELD_NAME),
    ROW("POST / HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n", BODY_LENGTH),
    ROW("HEAD / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", BODY),
    ROW("GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", BODY),
    ROW("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", BODY),
    ROW("DELETE / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n", BODY),
    ROW("OPTIONS / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n", BODY),

    /* methods and versions */
    ROW("BREW / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", METHOD),
    ROW("TRACE / HTTP/1.1\r\n" HOST "\r\n", METHOD),
    ROW("CONNECT a.example:80 HTTP/1.1\r\n" HOST "\r\n", METHOD),
    ROW("get / HTTP/1.1\r\n" HOST "\r\n", METHOD),
    ROW("GET / HTTP/1.2\r\n" HOST "\r\n", VERSION),
    ROW("GET / HTTP/2.0\r\n" HOST "\r\n", VERSION),
    ROW("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VERSION),
    ROW("GET / HTTP/4294967295.255\r\n" HOST "\r\n", REQUEST_LINE),
    ROW("GET / HTTP/1.10\r\n" HOST "\r\n", REQUEST_LINE),
    ROW("GET / http/1.1\r\n" HOST "\r\n", REQUEST_LINE),
    ROW("GET / HTTP/1.1 \r\n" HOST "\r\n", REQUEST_LINE),
    ROW("GET /\r\n\r\n", REQUEST_LINE),
    ROW("GET  / HTTP/1.1\r\n" HOST "\r\n", REQUEST_LINE),
    ROW("GET / a HTTP/1.1\r\n" HOST "\r\n", REQUEST_LINE),
    ROW(" GET / HTTP/1.1\r\n" HOST "\r\n", REQUEST_LINE),
    ROW("G(T / HTTP/1.1\r\n" HOST "\r\n", REQUEST_LINE),
    ROW("GET\t/ HTTP/1.1\r\n" HOST "\r\n", REQUEST_LINE),
    ROW("\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", BLANK_LINES),

    /* Host */
    ROW("GET / HTTP/1.1\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\n" HOST "Host: b.example\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\n" HOST HOST "\r\n", HOST),
    ROW("GET / HTTP/1.0\r\n" HOST HOST "\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost:\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: a:\r\n\r\n", NONE),
    ROW("GET / HTTP/1.1\r\nHost: a_b.example:65535\r\n\r\n", NONE),
    ROW("GET / HTTP/1.1\r\nHost: 192.0.2.1:80\r\n\r\n", NONE),
    ROW("GET / HTTP/1.1\r\nHost: a%c3%a4\r\n\r\n", NONE),
    ROW("GET / HTTP/1.1\r\nHost: :80\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: a:+80\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: a:80:90\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: [::1]b\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: [b]\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: [192.0.2.1]\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: []\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: a]\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: a%zz\r\n\r\n", HOST),
    ROW("GET / HTTP/1.1\r\nHost: a%2\r\n\r\n", HOST),

    /* fields of which there can be one */
    ROW("POST / HTTP/1.1\r\n" HOST "Content-Type: a/b\r\ncontent-type: c/d\r\n\r\n",
        TWICE),
    ROW("GET / HTTP/1.1\r\n" HOST "Authorization: a\r\nAuthorization: a\r\n\r\n", TWICE),
    ROW("GET / HTTP/1.1\r\n" HOST "Accept: a/b\r\nAccept: c/d\r\n\r\n", NONE),

    /* targets */
    ROW("GET x HTTP/1.1\r\n" HOST "\r\n", TARGET),
    ROW("GET * HTTP/1.1\r\n" HOST "\r\n", TARGET),
    ROW("GET /a#b HTTP/1.1\r\n" HOST "\r\n", TARGET),
    ROW("GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", TARGET),
    ROW("GET /\"x\" HTTP/1.1\r\n" HOST "\r\n", TARGET),
    ROW("GET http://u@a.example/ HTTP/1.1\r\n" HOST "\r\n", TARGET),
    ROW("GET ftp://a.example/ HTTP/1.1\r\n" HOST "\r\n", TARGET),
    ROW("GET http:///x HTTP/1.1\r\n" HOST "\r\n", TARGET),
    ROW("GET http://a.example:x/ HTTP/1.1\r\n" HOST "\r\n", TARGET),
    ROW("GET http://[::1/ HTTP/1.1\r\n" HOST "\r\n", TARGET),
    ROW("GET http://[::1]:80/ HTTP/1.1\r\n" HOST "\r\n", NONE),
    ROW("GET /a\001b HTTP/1.1\r\n" HOST "\r\n", CONTROL),
    ROW("GET /a\177b HTTP/1.1\r\n" HOST "\r\n", CONTROL),

    /* lines and fields */
    ROW("GET / HTTP/1.1\n" HOST "\r\n", LINE_END),
    ROW("GET / HTTP/1.1\r\nHost: a\n\r\n", LINE_END),
    ROW("GET / HTTP/1.1\r\n" HOST "\n", LINE_END),
    ROW("GET / HTTP/1.1\r\nX: a\rb\r\n" HOST "\r\n", LINE_END),
    ROW("GET / HTTP/1.1\r\r\n" HOST "\r\n", LINE_END),
    ROW("GET / HTTP/1.1\r\n" HOST "X: a\rb\n\r\n", LINE_END),
    ROW("GET / HTTP/1.1\r\n" HOST "X: a\r b\n\r\n", LINE_END),
    ROW("\nGET / HTTP/1.1\r\n" HOST "\r\n", LINE_END),
    ROW("GET / HTTP/1.1\r\n" HOST " folded: x\r\n\r\n", FOLDED),
    ROW("GET / HTTP/1.1\r\n" HOST "X: a\r\n\tfolded\r\n\r\n", FOLDED),
    ROW("GET / HTTP/1.1\r\n Host: a\r\n\r\n", FOLDED),
    ROW("GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n", FIELD_NAME),
    ROW("GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n", FIELD_NAME),
    ROW("GET / HTTP/1.1\r\n" HOST "X\t: y\r\n\r\n", FIELD_NAME),
    ROW("GET / HTTP/1.1\r\n" HOST "X(y): z\r\n\r\n", FIELD_NAME),
    ROW("GET / HTTP/1.1\r\n" HOST "\xc3\xa9: z\r\n\r\n", FIELD_NAME),
    ROW("GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n", CONTROL),
    ROW("GET / HTTP/1.1\r\n" HOST "\0\r\nX: y\r\n\r\n", CONTROL),
    ROW("GET / HTTP/1.1\r\n" HOST "X: \033[0m\r\n\r\n", CONTROL),
    ROW("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", CONTROL), /* a TLS hello */
};

static void expect(const struct row *row, size_t step)
{
    struct head h;
    size_t at = 0;

    head_init(&h, &limits);
    while (at < row->bytes.n && h.state != HEAD_DONE && h.state != HEAD_REJECTED) {
        size_t n = row->bytes.n - at < step ? row->bytes.n - at : step;

        at += head_feed(&h, (struct str){row->bytes.p + at, n});
    }
    cr_expect_eq(h.state, row->reject == HEAD_REJECT_NONE ? HEAD_DONE : HEAD_REJECTED,
                 "state %d of: %.*s", (int)h.state, STR_FMT(row->bytes));
    cr_expect_eq(h.reject, row->reject, "%s instead of %s for: %.*s",
                 head_reject_name(h.reject), head_reject_name(row->reject),
                 STR_FMT(row->bytes));
    head_fini(&h);
}

Test(head, judges_every_row_the_same_whole_and_in_pieces)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step < 6; step++)
            expect(&rows[i], step == 5 ? SIZE_MAX : step);
}

static void feed(struct head *h, const char *text)
{
    size_t n = strlen(text);

    cr_assert_eq(head_feed(h, (struct str){text, n}), n);
}

static void expect_str(struct str got, const char *want)
{
    cr_expect(str_eq(got, str_of(want)), "got %.*s, want %s", STR_FMT(got), want);
}

Test(head, describes_a_request)
{
    struct head h;

    head_init(&h, &limits);
    feed(&h, "POST /a?b=c HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n"
             "Content-Length: 12\r\nX-One:  two words \r\n\r\n");
    cr_expect_eq(h.state, HEAD_DONE);
    cr_expect_eq(h.method, HTTP_POST);
    expect_str(head_str(&h, h.target), "/a?b=c");
    cr_expect_eq(h.length, 12);
    cr_expect(h.has_length && h.keep_alive && h.expect_continue && !h.chunked &&
              !h.http10);
    cr_expect_eq(h.n_fields, 4);
    expect_str(head_str(&h, h.fields[3].name), "X-One");
    expect_str(head_str(&h, h.fields[3].value), "two words");
    head_fini(&h);
}

Test(head, stops_at_its_last_byte)
{
    struct head h;
    const struct str in = STR("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /second");

    head_init(&h, &limits);
    cr_expect_eq(head_feed(&h, in), in.n - strlen("GET /second"));
    cr_expect_eq(head_feed(&h, STR("more")), 0);
    head_fini(&h);
}

Test(head, stays_rejected)
{
    struct head h;

    head_init(&h, &limits);
    head_feed(&h, STR("GET / HTTP/9.9\r\n"));
    cr_expect_eq(head_feed(&h, STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n")), 0);
    cr_expect_eq(h.state, HEAD_REJECTED);
    head_fini(&h);
}

Test(head, takes_the_path_out_of_an_absolute_target)
{
    static const char *const cases[][2] = {
        {"GET http://a.example:80/x?y HTTP/1.1\r\nHost: x\r\n\r\n", "/x?y"},
        {"GET http://a.example HTTP/1.1\r\nHost: x\r\n\r\n", ""},
    };

    for (size_t i = 0; i < 2; i++) {
        struct head h;

        head_init(&h, &limits);
        feed(&h, cases[i][0]);
        expect_str(head_str(&h, h.target), cases[i][1]);
        head_fini(&h);
    }
}

static bool keep_alive(const char *version, const char *connection)
{
    struct head h;
    char text[200];
    bool answer;

    snprintf(text, sizeof text, "GET / HTTP/%s\r\nHost: x\r\nConnection: %s\r\n\r\n",
             version, connection);
    head_init(&h, &limits);
    feed(&h, text);
    answer = h.keep_alive;
    head_fini(&h);
    return answer;
}

Test(head, knows_whether_the_connection_goes_on)
{
    cr_expect(keep_alive("1.1", "Upgrade"));
    cr_expect(keep_alive("1.1", "keep-alive"));
    cr_expect_not(keep_alive("1.1", "Close"));
    cr_expect_not(keep_alive("1.1", "te , close"));
    cr_expect_not(keep_alive("1.1", "close\r\nConnection: keep-alive"));
    cr_expect_not(keep_alive("1.0", "x"));
    cr_expect(keep_alive("1.0", "Keep-Alive"));
    cr_expect_not(keep_alive("1.0", "keep-alive, close"));
}

Test(head, bounds_the_number_of_fields)
{
    struct head h;

    head_init(&h, &limits);
    feed(&h, "GET / HTTP/1.1\r\nHost: x\r\n");
    for (int i = 1; i < HEAD_FIELDS_MAX; i++)
        feed(&h, "X: y\r\n");
    cr_expect_eq(h.state, HEAD_FIELD_LINES);
    feed(&h, "X: y\r\n");
    cr_expect_eq(h.reject, HEAD_REJECT_FIELDS);
    head_fini(&h);
}

/* Found by the fuzzer: a lone CR before more text than fits was refused as too long. */
Test(head, is_refused_for_what_comes_first_however_it_is_cut)
{
    static char text[20000];
    struct head whole, cut;

    memset(text, 'a', sizeof text);
    memcpy(text, "GET /\r", 6);
    head_init(&whole, &limits);
    head_feed(&whole, (struct str){text, sizeof text});
    head_init(&cut, &limits);
    for (size_t i = 0; cut.state != HEAD_REJECTED; i++)
        head_feed(&cut, (struct str){text + i, 1});
    cr_expect_eq(whole.reject, HEAD_REJECT_LINE_END);
    cr_expect_eq(cut.reject, HEAD_REJECT_LINE_END);
    head_fini(&whole);
    head_fini(&cut);
}

Test(head, bounds_the_target)
{
    struct head h;

    head_init(&h, &limits);
    feed(&h, "GET /");
    for (int i = 0; i < HEAD_TARGET_MAX; i++)
        feed(&h, "x");
    feed(&h, " HTTP/1.1\r\n");
    cr_expect_eq(h.reject, HEAD_REJECT_TARGET_LENGTH);
    head_fini(&h);
}

Test(head, bounds_the_whole)
{
    struct head h;
    char a[1024];

    memset(a, 'a', sizeof a);
    head_init(&h, &limits);
    feed(&h, "GET / HTTP/1.1\r\nHost: x\r\nX: ");
    while (h.state != HEAD_REJECTED)
        head_feed(&h, (struct str){a, sizeof a});
    cr_expect_eq(h.reject, HEAD_REJECT_HEAD_LENGTH);
    cr_expect_leq(h.lines.room, 2 * limits.head_bytes);
    head_fini(&h);
}

/* A field's value is text, wherever in it the byte stands. */
Test(head, text_is_told_from_controls_at_every_place)
{
    for (unsigned c = 0; c < 256; c++) {
        bool text = c == '\t' || (c >= ' ' && c != 0x7f);
        char b[40];

        for (size_t at = 0; at < sizeof b; at++) {
            memset(b, 'a', sizeof b);
            b[at] = (char)c;
            cr_assert_eq(char_text_run((struct str){b, sizeof b}), text ? sizeof b : at,
                         "byte %02x at %zu", c, at);
        }
    }
}
