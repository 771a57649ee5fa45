// SPDX-License-Identifier: Apache-2.0
/* Character classes of RFC 9110 section 5.6 and RFC 3986, as one table. */
#ifndef KIT_HTTP_CHARS_H
#define KIT_HTTP_CHARS_H

#include "kit/base/str.h"
#include "kit/base/swar.h"

enum {
    CHAR_TEXT = 1,   /* may be in a field line: HTAB, SP, VCHAR, obs-text */
    CHAR_TOKEN = 2,  /* tchar */
    CHAR_TARGET = 4, /* may be in a request target, with what browsers leave as it is */
    CHAR_PATH = 8,   /* pchar, '/' and '%' */
    CHAR_HOST = 16,  /* may be in the name of a host, with its port */
};

extern const unsigned char char_classes[256];

static inline bool char_is(char c, unsigned class)
{
    return (char_classes[(unsigned char)c] & class) != 0;
}

static inline bool char_are(const char *four, unsigned class)
{
    const unsigned char *c = (const unsigned char *)four;

    return (char_classes[c[0]] & char_classes[c[1]] & char_classes[c[2]] &
            char_classes[c[3]] & class) != 0;
}

/* How many bytes at the start are of the class: four at a time while all of them are. */
static inline size_t char_run(struct str s, unsigned class)
{
    size_t n = 0;

    while (n + 4 <= s.n && char_are(s.p + n, class))
        n += 4;
    while (n < s.n && char_is(s.p[n], class))
        n++;
    return n;
}

/* The same of CHAR_TEXT, sixteen bytes of printable ASCII at a time: nearly all of a head
 * is that. */
static inline size_t char_text_run(struct str s)
{
    size_t n = 0;
    uint64_t x[2];

    for (; n + sizeof x <= s.n; n += sizeof x) {
        memcpy(x, s.p + n, sizeof x);
        if (swar_not_printable(x[0]) | swar_not_printable(x[1]))
            break;
    }
    while (n + sizeof x[0] <= s.n) {
        size_t plain;

        memcpy(x, s.p + n, sizeof x[0]);
        plain = swar_printable_bytes(x[0]);
        n += plain;
        if (plain < sizeof x[0])
            break;
    }
    while (n < s.n && char_is(s.p[n], CHAR_TEXT))
        n++;
    return n;
}

#endif
