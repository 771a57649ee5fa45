// SPDX-License-Identifier: Apache-2.0
/* String slices: comparing, cutting, numbers, UTF-8. */
#include "kit/base/str.h"

#include "kit/base/swar.h"

static unsigned char ascii_lower(char c)
{
    unsigned char u = (unsigned char)c;

    return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (a.p[i] != b.p[i] && ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

struct str str_split(struct str s, char sep, struct str *rest)
{
    const char *at = s.n ? memchr(s.p, sep, s.n) : NULL;

    if (!at) {
        *rest = (struct str){NULL, 0};
        return s;
    }
    *rest = (struct str){at + 1, (size_t)(s.p + s.n - (at + 1))};
    return (struct str){s.p, (size_t)(at - s.p)};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.n && is_blank(s.p[0]))
        s = (struct str){s.p + 1, s.n - 1};
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* Digits below zero, as INT64_MIN has no positive twin. */
static bool negative_digits(struct str s, int64_t *out)
{
    int64_t v = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, (int64_t)10, &v) ||
            __builtin_sub_overflow(v, (int64_t)(s.p[i] - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}

bool str_to_i64(struct str s, int64_t min, int64_t max, int64_t *out)
{
    bool minus = s.n && s.p[0] == '-';
    int64_t v;

    if (minus)
        s = (struct str){s.p + 1, s.n - 1};
    if (!negative_digits(s, &v) || (!minus && v == INT64_MIN))
        return false;
    if (!minus)
        v = -v;
    if (v < min || v > max)
        return false;
    *out = v;
    return true;
}

/* Unicode 15, table 3-7: by the first byte, how many follow and the range of the next. */
struct utf8_lead {
    uint8_t first, last; /* of the lead byte */
    uint8_t follow;
    uint8_t low, high; /* of the second byte; later ones are 80..BF */
};

static const struct utf8_lead utf8_leads[] = {
    {0xC2, 0xDF, 1, 0x80, 0xBF}, {0xE0, 0xE0, 2, 0xA0, 0xBF}, {0xE1, 0xEC, 2, 0x80, 0xBF},
    {0xED, 0xED, 2, 0x80, 0x9F}, {0xEE, 0xEF, 2, 0x80, 0xBF}, {0xF0, 0xF0, 3, 0x90, 0xBF},
    {0xF1, 0xF3, 3, 0x80, 0xBF}, {0xF4, 0xF4, 3, 0x80, 0x8F},
};

static const struct utf8_lead *utf8_lead(uint8_t byte)
{
    for (size_t i = 0; i < sizeof utf8_leads / sizeof *utf8_leads; i++)
        if (byte >= utf8_leads[i].first && byte <= utf8_leads[i].last)
            return &utf8_leads[i];
    return NULL;
}

size_t str_utf8_step(struct str s)
{
    const uint8_t *p = (const uint8_t *)s.p;
    const struct utf8_lead *lead;

    if (p[0] < 0x80)
        return 1;
    lead = utf8_lead(p[0]);
    if (!lead || s.n <= lead->follow || p[1] < lead->low || p[1] > lead->high)
        return 0;
    for (size_t i = 2; i <= lead->follow; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return lead->follow + 1u;
}

/* How many bytes at the start are ASCII: nearly all text is that. */
static size_t ascii_run(struct str s)
{
    uint64_t word;
    size_t n = 0;

    for (; n + sizeof word <= s.n; n += sizeof word) {
        memcpy(&word, s.p + n, sizeof word);
        if (word & SWAR_HIGH)
            break;
    }
    while (n < s.n && (uint8_t)s.p[n] < 0x80)
        n++;
    return n;
}

bool str_is_utf8(struct str s)
{
    while (s.n) {
        size_t step = ascii_run(s);

        if (step == 0)
            step = str_utf8_step(s);
        if (step == 0)
            return false;
        s = (struct str){s.p + step, s.n - step};
    }
    return true;
}

size_t str_utf8_len(struct str s)
{
    size_t count = 0;

    for (size_t i = 0; i < s.n; i++)
        count += ((uint8_t)s.p[i] & 0xC0) != 0x80;
    return count;
}

const char str_two_digits[100][2] = {
#define TEN(d)                                                                      \
    {d, '0'}, {d, '1'}, {d, '2'}, {d, '3'}, {d, '4'}, {d, '5'}, {d, '6'}, {d, '7'}, \
        {d, '8'}, {d, '9'}
    TEN('0'), TEN('1'), TEN('2'), TEN('3'), TEN('4'),
    TEN('5'), TEN('6'), TEN('7'), TEN('8'), TEN('9'),
#undef TEN
};

size_t str_from_i64(int64_t v, char *out)
{
    uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    char digits[STR_I64_MAX];
    size_t at = sizeof digits;

    for (; left >= 10; left /= 100) {
        digits[--at] = str_two_digits[left % 100][1];
        digits[--at] = str_two_digits[left % 100][0];
    }
    if (left > 0 || at == sizeof digits)
        digits[--at] = (char)('0' + left);
    if (v < 0)
        digits[--at] = '-';
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}
