// SPDX-License-Identifier: Apache-2.0
/*
 * Hiding the passwords of a URL: the one before the host, and query parameters that are
 * called something with "password" (libpq has several). People forget to percent-encode
 * passwords, so the end of one is searched for generously: better hide too much.
 */
#include "kit/conf/internal.h"

#include <strings.h>

/* Behind "scheme://"; absent when there is none. */
static struct str behind_scheme(struct str url)
{
    size_t i = 0;

    while (i < url.n && url.p[i] &&
           strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.",
                  url.p[i]))
        i++;
    if (i == 0 || !str_starts((struct str){url.p + i, url.n - i}, STR("://")))
        return (struct str){0};
    return (struct str){url.p + i + 3, url.n - i - 3};
}

bool conf_is_url(struct str text)
{
    return behind_scheme(text).n > 0;
}

static size_t until(struct str s, const char *ends)
{
    size_t i = 0;

    while (i < s.n && !(s.p[i] && strchr(ends, s.p[i])))
        i++;
    return i;
}

static bool is_digits(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return true;
}

/* The password before the host in what follows "://"; n == 0 when there is none. */
static struct str find_password(struct str s)
{
    size_t authority = until(s, "/?#"), colon = until((struct str){s.p, authority}, ":@");
    const char *at = memrchr(s.p, '@', authority);

    if (colon == authority || s.p[colon] != ':')
        return (struct str){0};
    if (!at && !is_digits(s.p + colon + 1, authority - colon - 1))
        at = memrchr(s.p, '@', s.n); /* an unencoded slash in the password */
    if (!at || at < s.p + colon)
        return (struct str){0};
    return (struct str){s.p + colon + 1, (size_t)(at - s.p) - colon - 1};
}

static bool is_password_name(struct str name)
{
    for (size_t i = 0; i + 8 <= name.n; i++)
        if (strncasecmp(name.p + i, "password", 8) == 0)
            return true;
    return false;
}

static void put_parameter(struct buf *b, struct str parameter)
{
    struct str value, name = str_split(parameter, '=', &value);

    if (value.p && is_password_name(name))
        buf_printf(b, "%.*s=***", STR_FMT(name));
    else
        buf_str(b, parameter);
}

static void put_rest(struct buf *b, struct str s)
{
    size_t query = until(s, "?");

    buf_str(b, (struct str){s.p, query});
    while (query < s.n) {
        struct str more = {s.p + query + 1, s.n - query - 1};
        size_t n = until(more, "&");

        buf_byte(b, (uint8_t)s.p[query]);
        put_parameter(b, (struct str){more.p, n});
        query += 1 + n;
    }
}

void conf_put_masked_url(struct buf *b, struct str url)
{
    struct str rest = behind_scheme(url), password;

    if (!rest.p) {
        buf_str(b, url.n > 0 ? STR("***") : STR(""));
        return;
    }
    password = find_password(rest);
    if (password.n > 0) {
        buf_put(b, url.p, (size_t)(password.p - url.p));
        buf_str(b, STR("***"));
        rest = (struct str){password.p + password.n,
                            (size_t)(url.p + url.n - password.p) - password.n};
    } else {
        buf_put(b, url.p, (size_t)(rest.p - url.p));
    }
    put_rest(b, rest);
}
