// SPDX-License-Identifier: Apache-2.0
/* Taking a Redis URL apart. User and password are percent-decoded (RFC 3986). */
#include "kit/cache/url.h"

#include "kit/base/id.h"

static bool decode(struct str s, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == '%') {
            if (s.n - i < 3 || !hex_decode((struct str){s.p + i + 1, 2}, &c, 1))
                return false;
            i += 2;
        }
        if (c == 0 || n + 1 >= REDIS_URL_PART_MAX)
            return false;
        out[n++] = c;
    }
    out[n] = 0;
    return true;
}

static bool parse_login(struct str s, struct redis_url *out)
{
    struct str password, user = str_split(s, ':', &password);

    return password.p && decode(user, out->user) && decode(password, out->password);
}

static bool parse_int(struct str s, int max, int *out)
{
    int64_t v;

    if (!str_to_i64(s, 0, max, &v))
        return false;
    *out = (int)v;
    return true;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static bool parse_address(struct str s, struct redis_url *out)
{
    struct str port, host;

    if (s.n > 0 && s.p[0] == '[') {
        host = str_split((struct str){s.p + 1, s.n - 1}, ']', &port);
        if (!port.p || (port.n > 0 && port.p[0] != ':'))
            return false;
        port = port.n > 0 ? (struct str){port.p + 1, port.n - 1} : (struct str){0};
    } else {
        host = str_split(s, ':', &port);
    }
    if (host.n == 0 || !decode(host, out->host))
        return false;
    return !port.p || (parse_int(port, 65535, &out->port) && out->port > 0);
}

/* Where the login ends: a password may hold '@' unescaped, a host never. */
static const char *last_at(struct str s)
{
    return s.n ? memrchr(s.p, '@', s.n) : NULL;
}

bool redis_url_parse(struct str url, struct redis_url *out)
{
    struct str prefix = STR("redis://"), db, rest;
    const char *at;

    *out = (struct redis_url){.port = REDIS_URL_PORT};
    if (!str_starts(url, prefix))
        return false;
    rest = (struct str){url.p + prefix.n, url.n - prefix.n};
    at = last_at(rest);
    if (at) {
        if (!parse_login((struct str){rest.p, (size_t)(at - rest.p)}, out))
            return false;
        rest = (struct str){at + 1, rest.n - (size_t)(at + 1 - rest.p)};
    }
    rest = str_split(rest, '/', &db);
    return parse_address(rest, out) &&
           (!db.p || db.n == 0 || parse_int(db, 1023, &out->db));
}
