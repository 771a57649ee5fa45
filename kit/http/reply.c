// SPDX-License-Identifier: Apache-2.0
/* Header fields, of requests and of responses, and what a status is called. */
#include "kit/base/mem.h"
#include "kit/http/chars.h"
#include "kit/http/internal.h"

#include <stdio.h>
#include <sys/queue.h>

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *http_reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

static bool is_named(const struct http_exchange *ex, unsigned field, struct str name)
{
    struct head_part found = ex->head.fields[field].name;

    return found.n == name.n && str_eq_nocase(head_str(&ex->head, found), name);
}

static const struct http_exchange *exchange_of(const struct http_req *r)
{
    return CONTAINER_OF((struct http_req *)(uintptr_t)r, struct http_exchange, req);
}

struct str http_header_at(const struct http_req *r, const char *name, unsigned index)
{
    const struct http_exchange *ex = exchange_of(r);
    struct str wanted = str_of(name);

    for (unsigned i = 0; i < ex->head.n_fields; i++)
        if (is_named(ex, i, wanted) && index-- == 0)
            return head_str(&ex->head, ex->head.fields[i].value);
    return (struct str){NULL, 0};
}

struct str http_header(const struct http_req *r, const char *name)
{
    return http_header_at(r, name, 0);
}

unsigned http_header_count(const struct http_req *r, const char *name)
{
    const struct http_exchange *ex = exchange_of(r);
    struct str wanted = str_of(name);
    unsigned n = 0;

    for (unsigned i = 0; i < ex->head.n_fields; i++)
        n += is_named(ex, i, wanted);
    return n;
}

struct str http_header_list(struct http_req *r, const char *name)
{
    struct str list = http_header_at(r, name, 0);
    unsigned n = list.p ? http_header_count(r, name) : 0;

    for (unsigned i = 1; i < n; i++)
        list = arena_printf(&r->arena, "%.*s, %.*s", STR_FMT(list),
                            STR_FMT(http_header_at(r, name, i)));
    return list;
}

/* ---- header fields out ---- */

static bool is_field_value(struct str v)
{
    for (size_t i = char_text_run(v); i < v.n; i++)
        if (v.p[i] == '\r' || v.p[i] == '\n' || v.p[i] == '\0')
            return false;
    return true;
}

static void put_line(struct buf *lines, const char *name, struct str value)
{
    size_t n = strlen(name);
    char *p;

    if (value.p == NULL)
        return;
    if (!is_field_value(value)) {
        LOG_ERROR(NULL, "http.header_dropped", KV("name", name));
        return;
    }
    p = buf_grow(lines, n + value.n + 4);
    if (!p)
        return;
    memcpy(p, "\r\n", 2);
    memcpy(p + 2, name, n);
    memcpy(p + 2 + n, ": ", 2);
    memcpy(p + 4 + n, value.p, value.n);
}

void http_fix_lines(struct http_server *s)
{
    const struct http_conf *conf = &s->conf;
    struct buf *lines = &s->lines;
    char hsts[32] = "";

    if (conf->tls && conf->hsts_s > 0)
        snprintf(hsts, sizeof hsts, "max-age=%lld", (long long)conf->hsts_s);
    buf_init(lines, HTTP_LINES_MAX);
    buf_grow(lines, HTTP_DATE_LEN);
    put_line(lines, "Server", str_of(conf->server_header));
    for (size_t i = 0; i < conf->n_common; i++)
        put_line(lines, conf->common[i].name, conf->common[i].value);
    put_line(lines, "Strict-Transport-Security", str_of(*hsts ? hsts : NULL));
    s->n_fixed = lines->n;
    s->conf.common = NULL;
}

/* The date, and the other fields behind it. */
void http_put_lines(struct http_exchange *ex, const char *content_type,
                    const struct http_reply_header *headers, size_t n_headers)
{
    struct http_server *s = ex->req.server;
    struct buf *lines = &s->lines;

    buf_reset(lines);
    lines->n = s->n_fixed;
    http_server_refresh_date(s);
    put_line(lines, "Content-Type", str_of(content_type));
    for (size_t i = 0; i < n_headers; i++)
        put_line(lines, headers[i].name, headers[i].value);
    if (lines->failed)
        LOG_ERROR(NULL, "http.header_dropped", KV("name", "those beyond the limit"));
}

/* evhttp checks, copies and prints field by field. So it gets all of a stream's as the
 * value of one, Date, with the line ends between them; it is ours and not freed. */
void http_lend_fields(struct http_exchange *ex)
{
    ex->lent = (struct evkeyval){.key = (char *)(uintptr_t)"Date",
                                 .value = (char *)(uintptr_t)ex->lines.p};
    TAILQ_INSERT_TAIL(evhttp_request_get_output_headers(ex->native), &ex->lent, next);
}

void http_take_fields_back(struct http_exchange *ex)
{
    TAILQ_REMOVE(evhttp_request_get_output_headers(ex->native), &ex->lent, next);
}
