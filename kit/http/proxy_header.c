// SPDX-License-Identifier: Apache-2.0
/* See kit/http/proxy_header.h. */
#include "kit/http/proxy_header.h"

#include <netinet/in.h>

enum { VERSION_AT = 12, FAMILY_AT = 13, LENGTH_AT = 14 };
enum { LOCAL = 0x20, PROXY = 0x21 };
enum { TLV_HEAD = 3, TLV_CRC32C = 3, CRC32C_BYTES = 4 };

static const unsigned char signature[] = {'\r', '\n', '\r', '\n', 0,   '\r',
                                          '\n', 'Q',  'U',  'I',  'T', '\n'};

static const struct family {
    unsigned char byte;
    size_t addresses; /* bytes of them */
    sa_family_t family;
} families[] = {
    {0x00, 0, AF_UNSPEC},
    {0x11, 12, AF_INET},
    {0x21, 36, AF_INET6},
    {0x31, 216, AF_UNSPEC}, /* UNIX sockets: no address of the internet */
};

static void reject(struct proxy_header *h, const char *why)
{
    h->state = PROXY_HEADER_REJECTED;
    h->why = why;
}

static size_t total(const struct proxy_header *h)
{
    return PROXY_HEADER_FIXED +
           (size_t)(h->bytes[LENGTH_AT] << 8 | h->bytes[LENGTH_AT + 1]);
}

/* ---- the checksum ---- */

uint32_t crc32c(uint32_t crc, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;

    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

/* Over the whole header, with zeros in place of itself. */
static bool crc_holds(const struct proxy_header *h, size_t at)
{
    static const unsigned char zeros[CRC32C_BYTES];
    const unsigned char *p = h->bytes + at;
    uint32_t said =
        (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    uint32_t crc = crc32c(0, h->bytes, at);

    crc = crc32c(crc, zeros, sizeof zeros);
    return said == crc32c(crc, p + CRC32C_BYTES, h->n - at - CRC32C_BYTES);
}

static void read_tlvs(struct proxy_header *h, size_t at)
{
    while (at < h->n) {
        size_t n, value = at + TLV_HEAD;

        if (h->n - at < TLV_HEAD) {
            reject(h, "a TLV is cut off");
            return;
        }
        n = (size_t)(h->bytes[at + 1] << 8 | h->bytes[at + 2]);
        if (n > h->n - value) {
            reject(h, "a TLV is longer than the header");
            return;
        }
        if (h->bytes[at] == TLV_CRC32C && (n != CRC32C_BYTES || !crc_holds(h, value))) {
            reject(h, "the checksum does not hold");
            return;
        }
        at = value + n;
    }
}

/* ---- addresses ---- */

static void read_source(struct proxy_header *h, sa_family_t family)
{
    const unsigned char *p = h->bytes + PROXY_HEADER_FIXED;
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};

    if (family == AF_INET) {
        memcpy(&four.sin_addr, p, sizeof four.sin_addr);
        memcpy(&four.sin_port, p + 8, sizeof four.sin_port);
        memcpy(&h->source, &four, sizeof four);
    } else if (family == AF_INET6) {
        memcpy(&six.sin6_addr, p, sizeof six.sin6_addr);
        memcpy(&six.sin6_port, p + 32, sizeof six.sin6_port);
        memcpy(&h->source, &six, sizeof six);
    }
}

static const struct family *family_of(const struct proxy_header *h)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (families[i].byte == h->bytes[FAMILY_AT])
            return &families[i];
    return NULL;
}

/* LOCAL: the proxy itself asks; what else it says is not looked at. */
static void read_whole(struct proxy_header *h)
{
    const struct family *f = family_of(h);

    h->state = PROXY_HEADER_DONE;
    if (h->bytes[VERSION_AT] == LOCAL)
        return;
    read_source(h, f->family);
    read_tlvs(h, PROXY_HEADER_FIXED + f->addresses);
}

static void check_fixed(struct proxy_header *h)
{
    const struct family *f = family_of(h);

    if (h->bytes[VERSION_AT] != LOCAL && h->bytes[VERSION_AT] != PROXY)
        reject(h, "not version 2, or not a command of it");
    else if (total(h) > PROXY_HEADER_MAX)
        reject(h, "too long");
    else if (h->bytes[VERSION_AT] == PROXY && !f)
        reject(h, "not a family with streams");
    else if (h->bytes[VERSION_AT] == PROXY &&
             total(h) < PROXY_HEADER_FIXED + f->addresses)
        reject(h, "too short for its addresses");
}

/* ---- bytes in ---- */

size_t proxy_header_wants(const struct proxy_header *h)
{
    if (h->state != PROXY_HEADER_COMING)
        return 0;
    return (h->n < PROXY_HEADER_FIXED ? PROXY_HEADER_FIXED : total(h)) - h->n;
}

void proxy_header_feed(struct proxy_header *h, struct str in)
{
    bool fixed_was_there = h->n >= PROXY_HEADER_FIXED;
    size_t known;

    memcpy(h->bytes + h->n, in.p, in.n);
    h->n += in.n;
    known = h->n < sizeof signature ? h->n : sizeof signature;
    if (memcmp(h->bytes, signature, known) != 0)
        reject(h, "no signature");
    else if (!fixed_was_there && h->n >= PROXY_HEADER_FIXED)
        check_fixed(h);
    if (h->state == PROXY_HEADER_COMING && h->n >= PROXY_HEADER_FIXED && h->n == total(h))
        read_whole(h);
}
