// SPDX-License-Identifier: Apache-2.0
/*
 * The head of an HTTP/1.1 request, byte by byte, by RFC 9112 and RFC 9110. Anything that
 * two readers could understand differently is rejected, and a rejection is for ever: the
 * connection cannot be used again. Pure: bytes in, a described request out, no I/O.
 *
 * Life: head_init -> head_feed until state is HEAD_DONE or HEAD_REJECTED -> head_fini.
 * Memory is O(limits->head_bytes).
 */
#ifndef KIT_HTTP_HEAD_H
#define KIT_HTTP_HEAD_H

#include "kit/base/buf.h"
#include "kit/base/err.h"
#include "kit/http/http.h"

enum {
    HEAD_TARGET_MAX = 8192, /* bytes; RFC 9112 section 3 asks for 8000 at least */
    HEAD_FIELDS_MAX = 100,
    HEAD_BLANK_LINES_MAX = 2, /* before the request line, section 2.2 */
};

/*   symbol, error code, sentence for the client */
#define HEAD_REJECTS(R)                                                                  \
    R(NONE, BAD_REQUEST, "")                                                             \
    R(LINE_END, BAD_REQUEST, "Lines must end with CR LF")                                \
    R(CONTROL, BAD_REQUEST, "Control characters are not allowed in the head")            \
    R(BLANK_LINES, BAD_REQUEST, "Too many empty lines before the request line")          \
    R(REQUEST_LINE, BAD_REQUEST, "The request line must be METHOD SP TARGET SP VERSION") \
    R(TARGET, BAD_REQUEST, "The request target is malformed")                            \
    R(TARGET_LENGTH, TARGET_TOO_LONG, "The request target is over the limit")            \
    R(METHOD, METHOD_UNKNOWN, "Only the methods of this API are known")                  \
    R(VERSION, HTTP_VERSION, "Use HTTP/1.1")                                             \
    R(FOLDED, BAD_REQUEST, "Header fields must not be folded over several lines")        \
    R(FIELD_NAME, BAD_REQUEST, "A header field has a malformed name")                    \
    R(FIELDS, HEAD_TOO_LARGE, "Too many header fields")                                  \
    R(HEAD_LENGTH, HEAD_TOO_LARGE, "The head is over the limit")                         \
    R(TWICE, BAD_REQUEST, "Content-Type and Authorization must come once")               \
    R(HOST, BAD_REQUEST, "Exactly one well-formed Host field is needed")                 \
    R(LENGTH, BAD_REQUEST, "Content-Length must be one decimal number")                  \
    R(LENGTH_AND_CHUNKED, BAD_REQUEST,                                                   \
      "Content-Length and Transfer-Encoding exclude each other")                         \
    R(CODING, CODING_UNKNOWN, "The only transfer coding here is chunked")                \
    R(CODING_TWICE, BAD_REQUEST, "Transfer-Encoding must be there once")                 \
    R(CODING_HTTP10, BAD_REQUEST, "HTTP/1.0 has no Transfer-Encoding")                   \
    R(BODY, BAD_REQUEST, "This method takes no body")                                    \
    R(BODY_LENGTH, BODY_TOO_LARGE, "The body is over the limit")                         \
    R(CHUNK, BAD_REQUEST, "The chunked body is malformed")                               \
    R(BODY_BUDGET, SHED, "Too many bodies are under way; try again")                     \
    R(TIMEOUT, REQUEST_TIMEOUT, "Head and body must arrive sooner")

enum head_reject {
#define HEAD_REJECT_ENUM(symbol, code, detail) HEAD_REJECT_##symbol,
    HEAD_REJECTS(HEAD_REJECT_ENUM)
#undef HEAD_REJECT_ENUM
};

/* Never NULL; lives for ever. */
const struct err *head_reject_err(enum head_reject r);
/* "LENGTH_AND_CHUNKED": for logs and metrics. */
const char *head_reject_name(enum head_reject r);

struct head_limits {
    size_t head_bytes, body_bytes;
};

enum head_state { HEAD_REQUEST_LINE, HEAD_FIELD_LINES, HEAD_DONE, HEAD_REJECTED };

/* A part of `lines`: it may move while it grows. */
struct head_part {
    uint32_t at, n;
};
struct head_field {
    struct head_part name, value;
};

struct head {
    const struct head_limits *limits;
    enum head_state state;
    enum head_reject reject;

    enum http_method method; /* HTTP_METHOD_COUNT until it is known */
    struct head_part
        target; /* origin form or *, even if it came as a whole URI; "" is "/" */
    bool http10;
    bool keep_alive;      /* the connection may go on after this request */
    bool expect_continue; /* the client waits before it sends the body */
    bool chunked;
    bool has_length;
    uint64_t length; /* of the body, when not chunked */

    /* private */
    struct buf lines; /* without their CR LF */
    size_t line_at, bytes;
    unsigned blank_lines, hosts, codings, types, authorizations;
    bool cr, asked_close, asked_keep_alive;

    unsigned n_fields;
    struct head_field fields[HEAD_FIELDS_MAX];
};

void head_init(struct head *h, const struct head_limits *limits);
void head_fini(struct head *h);
/* For another request, with the memory that it has. */
void head_restart(struct head *h);
/* What it has is no more than most heads need. */
bool head_is_small(const struct head *h);

/* Takes bytes until the head is over: what it returns is how many; the rest is body. */
size_t head_feed(struct head *h, struct str in);

struct str head_str(const struct head *h, struct head_part part);
/* Nothing of a request has come yet, but for blank lines. */
bool head_is_fresh(const struct head *h);

#endif
