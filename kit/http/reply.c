// SPDX-License-Identifier: Apache-2.0
/* Responses known as a whole, their header fields, and the request's header fields. */
#include "kit/http/internal.h"

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
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

struct str http_header(const struct http_req *r, const char *name)
{
    const struct http_exchange *ex =
        CONTAINER_OF((struct http_req *)(uintptr_t)r, struct http_exchange, req);
    struct str wanted = str_of(name);

    for (unsigned i = 0; i < ex->head.n_fields; i++)
        if (str_eq_nocase(head_str(&ex->head, ex->head.fields[i].name), wanted))
            return head_str(&ex->head, ex->head.fields[i].value);
    return (struct str){NULL, 0};
}

static bool is_field_value(struct str v)
{
    return !memchr(v.p, '\r', v.n) && !memchr(v.p, '\n', v.n) && !memchr(v.p, '\0', v.n);
}

static void add_header(struct http_exchange *ex, const char *name, struct str value)
{
    struct evkeyvalq *out = evhttp_request_get_output_headers(ex->native);

    if (value.p == NULL)
        return;
    if (!is_field_value(value)) {
        LOG_ERROR(NULL, "http.header_dropped", KV("name", name));
        return;
    }
    evhttp_add_header(out, name, arena_str(&ex->req.arena, value).p);
}

void http_add_headers(struct http_exchange *ex, const char *content_type,
                      const struct http_reply_header *headers, size_t n_headers)
{
    struct http_server *s = ex->req.server;

    add_header(ex, "Date", str_of(http_server_date(s)));
    add_header(ex, "Server", str_of(s->conf.server_header));
    add_header(ex, "Content-Type", str_of(content_type));
    if (s->draining)
        add_header(ex, "Connection", STR("close"));
    for (size_t i = 0; i < n_headers; i++)
        add_header(ex, headers[i].name, headers[i].value);
}

void http_reply(struct http_req *r, int status, const char *content_type,
                const struct http_reply_header *headers, size_t n_headers,
                struct str body)
{
    struct http_exchange *ex = http_exchange_of(r);
    bool no_content = status == 204 || status == 304;

    ex->state = EXCHANGE_REPLYING;
    ex->status = status;
    http_add_headers(ex, no_content ? NULL : content_type, headers, n_headers);
    if (!no_content)
        add_header(ex, "Content-Length", arena_printf(&r->arena, "%zu", body.n));
    if (!no_content && r->method != HTTP_HEAD)
        evbuffer_add(evhttp_request_get_output_buffer(ex->native), body.p, body.n);
    loop_soon(r->server->loop, &ex->task);
}
