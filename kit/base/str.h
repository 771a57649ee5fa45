// SPDX-License-Identifier: Apache-2.0
/*
 * A string slice: pointer and length, never owned, never NUL-terminated by promise.
 * p == NULL means "absent"; an empty string has p != NULL and n == 0.
 */
#ifndef KIT_BASE_STR_H
#define KIT_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

/* For string literals only. */
#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})
/* printf arguments for "%.*s". */
#define STR_FMT(s) (int)(s).n, (s).p

static inline struct str str_of(const char *cstr)
{
    return (struct str){cstr, cstr ? strlen(cstr) : 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* ASCII case folded, as HTTP field names and schemes compare. */
bool str_eq_nocase(struct str a, struct str b);

/* Splits at the first sep: the part before it is returned, *rest is what follows it,
 * absent (p == NULL) when sep does not occur. */
struct str str_split(struct str s, char sep, struct str *rest);

/* Without leading and trailing spaces and tabs. */
struct str str_trim(struct str s);

/* A whole decimal number within [min, max]; false for anything else (sign only, spaces,
 * overflow, trailing bytes). */
bool str_to_i64(struct str s, int64_t min, int64_t max, int64_t *out);

/* Writes v in decimal, at most STR_I64_MAX bytes and no NUL; how many. */
enum { STR_I64_MAX = 20 };
size_t str_from_i64(int64_t v, char *out);
/* "00" to "99" */
extern const char str_two_digits[100][2];

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF). */
bool str_is_utf8(struct str s);

/* Bytes of the UTF-8 character that s begins with; 0: not well formed. s.n > 0. */
size_t str_utf8_step(struct str s);

/* Code points in well-formed UTF-8. */
size_t str_utf8_len(struct str s);

#endif
