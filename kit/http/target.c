// SPDX-License-Identifier: Apache-2.0
/* See kit/http/target.h. */
#include "kit/http/target.h"
#include "kit/base/id.h"
#include "kit/http/chars.h"

/* Where the first c is, or s.n. */
static size_t find(struct str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

    return at ? (size_t)(at - s.p) : s.n;
}

/* One character at s[i], escape or not; -1 when the escape is bad. Moves *i on. */
static int decode_one(struct str s, size_t *i)
{
    unsigned char byte;

    if (s.p[*i] != '%')
        return (unsigned char)s.p[(*i)++];
    if (s.n - *i < 3 || !hex_decode((struct str){s.p + *i + 1, 2}, &byte, 1))
        return -1;
    *i += 3;
    return byte;
}

/* How much at the start stands for itself. */
static size_t plain_run(struct str s, bool form)
{
    size_t n = find(s, '%');

    return form ? find((struct str){s.p, n}, '+') : n;
}

struct str target_decode(struct arena *a, struct str s, bool form)
{
    const struct str bad = {NULL, 0};
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0, i = 0;

    if (find(s, '\0') < s.n)
        return bad;
    while (i < s.n) {
        size_t run = plain_run((struct str){s.p + i, s.n - i}, form);
        bool space;
        int c;

        memcpy(out + n, s.p + i, run);
        n += run;
        i += run;
        if (i == s.n)
            break;
        space = s.p[i] == '+';
        c = decode_one(s, &i);
        if (c <= 0)
            return bad;
        out[n++] = space ? ' ' : (char)c;
    }
    return str_is_utf8((struct str){out, n}) ? (struct str){out, n} : bad;
}

/* Raw characters that a path cannot have, and escapes that hide structure. */
static bool hides_something(struct str raw)
{
    if (char_run(raw, CHAR_PATH) != raw.n)
        return true;
    for (size_t i = find(raw, '%'); i + 2 < raw.n;
         i += 1 + find((struct str){raw.p + i + 1, raw.n - i - 1}, '%')) {
        unsigned char byte;

        if (!hex_decode((struct str){raw.p + i + 1, 2}, &byte, 1))
            continue;
        if (byte < 0x20 || byte == 0x7f || byte == '/' || byte == '\\')
            return true;
    }
    return false;
}

/* Drops the last segment of out[0..n). */
static size_t drop_segment(const char *out, size_t n)
{
    while (n > 0 && out[n - 1] != '/')
        n--;
    return n;
}

/* Appends one segment, without its slash; false above the root or for an empty one before
 * the end. Invariant: out[0..*n) ends with '/'. */
static bool put_segment(char *out, size_t *n, struct str segment, bool last)
{
    if (segment.n == 0)
        return last;
    if (str_eq(segment, STR(".")))
        return true;
    if (str_eq(segment, STR(".."))) {
        if (*n == 1)
            return false;
        *n = drop_segment(out, *n - 1);
        return true;
    }
    memmove(out + *n, segment.p, segment.n);
    *n += segment.n;
    if (!last)
        out[(*n)++] = '/';
    return true;
}

/* In place: the result is never longer than what was read. */
static bool resolve_dots(struct str *path)
{
    char *out = (char *)(uintptr_t)path->p;
    struct str rest = {path->p + 1, path->n - 1};
    size_t n = 1;

    while (rest.p) {
        struct str segment = str_split(rest, '/', &rest);

        if (!put_segment(out, &n, segment, rest.p == NULL))
            return false;
    }
    path->n = n;
    return true;
}

bool target_parse(struct arena *a, struct str raw, struct target *out)
{
    struct str path = str_split(raw, '?', &out->query);

    if (path.n == 0)
        path = STR("/");
    if (str_eq(path, STR("*"))) {
        out->path = path;
        return true;
    }
    if (path.p[0] != '/' || hides_something(path))
        return false;
    out->path = target_decode(a, path, false);
    return out->path.p != NULL && resolve_dots(&out->path);
}
