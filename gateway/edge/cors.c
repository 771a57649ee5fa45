// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/cors.h. */
#include "gateway/edge/cors.h"

#include "gateway/edge/internal.h"

#define SEEN                                                                         \
    "ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, " \
    "API-Version, Deprecation, Sunset, WWW-Authenticate, Content-Disposition"
#define SENT                                                                  \
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, " \
    "X-Request-Id, Traceparent, DPoP"

/* scheme "://" host [":" port], as browsers write it: lower case, no path. */
static bool is_origin(struct str s)
{
    struct str rest = s;
    struct str scheme = str_split(s, ':', &rest);

    if (!str_eq(scheme, STR("https")) && !str_eq(scheme, STR("http")))
        return false;
    if (!rest.p || !str_starts(rest, STR("//")) || rest.n <= 2)
        return false;
    for (size_t i = 2; i < rest.n; i++) {
        char c = rest.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("-.:[]", c)))
            return false;
    }
    return true;
}

const struct err *cors_check(struct arena *a, const char *origins)
{
    struct str rest = str_trim(str_of(origins));

    while (rest.n > 0) {
        struct str one = str_trim(str_split(rest, ',', &rest));

        if (!is_origin(one))
            return err_new(a, &ERR_CODE_BAD_REQUEST,
                           "VIADUCT_CORS_ORIGINS: \"%.*s\" is not an origin such as "
                           "https://app.example",
                           STR_FMT(one));
    }
    return NULL;
}

static bool is_allowed(const struct request *rq, struct str origin)
{
    struct str rest = str_of(rq->edge->conf.cors_origins);

    while (origin.n > 0 && rest.p)
        if (str_eq(str_trim(str_split(rest, ',', &rest)), origin))
            return true;
    return false;
}

void cors_fields(struct fields *f, const struct request *rq)
{
    struct str origin = http_header(rq->http, "origin");

    if (!is_allowed(rq, origin))
        return;
    fields_add(f, "Access-Control-Allow-Origin", origin);
    fields_add(f, "Access-Control-Expose-Headers", STR(SEEN));
}

void cors_preflight(struct fields *f, const struct request *rq)
{
    if (!http_header(rq->http, "access-control-request-method").p ||
        !is_allowed(rq, http_header(rq->http, "origin")))
        return;
    fields_add(f, "Access-Control-Allow-Methods",
               router_allow(&rq->http->arena, rq->match.allowed));
    fields_add(f, "Access-Control-Allow-Headers", STR(SENT));
    fields_add(f, "Access-Control-Max-Age", STR("600"));
}
