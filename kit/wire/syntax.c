// SPDX-License-Identifier: Apache-2.0
/*
 * Syntax of e-mail addresses and web addresses: what mail servers and HTTP clients take
 * without quoting. ASCII only; rarer legal forms (quoted local parts, comments, literal
 * addresses in mail, user names in URLs) are refused on purpose.
 */
#include "kit/wire/internal.h"

enum { LOCAL_PART_MAX = 64, DOMAIN_MAX = 253, LABEL_MAX = 63 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter_or_digit(char c)
{
    return is_letter(c) || is_digit(c);
}

/* All bytes of s satisfy `letter_or_digit` or are in `others`. */
static bool is_made_of(struct str s, const char *others)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_letter_or_digit(s.p[i]) && (s.p[i] == '\0' || !strchr(others, s.p[i])))
            return false;
    }
    return true;
}

static bool is_label(struct str s)
{
    return s.n >= 1 && s.n <= LABEL_MAX && is_made_of(s, "-") && s.p[0] != '-' &&
           s.p[s.n - 1] != '-';
}

/* RFC 5322 dot-atom. */
static bool is_local_part(struct str s)
{
    if (s.n < 1 || s.n > LOCAL_PART_MAX || !is_made_of(s, ".!#$%&'*+-/=?^_`{|}~"))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.' && (i == 0 || i + 1 == s.n || s.p[i + 1] == '.'))
            return false;
    }
    return true;
}

/* Labels with dots between. `dotted`: at least one dot, and the last label has a letter.
 */
static bool is_domain(struct str s, bool dotted)
{
    struct str rest = s, label = s;
    unsigned labels = 0;

    if (s.n > DOMAIN_MAX)
        return false;
    while (rest.p) {
        label = str_split(rest, '.', &rest);
        if (!is_label(label))
            return false;
        labels++;
    }
    if (!dotted)
        return true;
    for (size_t i = 0; i < label.n; i++) {
        if (is_letter(label.p[i]))
            return labels > 1;
    }
    return false;
}

bool wire_is_email(struct str s)
{
    struct str domain, local = str_split(s, '@', &domain);

    return domain.p && is_local_part(local) && is_domain(domain, true);
}

/* ---- http(s)://host[:port][/path][?query][#fragment] ---- */

static size_t scheme_len(struct str s)
{
    static const struct str schemes[] = {{"http://", 7}, {"https://", 8}};

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (s.n >= schemes[i].n &&
            str_eq_nocase((struct str){s.p, schemes[i].n}, schemes[i]))
            return schemes[i].n;
    }
    return 0;
}

static bool is_ipv6_literal(struct str s)
{
    struct str inner = {s.p + 1, s.n - 2};

    if (s.n < 4 || s.p[0] != '[' || s.p[s.n - 1] != ']')
        return false;
    for (size_t i = 0; i < inner.n; i++) {
        char lower = (char)(inner.p[i] | 0x20);

        if (!is_digit(inner.p[i]) && !(lower >= 'a' && lower <= 'f') &&
            inner.p[i] != ':' && inner.p[i] != '.')
            return false;
    }
    return memchr(inner.p, ':', inner.n) != NULL;
}

static bool is_authority(struct str s)
{
    size_t host_end = s.n;
    int64_t port;

    while (host_end > 0 && is_digit(s.p[host_end - 1]))
        host_end--;
    if (host_end > 0 && s.p[host_end - 1] == ':') {
        struct str digits = {s.p + host_end, s.n - host_end};

        if (digits.n > 5 || !str_to_i64(digits, 1, 65535, &port))
            return false;
        s.n = host_end - 1;
    }
    if (s.n > 0 && s.p[0] == '[')
        return is_ipv6_literal(s);
    return s.n > 0 && is_domain(s, false);
}

bool wire_is_url(struct str s)
{
    size_t start = scheme_len(s), end = start;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\"<>\\^`{|}", s.p[i]))
            return false;
    }
    while (end < s.n && !strchr("/?#", s.p[end]))
        end++;
    return start > 0 && is_authority((struct str){s.p + start, end - start});
}
