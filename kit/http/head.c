// SPDX-License-Identifier: Apache-2.0
/*
 * The machine collects a line while it checks each byte, then reads the line as a whole.
 * Every way to be refused is a row of HEAD_REJECTS.
 */
#include "kit/http/head.h"
#include "kit/http/authority.h"
#include "kit/http/chars.h"
#include "kit/http/errors.h"

enum { FIRST_BYTES = 2048 };

static const struct {
    const char *name;
    struct err err;
} rejects[] = {
#define HEAD_REJECT_ROW(symbol, cod, text) \
    [HEAD_REJECT_##symbol] = {             \
        #symbol, {.code = &ERR_CODE_##cod, .detail = {text, sizeof(text) - 1}}},
    HEAD_REJECTS(HEAD_REJECT_ROW)
#undef HEAD_REJECT_ROW
};

static const struct {
    struct str name;
    bool body;
} methods[] = {
    [HTTP_GET] = {{"GET", 3}, false},         [HTTP_HEAD] = {{"HEAD", 4}, false},
    [HTTP_POST] = {{"POST", 4}, true},        [HTTP_PUT] = {{"PUT", 3}, true},
    [HTTP_PATCH] = {{"PATCH", 5}, true},      [HTTP_DELETE] = {{"DELETE", 6}, false},
    [HTTP_OPTIONS] = {{"OPTIONS", 7}, false}, [HTTP_METHOD_COUNT] = {{"-", 1}, false},
};

const struct err *head_reject_err(enum head_reject r)
{
    return &rejects[r].err;
}

const char *head_reject_name(enum head_reject r)
{
    return rejects[r].name;
}

const char *http_method_name(enum http_method m)
{
    return methods[m].name.p;
}

void head_init(struct head *h, const struct head_limits *limits)
{
    memset(h, 0, offsetof(struct head, fields));
    h->limits = limits;
    h->method = HTTP_METHOD_COUNT;
    buf_init(&h->lines, limits->head_bytes);
}

void head_restart(struct head *h)
{
    struct buf lines = h->lines;
    const struct head_limits *limits = h->limits;

    head_init(h, limits);
    h->lines = lines;
    buf_reset(&h->lines);
}

bool head_is_small(const struct head *h)
{
    return h->lines.room <= FIRST_BYTES;
}

void head_fini(struct head *h)
{
    buf_fini(&h->lines);
}

struct str head_str(const struct head *h, struct head_part part)
{
    return (struct str){h->lines.p + part.at, part.n};
}

bool head_is_fresh(const struct head *h)
{
    return h->state == HEAD_REQUEST_LINE && h->lines.n == 0 && !h->cr;
}

static void reject(struct head *h, enum head_reject why)
{
    h->state = HEAD_REJECTED;
    h->reject = why;
}

/* A slice of `lines`. */
static struct head_part part_of(const struct head *h, struct str s)
{
    return (struct head_part){(uint32_t)(s.p - h->lines.p), (uint32_t)s.n};
}

static bool is_token(struct str s)
{
    return s.n > 0 && char_run(s, CHAR_TOKEN) == s.n;
}

/* ---- request line ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum head_reject read_version(struct head *h, struct str v)
{
    if (str_eq(v, STR("HTTP/1.1")) || str_eq(v, STR("HTTP/1.0"))) {
        h->http10 = v.p[7] == '0';
        return HEAD_REJECT_NONE;
    }
    if (v.n == 8 && str_starts(v, STR("HTTP/")) && is_digit(v.p[5]) && v.p[6] == '.' &&
        is_digit(v.p[7]))
        return HEAD_REJECT_VERSION;
    return HEAD_REJECT_REQUEST_LINE;
}

static enum head_reject read_method(struct head *h, struct str name)
{
    for (unsigned m = 0; m < HTTP_METHOD_COUNT; m++) {
        if (str_eq(name, methods[m].name)) {
            h->method = (enum http_method)m;
            return HEAD_REJECT_NONE;
        }
    }
    return HEAD_REJECT_METHOD;
}

/* Takes "http://" or "https://" off. */
static bool skip_scheme(struct str *s)
{
    static const struct str schemes[] = {{"http://", 7}, {"https://", 8}};

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t n = schemes[i].n;

        if (s->n >= n && str_eq_nocase((struct str){s->p, n}, schemes[i])) {
            *s = (struct str){s->p + n, s->n - n};
            return true;
        }
    }
    return false;
}

