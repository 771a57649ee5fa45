// SPDX-License-Identifier: Apache-2.0
/* Hexadecimal and base64url. Decoders take exactly what the encoders can make. */
#include "kit/base/id.h"

#include <endian.h>

/* The digits of four bytes at once: each half byte gets a byte of its own, and those
 * above nine are moved on to the letters. */
static void hex_four(const uint8_t *in, char *out)
{
    const uint64_t each = 0x0101010101010101;
    uint64_t halves, letters;
    uint32_t four;

    memcpy(&four, in, sizeof four);
    halves = le32toh(four);
    halves = (halves | halves << 16) & 0x0000ffff0000ffff;
    halves = (halves | halves << 8) & 0x00ff00ff00ff00ff;
    halves = (halves >> 4 | halves << 8) & 0x0f * each;
    letters = (halves + 6 * each) >> 4 & each;
    halves = htole64(halves + '0' * each + letters * ('a' - '0' - 10));
    memcpy(out, &halves, sizeof halves);
}

void hex_encode(const void *in, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = in;

    for (; n >= 4; n -= 4, p += 4, out += 8)
        hex_four(p, out);
    for (; n > 0; n--, p++) {
        *out++ = digits[*p >> 4];
        *out++ = digits[*p & 15];
    }
}

/* One more than the value; 0: not a digit. */
static const uint8_t hex_values[256] = {
    ['0'] = 1, 2,  3,  4,  5,  6,          7,  8,  9,  10, ['A'] = 11,
    12,        13, 14, 15, 16, ['a'] = 11, 12, 13, 14, 15, 16};

static int hex_value(char c)
{
    return hex_values[(uint8_t)c] - 1;
}

bool hex_decode(struct str s, void *out, size_t n)
{
    uint8_t *p = out;

    if (s.n != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(s.p[2 * i]), low = hex_value(s.p[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        p[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static const char b64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Up to three bytes become one digit more than they are. */
static char *b64_put(char *out, const uint8_t *in, size_t n)
{
    uint32_t bits = (uint32_t)in[0] << 16;

    if (n > 1)
        bits |= (uint32_t)in[1] << 8;
    if (n > 2)
        bits |= in[2];
    for (size_t i = 0; i <= n; i++)
        *out++ = b64_digits[bits >> (18 - 6 * i) & 63];
    return out;
}

struct str base64url_encode(struct arena *a, const void *in, size_t n)
{
    const uint8_t *p = in;
    size_t len = n / 3 * 4 + (n % 3 ? n % 3 + 1 : 0);
    char *text = arena_alloc(a, len + 1);
    char *out = text;

    for (; n >= 3; p += 3, n -= 3)
        out = b64_put(out, p, 3);
    if (n)
        b64_put(out, p, n);
    return (struct str){text, len};
}

static int b64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* n digits become n - 1 bytes; bits that no byte takes must be zero. */
static bool b64_take(const char *in, size_t n, uint8_t *out)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < n; i++) {
        int v = b64_value(in[i]);

        if (v < 0)
            return false;
        bits |= (uint32_t)v << (18 - 6 * i);
    }
    for (size_t i = 0; i + 1 < n; i++)
        out[i] = (uint8_t)(bits >> (16 - 8 * i));
    return n == 4 || (bits & (n == 3 ? 0xFFu : 0xFFFFu)) == 0;
}

struct str base64url_decode(struct arena *a, struct str s)
{
    static const struct str absent;
    size_t tail = s.n % 4;
    size_t len = s.n / 4 * 3 + (tail ? tail - 1 : 0);
    uint8_t *out;

    if (!s.p || tail == 1)
        return absent;
    out = arena_alloc(a, len + 1);
    for (size_t i = 0; i < s.n / 4; i++)
        if (!b64_take(s.p + 4 * i, 4, out + 3 * i))
            return absent;
    if (tail && !b64_take(s.p + s.n - tail, tail, out + s.n / 4 * 3))
        return absent;
    return (struct str){(char *)out, len};
}
