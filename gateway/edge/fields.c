// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/fields.h. */
#include "gateway/edge/fields.h"

#include "gateway/edge/cors.h"
#include "gateway/edge/internal.h"
#include "proto/errors.h"

#include <time.h>

void fields_add(struct fields *f, const char *name, struct str value)
{
    if (value.p && f->n < FIELDS_MAX)
        f->v[f->n++] = (struct http_reply_header){name, value};
}

bool fields_peek(struct str reply, const char *name, struct mp_value *out)
{
    struct mp_reader r = {(const uint8_t *)reply.p, (const uint8_t *)reply.p + reply.n};
    struct str wanted = str_of(name);
    struct mp_value v;

    if (reply.p == NULL || !mp_next(&r, &v) || v.type != MP_MAP)
        return false;
    for (uint32_t left = v.n; left > 0; left--) {
        if (!mp_next(&r, &v) || v.type != MP_STR)
            return false;
        if (v.s.n == wanted.n && str_eq(v.s, wanted))
            return mp_next(&r, out);
        if (!mp_skip(&r))
            return false;
    }
    return false;
}

/* Origin too where no page of another origin may call: SIGHUP can change that, and what a
 * cache holds then must not be taken for the answer to such a page. */
void fields_of_all(struct fields *f)
{
    fields_add(f, "API-Version", STR("1"));
    fields_add(f, "X-Content-Type-Options", STR("nosniff"));
    fields_add(f, "X-Frame-Options", STR("DENY"));
    fields_add(f, "Referrer-Policy", STR("no-referrer"));
    fields_add(f, "Vary", STR("Accept-Encoding, Origin"));
}

void fields_common(struct fields *f, struct request *rq)
{
    struct arena *a = &rq->http->arena;

    fields_add(f, "X-Request-Id", rq->id);
    cors_fields(f, rq);
    fields_add(f, "RateLimit-Policy", limit_policy_header(a, &rq->limit));
    fields_add(f, "RateLimit", limit_header(a, &rq->limit));
}

/* ---- by route ---- */

static struct str location(struct request *rq, const char *template, struct str reply)
{
    struct arena *a = &rq->http->arena;
    const struct str none = {NULL, 0};
    const char *hole = strstr(template, "{id}");
    struct mp_value id;
    struct uuid u;

    if (!hole)
        return str_of(template);
    if (!fields_peek(reply, "id", &id) || id.type != MP_BIN || id.s.n != sizeof u)
        return none;
    memcpy(&u, id.s.p, sizeof u);
    return arena_printf(a, "%.*s%.*s%s", (int)(hole - template), template,
                        STR_FMT(uuid_str(a, u)), hole + 4);
}

static struct str percent_encode(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, 3 * s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                     (c >= 'a' && c <= 'z') || (c != 0 && strchr("-._~", c));

        if (plain) {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '%';
        out[n++] = "0123456789ABCDEF"[c >> 4];
        out[n++] = "0123456789ABCDEF"[c & 15];
    }
    return (struct str){out, n};
}

/* The same list from next_cursor on; what the client sent otherwise stays. */
static struct str next_page(struct request *rq, struct str reply)
{
    struct arena *a = &rq->http->arena;
    const struct str none = {NULL, 0};
    struct mp_value cursor;
    struct str url;

    if (!fields_peek(reply, "next_cursor", &cursor) || cursor.type != MP_STR)
        return none;
    url = arena_printf(a, "<%s?cursor=%.*s", rq->match.route->path,
                       STR_FMT(percent_encode(a, cursor.s)));
    for (int i = 0; i < rq->n_pairs; i++)
        if (!str_eq(rq->pairs[i].name, STR("cursor")))
            url = arena_printf(a, "%.*s&%.*s=%.*s", STR_FMT(url),
                               STR_FMT(percent_encode(a, rq->pairs[i].name)),
                               STR_FMT(percent_encode(a, rq->pairs[i].value)));
    return arena_printf(a, "%.*s>; rel=\"next\"", STR_FMT(url));
}

static struct str http_date(struct arena *a, int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    char text[40];

    gmtime_r(&t, &tm);
    return arena_str(a, (struct str){text, strftime(text, sizeof text,
                                                    "%a, %d %b %Y %H:%M:%S GMT", &tm)});
}