/* Absolute form (RFC 9112 section 3.2.2): leaves what follows the authority, which itself
 * is ignored as Host is. */
static bool skip_authority(struct str *target)
{
    size_t n = 0;

    if (!skip_scheme(target))
        return false;
    while (n < target->n && target->p[n] != '/')
        n++;
    if (!authority_is_valid((struct str){target->p, n}))
        return false;
    *target = (struct str){target->p + n, target->n - n};
    return true;
}

static enum head_reject read_target(struct head *h, struct str target)
{
    bool asterisk = h->method == HTTP_OPTIONS && str_eq(target, STR("*"));

    if (target.n > HEAD_TARGET_MAX)
        return HEAD_REJECT_TARGET_LENGTH;
    if (target.n == 0 || char_run(target, CHAR_TARGET) != target.n)
        return HEAD_REJECT_TARGET;
    if (target.p[0] != '/' && !asterisk && !skip_authority(&target))
        return HEAD_REJECT_TARGET;
    h->target = part_of(h, target);
    return HEAD_REJECT_NONE;
}

static enum head_reject read_request_line(struct head *h, struct str line)
{
    struct str target, version;
    struct str method = str_split(line, ' ', &target);
    enum head_reject why;

    target = str_split(target, ' ', &version);
    if (!is_token(method) || version.p == NULL)
        return HEAD_REJECT_REQUEST_LINE;
    why = read_version(h, version);
    if (why == HEAD_REJECT_NONE)
        why = read_method(h, method);
    if (why == HEAD_REJECT_NONE)
        why = read_target(h, target);
    h->state = HEAD_FIELD_LINES;
    return why;
}

/* ---- fields that frame the message, or must not be ambiguous ---- */

static enum head_reject read_host(struct head *h, struct str value)
{
    h->hosts++;
    return h->hosts == 1 && authority_is_valid(value) ? HEAD_REJECT_NONE
                                                      : HEAD_REJECT_HOST;
}

static enum head_reject read_length(struct head *h, struct str value)
{
    int64_t n;

    if (h->has_length || value.n == 0 || !is_digit(value.p[0]) ||
        !str_to_i64(value, 0, INT64_MAX, &n))
        return HEAD_REJECT_LENGTH;
    h->has_length = true;
    h->length = (uint64_t)n;
    return HEAD_REJECT_NONE;
}

static enum head_reject read_coding(struct head *h, struct str value)
{
    if (h->codings++ > 0)
        return HEAD_REJECT_CODING_TWICE;
    h->chunked = str_eq_nocase(value, STR("chunked"));
    return h->chunked ? HEAD_REJECT_NONE : HEAD_REJECT_CODING;
}

static enum head_reject read_connection(struct head *h, struct str value)
{
    while (value.p) {
        struct str option = str_trim(str_split(value, ',', &value));

        if (str_eq_nocase(option, STR("close")))
            h->asked_close = true;
        else if (str_eq_nocase(option, STR("keep-alive")))
            h->asked_keep_alive = true;
    }
    return HEAD_REJECT_NONE;
}

static enum head_reject read_expect(struct head *h, struct str value)
{
    h->expect_continue = !h->http10 && str_eq_nocase(value, STR("100-continue"));
    return HEAD_REJECT_NONE;
}

/* Which of two would the handler believe? */
static enum head_reject read_type(struct head *h, struct str value)
{
    (void)value;
    return h->types++ == 0 ? HEAD_REJECT_NONE : HEAD_REJECT_TWICE;
}

static enum head_reject read_authorization(struct head *h, struct str value)
{
    (void)value;
    return h->authorizations++ == 0 ? HEAD_REJECT_NONE : HEAD_REJECT_TWICE;
}

static const struct {
    struct str name;
    enum head_reject (*read)(struct head *h, struct str value);
} meant_for_us[] = {
    {{"host", 4}, read_host},
    {{"content-length", 14}, read_length},
    {{"transfer-encoding", 17}, read_coding},
    {{"connection", 10}, read_connection},
    {{"expect", 6}, read_expect},
    {{"content-type", 12}, read_type},
    {{"authorization", 13}, read_authorization},
};

