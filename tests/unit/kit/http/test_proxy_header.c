// SPDX-License-Identifier: Apache-2.0
/* Row by row, each whole and byte by byte. */
#include "kit/http/proxy_header.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define FOUR      "\xc0\x00\x02\x01\x0a\x00\x00\x01\x30\x39\x01\xbb" /* 192.0.2.1 12345 */
#define SIX                                                                \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\0\0" \
    "\0\0\x01\x30\x39\x01\xbb"
#define BYTES(text) {text, sizeof(text) - 1}
#define CRC         "\x4c\x74\x47\xa8"
#define NINES(x)    x x x x x x x x x
#define UNIX_PAIR   NINES("123456789012") NINES("123456789012")

static const struct {
    const char *name;
    struct {
        const char *p;
        size_t n;
    } header;
    const char *source; /* NULL: refused; "": that of the socket */
} rows[] = {
    {"IPv4", BYTES(SIGNATURE "\x21\x11\0\x0c" FOUR), "192.0.2.1"},
    {"IPv6", BYTES(SIGNATURE "\x21\x21\0\x24" SIX), "2001:db8::7"},
    {"LOCAL", BYTES(SIGNATURE "\x20\0\0\0"), ""},
    {"LOCAL with an address", BYTES(SIGNATURE "\x20\x11\0\x0c" FOUR), ""},
    {"LOCAL with anything",
     BYTES(SIGNATURE "\x20\xff\0\x03"
                     "abc"),
     ""},
    {"unknown family", BYTES(SIGNATURE "\x21\0\0\0"), ""},
    {"unknown family, with bytes", BYTES(SIGNATURE "\x21\0\0\x04\xee\0\x01x"), ""},
    {"UNIX", BYTES(SIGNATURE "\x21\x31\0\xd8" UNIX_PAIR), ""},
    {"a TLV", BYTES(SIGNATURE "\x21\x11\0\x11" FOUR "\x02\0\x02hi"), "192.0.2.1"},
    {"an empty TLV", BYTES(SIGNATURE "\x21\x11\0\x0f" FOUR "\x04\0\0"), "192.0.2.1"},
    {"a TLV cut off", BYTES(SIGNATURE "\x21\x11\0\x0e" FOUR "\x04\0"), NULL},
    {"a TLV too long", BYTES(SIGNATURE "\x21\x11\0\x10" FOUR "\x04\0\x02h"), NULL},
    {"a checksum that holds", BYTES(SIGNATURE "\x21\x11\0\x13" FOUR "\x03\0\x04" CRC),
     "192.0.2.1"},
    {"a checksum that does not",
     BYTES(SIGNATURE "\x21\x11\0\x13" FOUR "\x03\0\x04\1\2\3\4"), NULL},
    {"a checksum of another size",
     BYTES(SIGNATURE "\x21\x11\0\x11" FOUR "\x03\0\x02\1\2"), NULL},
    {"another signature", BYTES("\r\n\r\n\0\r\nQUIX\n\x21\x11\0\x0c" FOUR), NULL},
    {"version 1", BYTES("PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\n"), NULL},
    {"a request", BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), NULL},
    {"version 3", BYTES(SIGNATURE "\x31\x11\0\x0c" FOUR), NULL},
    {"another command", BYTES(SIGNATURE "\x22\x11\0\x0c" FOUR), NULL},
    {"datagrams", BYTES(SIGNATURE "\x21\x12\0\x0c" FOUR), NULL},
    {"another family", BYTES(SIGNATURE "\x21\x41\0\x0c" FOUR), NULL},
    {"too short for IPv4", BYTES(SIGNATURE "\x21\x11\0\x0b" FOUR), NULL},
    {"too short for IPv6", BYTES(SIGNATURE "\x21\x21\0\x0c" FOUR), NULL},
    {"too long", BYTES(SIGNATURE "\x21\x11\x08\x00" FOUR), NULL},
    {"as long as can be", BYTES(SIGNATURE "\x20\x11\xff\xff" FOUR), NULL},
};

enum { ROWS = sizeof rows / sizeof *rows };

static size_t feed(struct proxy_header *h, struct str in, size_t step)
{
    size_t at = 0;

    while (at < in.n && proxy_header_wants(h) > 0) {
        size_t n = proxy_header_wants(h);

        n = n < step ? n : step;
        n = n < in.n - at ? n : in.n - at;
        proxy_header_feed(h, (struct str){in.p + at, n});
        at += n;
    }
    return at;
}

static const char *source(const struct proxy_header *h)
{
    static char text[INET6_ADDRSTRLEN];
    const void *four = &((const struct sockaddr_in *)&h->source)->sin_addr;
    const void *six = &((const struct sockaddr_in6 *)&h->source)->sin6_addr;

    if (h->source.ss_family == AF_UNSPEC)
        return "";
    return inet_ntop(h->source.ss_family, h->source.ss_family == AF_INET ? four : six,
                     text, sizeof text);
}

static void expect(unsigned i, size_t step)
{
    const struct str in = {rows[i].header.p, rows[i].header.n};
    static struct proxy_header h;
    size_t taken;

    h = (struct proxy_header){.n = 0};
    taken = feed(&h, in, step);
    if (!rows[i].source) {
        cr_expect_eq(h.state, PROXY_HEADER_REJECTED, "%s", rows[i].name);
        cr_expect_not_null(h.why);
        return;
    }
    cr_expect_eq(h.state, PROXY_HEADER_DONE, "%s: %s", rows[i].name, h.why);
    cr_expect_eq(taken, in.n);
    cr_expect_str_eq(source(&h), rows[i].source, "%s", rows[i].name);
}

Test(proxy_header, each_row_whole)
{
    for (unsigned i = 0; i < ROWS; i++)
        expect(i, SIZE_MAX);
}

Test(proxy_header, each_row_byte_by_byte)
{
    for (unsigned i = 0; i < ROWS; i++)
        expect(i, 1);
}

Test(proxy_header, takes_nothing_behind_itself)
{
    static const char bytes[] = SIGNATURE "\x21\x11\0\x0c" FOUR "GET / HTTP/1.1\r\n";
    struct proxy_header h = {.n = 0};

    cr_expect_eq(feed(&h, (struct str){bytes, sizeof bytes - 1}, SIZE_MAX), 28);
    cr_expect_eq(h.state, PROXY_HEADER_DONE);
    cr_expect_eq(proxy_header_wants(&h), 0);
}

Test(proxy_header, a_wrong_byte_is_seen_at_once)
{
    struct proxy_header h = {.n = 0};

    proxy_header_feed(&h, STR("\r"));
    cr_expect_eq(h.state, PROXY_HEADER_COMING);
    proxy_header_feed(&h, STR("G"));
    cr_expect_eq(h.state, PROXY_HEADER_REJECTED);
}

/* RFC 3720 B.4 */
Test(proxy_header, the_checksum_is_crc32c)
{
    unsigned char bytes[32] = {0};

    cr_expect_eq(crc32c(0, bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    cr_expect_eq(crc32c(0, bytes, sizeof bytes), 0x62a8ab43);
    cr_expect_eq(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}
