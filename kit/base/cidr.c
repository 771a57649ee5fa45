// SPDX-License-Identifier: Apache-2.0
/* See kit/base/cidr.h. */
#include "kit/base/cidr.h"

#include <arpa/inet.h>

enum { IP_TEXT_MAX = 46, IP_BITS = 128, IPV4_BITS = 32 };

/* Four decimal numbers without leading zeros, as inet_pton() has it: most addresses are
 * that, and each request is of one. */
static bool ipv4_parse(struct str text, uint8_t *out)
{
    unsigned parts = 0, digits = 0, value = 0;

    for (size_t i = 0; i <= text.n; i++) {
        if (i == text.n || text.p[i] == '.') {
            if (digits == 0 || parts == 4)
                return false;
            out[parts++] = (uint8_t)value;
            digits = value = 0;
            continue;
        }
        if (text.p[i] < '0' || text.p[i] > '9' || (digits > 0 && value == 0))
            return false;
        value = value * 10 + (unsigned)(text.p[i] - '0');
        digits++;
        if (value > 255)
            return false;
    }
    return parts == 4;
}

bool ip_parse(struct str text, struct ip *out)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char cstr[IP_TEXT_MAX];

    if (text.n == 0 || text.n >= sizeof cstr)
        return false;
    memcpy(out->bytes, mapped, sizeof mapped);
    if (ipv4_parse(text, out->bytes + sizeof mapped))
        return true;
    if (memchr(text.p, 0, text.n))
        return false;
    memcpy(cstr, text.p, text.n);
    cstr[text.n] = '\0';
    return inet_pton(AF_INET6, cstr, out->bytes) == 1;
}

static bool has(const struct cidr *c, const struct ip *ip)
{
    unsigned whole = c->bits / 8, rest = c->bits % 8;

    if (memcmp(c->net.bytes, ip->bytes, whole) != 0)
        return false;
    return rest == 0 || ((c->net.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest)) == 0;
}

bool cidr_list_has(const struct cidr_list *l, const struct ip *ip)
{
    for (unsigned i = 0; i < l->n; i++)
        if (has(&l->v[i], ip))
            return true;
    return false;
}

static bool is_zero_behind(const struct cidr *c)
{
    for (unsigned bit = c->bits; bit < IP_BITS; bit++)
        if (c->net.bytes[bit / 8] >> (7 - bit % 8) & 1)
            return false;
    return true;
}

static bool parse_one(struct str part, struct cidr *out)
{
    struct str length;
    struct str address = str_split(part, '/', &length);
    bool v4 = memchr(address.p, ':', address.n) == NULL;
    int64_t most = v4 ? IPV4_BITS : IP_BITS, bits = most;

    if (!ip_parse(address, &out->net) ||
        (length.p && !str_to_i64(length, 0, most, &bits)))
        return false;
    out->bits = (unsigned)(bits + IP_BITS - most);
    return is_zero_behind(out);
}

const struct err *cidr_list_parse(struct arena *a, const char *text,
                                  struct cidr_list *out)
{
    struct str rest = str_trim(str_of(text ? text : ""));
    unsigned room = 1;

    for (size_t i = 0; i < rest.n; i++)
        room += rest.p[i] == ',';
    *out = (struct cidr_list){ARENA_ARRAY(a, struct cidr, room), 0};
    if (rest.n == 0)
        return NULL;
    while (rest.p) {
        struct str part = str_trim(str_split(rest, ',', &rest));

        if (!parse_one(part, &out->v[out->n++]))
            return err_new(a, &ERR_CODE_BAD_REQUEST,
                           "\"%.*s\" is not an address or network", STR_FMT(part));
    }
    return NULL;
}