static enum head_reject read_if_meant(struct head *h, struct str name, struct str value)
{
    for (size_t i = 0; i < sizeof meant_for_us / sizeof *meant_for_us; i++)
        if (name.n == meant_for_us[i].name.n && str_eq_nocase(name, meant_for_us[i].name))
            return meant_for_us[i].read(h, value);
    return HEAD_REJECT_NONE;
}

static enum head_reject read_field_line(struct head *h, struct str line)
{
    struct str value;
    struct str name = str_split(line, ':', &value);

    if (line.p[0] == ' ' || line.p[0] == '\t')
        return HEAD_REJECT_FOLDED;
    if (!is_token(name) || value.p == NULL)
        return HEAD_REJECT_FIELD_NAME;
    if (h->n_fields == HEAD_FIELDS_MAX)
        return HEAD_REJECT_FIELDS;
    value = str_trim(value);
    h->fields[h->n_fields++] = (struct head_field){part_of(h, name), part_of(h, value)};
    return read_if_meant(h, name, value);
}

/* ---- the whole ---- */

static enum head_reject judge(const struct head *h)
{
    if (h->hosts == 0 && !h->http10)
        return HEAD_REJECT_HOST;
    if (h->chunked && h->http10)
        return HEAD_REJECT_CODING_HTTP10;
    if (h->chunked && h->has_length)
        return HEAD_REJECT_LENGTH_AND_CHUNKED;
    if ((h->chunked || h->length > 0) && !methods[h->method].body)
        return HEAD_REJECT_BODY;
    if (h->length > h->limits->body_bytes)
        return HEAD_REJECT_BODY_LENGTH;
    return HEAD_REJECT_NONE;
}

static enum head_reject end_line(struct head *h)
{
    struct str line = {buf_view(&h->lines).p + h->line_at, h->lines.n - h->line_at};

    h->line_at = h->lines.n;
    if (h->state == HEAD_REQUEST_LINE) {
        if (line.n > 0)
            return read_request_line(h, line);
        return ++h->blank_lines > HEAD_BLANK_LINES_MAX ? HEAD_REJECT_BLANK_LINES
                                                       : HEAD_REJECT_NONE;
    }
    if (line.n > 0)
        return read_field_line(h, line);
    h->state = HEAD_DONE;
    h->keep_alive = !h->asked_close && (!h->http10 || h->asked_keep_alive);
    return judge(h);
}

/* Text of a line, up to a line end or what must not be there. */
static size_t feed_text(struct head *h, struct str in, enum head_reject *why)
{
    size_t n = char_text_run(in);

    buf_put(&h->lines, in.p, n);
    if (h->cr)
        *why = HEAD_REJECT_LINE_END;
    return n;
}

static void feed_control(struct head *h, char c, enum head_reject *why)
{
    if (c == '\n' && h->cr) {
        h->cr = false;
        *why = end_line(h);
    } else if (c == '\r' && !h->cr) {
        h->cr = true;
    } else {
        *why = c == '\n' || c == '\r' ? HEAD_REJECT_LINE_END : HEAD_REJECT_CONTROL;
    }
}

static size_t feed_some(struct head *h, struct str in)
{
    enum head_reject why = HEAD_REJECT_NONE;
    bool in_request_line = h->state == HEAD_REQUEST_LINE;
    size_t n = feed_text(h, in, &why);

    if (n == 0) {
        feed_control(h, in.p[0], &why);
        n = 1;
    }
    h->bytes += n;
    if (why == HEAD_REJECT_NONE && h->bytes > h->limits->head_bytes)
        why = in_request_line ? HEAD_REJECT_TARGET_LENGTH : HEAD_REJECT_HEAD_LENGTH;
    if (why != HEAD_REJECT_NONE)
        reject(h, why);
    return n;
}

size_t head_feed(struct head *h, struct str in)
{
    size_t used = 0;

    if (!h->lines.p) /* all that most heads need; what came may hold a body too */
        buf_reserve(&h->lines, in.n < FIRST_BYTES ? in.n : FIRST_BYTES);
    while (used < in.n && h->state != HEAD_DONE && h->state != HEAD_REJECTED)
        used += feed_some(h, (struct str){in.p + used, in.n - used});
    return used;
}
