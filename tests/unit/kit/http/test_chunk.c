// SPDX-License-Identifier: Apache-2.0
/* The chunked coding: good bodies, bad bodies, bounds; whole and byte by byte. */
#include "kit/http/chunk.h"

#include <criterion/criterion.h>

static const struct head_limits limits = {.head_bytes = 300, .body_bytes = 100};

struct row {
    struct str bytes;
    const char *body; /* NULL: rejected */
    enum head_reject reject;
};

#define GOOD(text, body) {{text, sizeof(text) - 1}, body, HEAD_REJECT_NONE}
#define BAD(text, why)   {{text, sizeof(text) - 1}, NULL, HEAD_REJECT_##why}

static const struct row rows[] = {
    GOOD("0\r\n\r\n", ""),
    GOOD("000\r\n\r\n", ""),
    GOOD("5\r\nhello\r\n0\r\n\r\n", "hello"),
    GOOD("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"),
    GOOD("A\r\n0123456789\r\na\r\nabcdefghij\r\n0\r\n\r\n", "0123456789abcdefghij"),
    GOOD("5;ext\r\nhello\r\n0;last=\"a;b\"\r\n\r\n", "hello"),
    GOOD("5 \t; a = b\r\nhello\r\n0\r\n\r\n", "hello"),
    GOOD("5\r\nhello\r\n0\r\nX-Trailer: y\r\nZ:\r\n\r\n", "hello"),

    BAD("+2\r\nhe\r\n", CHUNK),
    BAD("0x2\r\nhe\r\n", CHUNK),
    BAD(" 2\r\nhe\r\n", CHUNK),
    BAD("2 \r\nhe\r\n", CHUNK),
    BAD("2 x\r\nhe\r\n", CHUNK),
    BAD("\r\n", CHUNK),
    BAD(";x\r\n", CHUNK),
    BAD("-1\r\n", CHUNK),
    BAD("g\r\n", CHUNK),
    BAD("2\nhe\r\n", CHUNK),
    BAD("2\rhe\r\n", CHUNK),
    BAD("2\r\nhexx", CHUNK),
    BAD("2\r\nhe\nx", CHUNK),
    BAD("2\r\nhe\r0", CHUNK),
    BAD("2;a\nhe", CHUNK),
    BAD("2;a\0b\r\n", CHUNK),
    BAD("0\r\n folded\r\n\r\n", CHUNK),
    BAD("0\r\nno colon\r\n\r\n", CHUNK),
    BAD("0\r\n: x\r\n\r\n", CHUNK),
    BAD("0\r\nX: y\n\r\n", CHUNK),
    BAD("0\r\n\rx", CHUNK),
    BAD("0\r\nX: y\rz", CHUNK),
    BAD("0\r\nX: \001\r\n\r\n", CHUNK),
    BAD("65\r\n", BODY_LENGTH),
    BAD("ffffffff\r\n", BODY_LENGTH),
    BAD("100000000\r\n", BODY_LENGTH),
    BAD("ffffffffffffffffff", BODY_LENGTH),
};

static void run(const struct row *row, size_t step)
{
    struct chunk c;
    char body[200];
    size_t at = 0, n = 0;

    chunk_init(&c, &limits);
    while (at < row->bytes.n && c.state < CHUNK_DONE) {
        size_t left = row->bytes.n - at;
        struct str data;

        at += chunk_feed(&c, (struct str){row->bytes.p + at, left < step ? left : step},
                         &data);
        memcpy(body + n, data.p, data.n);
        n += data.n;
    }
    cr_expect_eq(c.state, row->body ? CHUNK_DONE : CHUNK_REJECTED, "state %d of %.*s",
                 (int)c.state, STR_FMT(row->bytes));
    cr_expect_eq(c.reject, row->reject, "%s for %.*s", head_reject_name(c.reject),
                 STR_FMT(row->bytes));
    if (row->body)
        cr_expect(str_eq((struct str){body, n}, str_of(row->body)));
}

Test(chunk, judges_every_row_the_same_whole_and_in_pieces)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step < 6; step++)
            run(&rows[i], step == 5 ? SIZE_MAX : step);
}

static void feed_until_over(struct chunk *c, struct str start, struct str again)
{
    struct str data;
    int rounds = 0;

    for (size_t at = 0; at < start.n;)
        at += chunk_feed(c, (struct str){start.p + at, start.n - at}, &data);
    while (c->state < CHUNK_DONE && rounds++ < 10000)
        for (size_t at = 0; at < again.n && c->state < CHUNK_DONE;)
            at += chunk_feed(c, (struct str){again.p + at, again.n - at}, &data);
}

Test(chunk, bounds_extensions)
{
    struct chunk c;

    chunk_init(&c, &limits);
    feed_until_over(&c, STR("1;"), STR("xxxxxxxxxxxxxxxx"));
    cr_expect_eq(c.reject, HEAD_REJECT_CHUNK);
}

Test(chunk, bounds_extensions_of_many_chunks_together)
{
    static const struct head_limits roomy = {.head_bytes = 300, .body_bytes = 1 << 20};
    struct chunk c;

    chunk_init(&c, &roomy);
    feed_until_over(&c, STR(""), STR("1;xxxxxxxxxxxxxxxx\r\nb\r\n"));
    cr_expect_eq(c.reject, HEAD_REJECT_CHUNK);
}

Test(chunk, bounds_trailers)
{
    struct chunk c;

    chunk_init(&c, &limits);
    feed_until_over(&c, STR("0\r\n"), STR("X: yyyyyyyyyyyyyyyy\r\n"));
    cr_expect_eq(c.reject, HEAD_REJECT_HEAD_LENGTH);
}

Test(chunk, bounds_the_sum_of_the_chunks)
{
    struct chunk c;

    chunk_init(&c, &limits);
    feed_until_over(&c, STR(""), STR("8\r\n01234567\r\n"));
    cr_expect_eq(c.reject, HEAD_REJECT_BODY_LENGTH);
}
