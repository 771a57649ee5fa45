// SPDX-License-Identifier: Apache-2.0
/* See kit/http/authority.h. */
#include "kit/http/authority.h"

#include "kit/base/cidr.h"
#include "kit/base/id.h"
#include "kit/http/chars.h"

enum { PORT_MAX = 65535 };

/* Of a percent escape: the two digits behind it. */
static bool is_escape(struct str digits)
{
    unsigned char byte;

    return digits.n >= 2 && hex_decode((struct str){digits.p, 2}, &byte, 1);
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        struct str rest = {s.p + i + 1, s.n - i - 1};

        if (!char_is(s.p[i], CHAR_HOST) || (s.p[i] == '%' && !is_escape(rest)))
            return false;
    }
    return s.n > 0;
}

static bool is_ipv6(struct str s)
{
    struct ip ip;

    return s.n > 0 && memchr(s.p, ':', s.n) && ip_parse(s, &ip);
}

static bool is_port(struct str s)
{
    int64_t n;

    return s.n == 0 || (s.p[0] >= '0' && s.p[0] <= '9' && str_to_i64(s, 0, PORT_MAX, &n));
}

bool authority_is_valid(struct str s)
{
    struct str host, rest;

    if (s.n == 0 || s.p[0] != '[') {
        host = str_split(s, ':', &rest);
        return is_name(host) && is_port(rest);
    }
    host = str_split((struct str){s.p + 1, s.n - 1}, ']', &rest);
    if (!rest.p || !is_ipv6(host))
        return false;
    return rest.n == 0 ||
           (rest.p[0] == ':' && is_port((struct str){rest.p + 1, rest.n - 1}));
}