/* RFC 9745, RFC 8594 */
static void deprecation(struct fields *f, struct request *rq, const struct route *route)
{
    struct arena *a = &rq->http->arena;

    if (route->deprecated_s)
        fields_add(f, "Deprecation",
                   arena_printf(a, "@%lld", (long long)route->deprecated_s));
    if (route->sunset_s)
        fields_add(f, "Sunset", http_date(a, route->sunset_s));
    if (route->successor)
        fields_add(f, "Link",
                   arena_printf(a, "<%s>; rel=\"successor-version\"", route->successor));
}

/* A page's own files and the API it calls, nothing else; images may be in its styles. */
static const char page_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void fields_of_route(struct fields *f, struct request *rq, struct str reply)
{
    const struct route *route = rq->match.route;
    const struct wire_msg *m = route_reply(route);

    fields_add(f, "Cache-Control",
               route->cache_control ? str_of(route->cache_control)
                                    : STR("private, no-cache"));
    if (route->location)
        fields_add(f, "Location", location(rq, route->location, reply));
    if (m && wire_field_find(m, STR("next_cursor")))
        fields_add(f, "Link", next_page(rq, reply));
    if (route->page)
        fields_add(f, "Content-Security-Policy", str_of(page_policy));
    deprecation(f, rq, route);
}

/* ---- by error ---- */

#define DPOP_CHALLENGE(error) \
    STR("DPoP error=\"" error "\", algs=\"" DPOP_ALGORITHMS "\"")

/* RFC 6750 section 3, RFC 9449 section 7.1 */
static struct str challenge_401(const struct request *rq, const struct err *e)
{
    if (e->code == &ERR_CODE_PROOF_INVALID)
        return DPOP_CHALLENGE("invalid_dpop_proof");
    if (e->code == &ERR_CODE_PROOF_MISSING)
        return DPOP_CHALLENGE("invalid_token");
    if (e->code == &ERR_CODE_TOKEN_INVALID || e->code == &ERR_CODE_KEY_INVALID)
        return rq->by_proof ? DPOP_CHALLENGE("invalid_token")
                            : STR("Bearer error=\"invalid_token\"");
    return STR("Bearer, DPoP algs=\"" DPOP_ALGORITHMS "\"");
}

static struct str challenge(struct request *rq, const struct err *e)
{
    struct arena *a = &rq->http->arena;
    bool by_scope = e->code == &ERR_CODE_KEY_SCOPE_MISSING;

    if (err_kind(e) == ERR_UNAUTHENTICATED)
        return challenge_401(rq, e);
    if (by_scope || e->code == &ERR_CODE_INSUFFICIENT_SCOPE)
        return arena_printf(
            a, "Bearer error=\"insufficient_scope\", scope=\"%.*s\"",
            STR_FMT(by_scope ? scopes_text(a, rq->match.route->scopes)
                             : str_of(permission_name(rq->match.route->permission))));
    return (struct str){NULL, 0};
}

static struct str retry_after(struct request *rq, const struct err *e)
{
    enum err_kind kind = err_kind(e);
    int64_t ms = e->retry_after_ms;
    char seconds[STR_I64_MAX];

    if (ms <= 0 && (kind == ERR_UNAVAILABLE || kind == ERR_SHED || kind == ERR_LIMITED))
        ms = 1000;
    if (ms <= 0)
        return (struct str){NULL, 0};
    return arena_str(&rq->http->arena,
                     (struct str){seconds, str_from_i64((ms + 999) / 1000, seconds)});
}

void fields_of_error(struct fields *f, struct request *rq, const struct err *e)
{
    fields_add(f, "Cache-Control", STR("no-store"));
    fields_add(f, "WWW-Authenticate", challenge(rq, e));
    fields_add(f, "Retry-After", retry_after(rq, e));
    if (rq->match.route)
        deprecation(f, rq, rq->match.route);
    if (err_kind(e) == ERR_METHOD_NOT_ALLOWED)
        fields_add(f, "Allow", router_allow(&rq->http->arena, rq->match.allowed));
}
