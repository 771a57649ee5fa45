// SPDX-License-Identifier: Apache-2.0
/*
 * Scans of text eight bytes at a time: nearly all strings on the wire are plain ASCII,
 * and knowing that at once saves looking at each byte.
 */
#ifndef KIT_WIRE_SWAR_H
#define KIT_WIRE_SWAR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SWAR_ONES UINT64_C(0x0101010101010101)
#define SWAR_HIGH UINT64_C(0x8080808080808080)

/* Not 0 when a byte of x is below `low` (at most 0x80), or has its high bit set. */
static inline uint64_t swar_below_or_high(uint64_t x, uint8_t low)
{
    return ((x - SWAR_ONES * low) | x) & SWAR_HIGH;
}

/* Not 0 when a byte of x is a control character or has its high bit set. A borrow or a
 * carry comes only from such a byte. */
static inline uint64_t swar_not_printable(uint64_t x)
{
    return ((x - SWAR_ONES * 0x20) | (x + SWAR_ONES) | x) & SWAR_HIGH;
}

/* Not 0 when a byte of x is below `low` (at most 0x80). */
static inline uint64_t swar_below(uint64_t x, uint8_t low)
{
    return (x - SWAR_ONES * low) & ~x & SWAR_HIGH;
}

/* Not 0 when a byte of x is c. */
static inline uint64_t swar_has(uint64_t x, uint8_t c)
{
    uint64_t y = x ^ (SWAR_ONES * c);

    return (y - SWAR_ONES) & ~y & SWAR_HIGH;
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

/* The same for ASCII that a JSON string holds as it is. */
static inline size_t swar_json_plain_prefix(const char *p, size_t n)
{
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        uint64_t x;

        memcpy(&x, p + i, 8);
        if (swar_below_or_high(x, 0x20) | swar_has(x, '"') | swar_has(x, '\\'))
            return i;
    }
    while (i < n && (uint8_t)p[i] >= 0x20 && (uint8_t)p[i] < 0x80 && p[i] != '"' &&
           p[i] != '\\')
        i++;
    return i;
}

#endif
