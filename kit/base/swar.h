// SPDX-License-Identifier: Apache-2.0
/*
 * Scans of text eight bytes at a time: nearly all strings are plain ASCII,
 * and knowing that at once saves looking at each byte.
 */
#ifndef KIT_BASE_SWAR_H
#define KIT_BASE_SWAR_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SWAR_ONES UINT64_C(0x0101010101010101)
#define SWAR_HIGH UINT64_C(0x8080808080808080)

/* Not 0 when a byte of x is a control character or has its high bit set. A borrow or a
 * carry comes only from such a byte. */
static inline uint64_t swar_not_printable(uint64_t x)
{
    return ((x - SWAR_ONES * 0x20) | (x + SWAR_ONES) | x) & SWAR_HIGH;
}

/* Not 0 when a JSON string cannot hold a byte of x as it is: a control character, a
 * quotation mark, a backslash, or one with its high bit set. A byte equal to c is zero
 * after xor, and borrows into its top bit when 1 is subtracted. */
static inline uint64_t swar_not_json_plain(uint64_t x)
{
    uint64_t quote = x ^ SWAR_ONES * '"', slash = x ^ SWAR_ONES * '\\';

    return ((x - SWAR_ONES * 0x20) | (quote - SWAR_ONES) | (slash - SWAR_ONES) | x) &
           SWAR_HIGH;
}

/* How many bytes of x, in the order of memory, come before the first such. */
static inline size_t swar_printable_bytes(uint64_t x)
{
    uint64_t bad = swar_not_printable(le64toh(x));

    return bad ? (size_t)__builtin_ctzll(bad) / 8 : sizeof x;
}

/* Length of the leading part that is ASCII without control characters; may stop up to
 * seven bytes early, but never in a string that is all so. */
static inline size_t swar_printable_prefix(const char *p, size_t n)
{
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        uint64_t x;

        memcpy(&x, p + i, 8);
        if (swar_not_printable(x))
            return i;
    }
    while (i < n && (uint8_t)p[i] >= 0x20 && (uint8_t)p[i] < 0x7f)
        i++;
    return i;
}

/* Length of the leading part that a JSON string holds as it is, but for what is not
 * ASCII. What is left of less than a word is looked at again with bytes before it. */
static inline size_t swar_json_plain_prefix(const char *p, size_t n)
{
    size_t i = 0;
    uint64_t x;

    for (; i + 8 <= n; i += 8) {
        memcpy(&x, p + i, 8);
        if (swar_not_json_plain(x))
            break;
    }
    if (n >= 8 && i + 8 > n) {
        memcpy(&x, p + n - 8, 8);
        if (!swar_not_json_plain(x))
            return n;
    }
    while (i < n && (uint8_t)p[i] >= 0x20 && (uint8_t)p[i] < 0x80 && p[i] != '"' &&
           p[i] != '\\')
        i++;
    return i;
}

#endif
