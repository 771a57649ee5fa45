// SPDX-License-Identifier: Apache-2.0
/* See gateway/answers.h. */
#include "gateway/answers.h"

#include "gateway/examples.h"

static void put_text(struct buf *b, const char *text)
{
    wire_json_string(b, str_of(text));
}

/* ---- what an operation may answer ---- */

bool answers_to_body(const struct route *r)
{
    return r->method == HTTP_POST || r->method == HTTP_PUT || r->method == HTTP_PATCH;
}

static bool changes_things(const struct route *r)
{
    return r->method != HTTP_GET;
}

static bool needs_user(const struct route *r)
{
    return r->auth == ROUTE_USER;
}

static bool checks_credentials(const struct route *r)
{
    return needs_user(r) || r->class == ROUTE_SIGN_IN;
}

static bool names_a_thing(const struct route *r)
{
    return strchr(r->path, '{') != NULL;
}

static bool is_conditional(const struct route *r)
{
    return r->if_match != IF_MATCH_IGNORED;
}

static bool wants_condition(const struct route *r)
{
    return r->if_match == IF_MATCH_REQUIRED;
}

static bool always(const struct route *r)
{
    (void)r;
    return true;
}

static const struct {
    enum err_kind kind;
    bool (*when)(const struct route *r);
    const char *description;
} failures[] = {
    {ERR_BAD_INPUT, always, "The request cannot be understood"},
    {ERR_UNAUTHENTICATED, checks_credentials, "Who asks is not known"},
    {ERR_FORBIDDEN, checks_credentials, "Who asks may not do this"},
    {ERR_NOT_FOUND, names_a_thing, "There is no such thing, or not for who asks"},
    {ERR_NOT_ACCEPTABLE, always, "None of the accepted media types can be sent"},
    {ERR_CONFLICT, changes_things, "The state of things does not allow it"},
    {ERR_PRECONDITION_FAILED, is_conditional, "It was changed in the meantime"},
    {ERR_TOO_LARGE, answers_to_body, "The body is too large"},
    {ERR_URI_TOO_LONG, always, "The target is too long; see x-limits"},
    {ERR_UNSUPPORTED_MEDIA, answers_to_body, "The body must be application/json"},
    {ERR_INVALID, answers_to_body, "Some fields are not acceptable"},
    {ERR_PRECONDITION_REQUIRED, wants_condition, "If-Match is needed"},
    {ERR_LIMITED, always, "Too many requests; see Retry-After"},
    {ERR_HEADERS_TOO_LARGE, always, "The head is too large; see x-limits"},
    {ERR_INTERNAL, always, "Something went wrong on our side"},
    {ERR_UNKNOWN_OUTCOME, changes_things, "It may or may not have been done"},
    {ERR_UNAVAILABLE, always, "A part this needs is not available; see Retry-After"},
    {ERR_DEADLINE, always, "It took too long"},
};

enum { FAILURES = sizeof failures / sizeof *failures };

static void put_failures(struct buf *b, const struct route *r, size_t body_max)
{
    for (unsigned i = 0; i < FAILURES; i++) {
        const struct err_kind_info *info = err_kind_info(failures[i].kind);

        if (!failures[i].when(r))
            continue;
        buf_printf(b, ",\"%d\":{\"$ref\":\"#/components/responses/%s\"",
                   info->http_status, info->label);
        if (failures[i].kind == ERR_TOO_LARGE)
            buf_printf(b, ",\"description\":\"The body is over %zu bytes\"", body_max);
        buf_byte(b, '}');
    }
    buf_str(b, STR(",\"default\":{\"$ref\":\"#/components/responses/problem\"}"));
}

static void put_problem_response(struct buf *b, const char *name, enum err_kind kind,
                                 const char *description)
{
    buf_printf(b, "\"%s\":{\"description\":", name);
    put_text(b, description);
    buf_str(b, STR(",\"content\":{\"application/problem+json\":{\"schema\":"
                   "{\"$ref\":\"#/components/schemas/problem\"},\"example\":"));
    example_write_problem(b, kind);
    buf_str(b, STR("}}}"));
}

void answers_write_shared(struct buf *b)
{
    put_problem_response(b, "problem", ERR_NOT_FOUND, "Any other problem");
    for (unsigned i = 0; i < FAILURES; i++) {
        buf_byte(b, ',');
        put_problem_response(b, err_kind_info(failures[i].kind)->label, failures[i].kind,
                             failures[i].description);
    }
}

/* ---- a good answer ---- */

static void put_header(struct buf *b, const char **sep, const char *name,
                       const char *text)
{
    buf_printf(b, "%s\"%s\":{\"schema\":{\"type\":\"string\"},\"description\":", *sep,
               name);
    put_text(b, text);
    buf_byte(b, '}');
    *sep = ",";
}

static void put_headers(struct buf *b, const struct route *r,
                        const struct wire_msg *reply)
{
    const char *sep = "";

    buf_str(b, STR(",\"headers\":{"));
    put_header(b, &sep, "X-Request-Id", "names this request in logs; sent back or made");
    put_header(b, &sep, "RateLimit", "what is left of each limit");
    put_header(b, &sep, "RateLimit-Policy", "the limits that count this call");
    if (r->location)
        put_header(b, &sep, "Location", "where it is");
    if (r->method == HTTP_GET)
        put_header(b, &sep, "ETag",
                   "for If-None-Match, and for If-Match when it can change");
    if (reply && wire_field_find(reply, STR("next_cursor")))
        put_header(b, &sep, "Link", "rel=next: the next page");
    buf_byte(b, '}');
}

static void put_content(struct buf *b, const struct route *r,
                        const struct wire_msg *reply)
{
    const char *media = r->media ? r->media : "application/json";

    if (r->status == 204)
        return;
    buf_printf(b, ",\"content\":{\"%s\":{\"schema\":", media);
    if (reply) {
        buf_printf(b, "{\"$ref\":\"#/components/schemas/%s\"},\"example\":", reply->name);
        example_write(b, reply);
    } else {
        buf_printf(b, "{\"type\":\"%s\"}", strstr(media, "json") ? "object" : "string");
    }
    buf_str(b, STR("}}"));
}

void answers_write(struct buf *b, const struct route *r, size_t body_max)
{
    const struct wire_msg *reply = r->status == 204 ? NULL : route_reply(r);

    buf_printf(b, ",\"responses\":{\"%d\":{\"description\":", r->status);
    put_text(b, http_reason(r->status));
    put_headers(b, r, reply);
    put_content(b, r, reply);
    buf_byte(b, '}');
    if (r->method == HTTP_GET)
        buf_str(b, STR(",\"304\":{\"description\":\"Not Modified\"}"));
    put_failures(b, r, body_max);
    buf_byte(b, '}');
}
