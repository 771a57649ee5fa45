// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/htu.h. */
#include "gateway/edge/htu.h"

#include "kit/http/target.h"

/* Up to any of the characters; *rest begins with the one that was found. */
static struct str take_until(struct str s, const char *any, struct str *rest)
{
    size_t n = 0;

    while (n < s.n && !strchr(any, s.p[n]))
        n++;
    *rest = (struct str){s.p + n, s.n - n};
    return (struct str){s.p, n};
}

static struct str without_port(struct str authority, struct str port)
{
    struct str end = {authority.p + authority.n - port.n, port.n};

    if (authority.n > port.n && str_eq(end, port))
        authority.n -= port.n;
    return authority;
}

bool htu_fits(struct arena *a, struct str htu, const struct htu_want *want)
{
    struct str rest, scheme = str_split(htu, ':', &rest), authority, path;
    bool https = str_eq_nocase(scheme, STR("https"));
    struct str port = https ? STR(":443") : STR(":80");
    struct target t;

    if (!https && (want->tls || !str_eq_nocase(scheme, STR("http"))))
        return false;
    if (!str_starts(rest, STR("//")))
        return false;
    authority = take_until((struct str){rest.p + 2, rest.n - 2}, "/?#", &rest);
    path = take_until(rest, "?#", &rest);
    return authority.n > 0 &&
           str_eq_nocase(without_port(authority, port), without_port(want->host, port)) &&
           target_parse(a, path.n > 0 ? path : STR("/"), &t) &&
           str_eq(t.path, want->path);
}
