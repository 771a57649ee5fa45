// SPDX-License-Identifier: Apache-2.0
/*
 * The HTTP edge on evhttp: one server per loop, several servers on one address by
 * SO_REUSEPORT. evhttp accepts, reads requests that have a body, and streams. A request
 * is our own object that evhttp's, if there is one, dies before or after. What evhttp
 * would let through and must not (see the filter) is refused with 400 problem+json before
 * it. Everything on the loop.
 *
 * Life: handler(req) once per request, body complete; then exactly one http_reply() or
 * one http_stream_start() ... http_stream_end(). The req is gone after that. A client
 * that goes away is told by req->gone; the reply must come all the same. One that closes
 * only its sending side counts as gone: there is no other sign that comes in time. With
 * http_conf.head a request with a body is shown before that body is read, and a reply
 * may come then.
 */
#ifndef KIT_HTTP_HTTP_H
#define KIT_HTTP_HTTP_H

#include "kit/base/buf.h"
#include "kit/flow/flow.h"
#include "kit/http/quota.h"
#include "kit/http/tls.h"

struct http_server;
struct http_req;

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_METHOD_COUNT
};
/* "-" for HTTP_METHOD_COUNT, the method of a request that was refused before it. */
const char *http_method_name(enum http_method m);

struct http_reply_header {
    const char *name;
    struct str value; /* without CR, LF, NUL: such a value is dropped and logged */
};

struct http_conf {
    const char *listen;       /* "0.0.0.0:8080", "[::]:8080" */
    unsigned max_connections; /* of this server; further ones wait in the backlog */
    size_t max_head_bytes;
    size_t max_body_bytes; /* of any request; http_take_body() may ask for less */
    int64_t idle_ms;       /* keep-alive */
    int64_t drain_idle_ms; /* the same, and for a head, while draining; 0: idle_ms */
    int64_t request_ms;    /* head and body must be in by then */
    int64_t handshake_ms;  /* TLS; 0: request_ms */
    int64_t response_ms;   /* a reply, or a write of a stream, must have left by then; 0:
                              request_ms */
    bool reuseport;
    struct http_tls *tls;      /* NULL: plain; the server takes a reference of its own */
    int64_t hsts_s;            /* Strict-Transport-Security over TLS; 0: none */
    const char *server_header; /* NULL: none */
    const struct http_reply_header *common; /* in every reply of a handler; read once */
    size_t n_common;
    struct http_quota *quota; /* of all servers of the process, outlives them; NULL: none.
                                 A connection over it is closed at once; a body is
                                 refused with 503 */
    /* An address without a cap of its own; `arg` is the handler's. NULL: none. */
    bool (*trusted_peer)(void *arg, struct str ip);
    /* Such an address begins each connection, before TLS, with a PROXY header of version
     * 2 (kit/http/proxy_header.h): what it says is the client then. It must be there
     * within handshake_ms; without it, or with a bad one, the connection is closed. */
    bool proxy_header;
    struct str lasting[2]; /* outlive the server: bodies in one are not copied */

    /* Both with the handler's `arg`; NULL: every body is taken, refusals are plain.
     *
     * head: the head of a request with a body has come, and nothing of the body is read.
     * Now or later http_take_body(), and the handler is called with the same request when
     * the body is there; or http_reply(), and it is never called. What the client sends
     * meanwhile is held, and only a little of it.
     *
     * refused: the request cannot be had, because its head is malformed or its body is,
     * or is too large, or late. http_reply() before this returns. `head` may have been
     * called for it (then user is what that has set) or not (then user is NULL, and of
     * the request only the fields read so far and client_ip are known). */
    void (*head)(void *arg, struct http_req *r);
    void (*refused)(void *arg, struct http_req *r, const struct err *e);
};

struct http_req {
    struct http_server *server;
    struct arena arena; /* dies with the request */
    enum http_method method;
    struct str path;   /* percent-decoded once, no dot segments, always starts with '/' */
    struct str query;  /* raw, without '?'; absent when there is none */
    struct str target; /* as sent; never for logs */
    struct str body;
    struct str client_ip; /* text form of the peer, or what its PROXY header says */
    bool tls;
    int64_t start_us; /* monotonic, when the head was complete */
    void (*gone)(
        struct http_req *r); /* set by the handler; the client went away; may be NULL */
    void *user;              /* the handler's */
};

/* First header of that name (any case), absent when there is none; trimmed. */
struct str http_header(const struct http_req *r, const char *name);
/* The lines of a field that may come in several, in the order they came. */
unsigned http_header_count(const struct http_req *r, const char *name);
struct str http_header_at(const struct http_req *r, const char *name, unsigned index);
/* All lines of a field that is a list, as one line (RFC 9110 section 5.3); absent when
 * there is none. Lives as long as the request. */
struct str http_header_list(struct http_req *r, const char *name);
/* application/x-www-form-urlencoded pairs of the query, decoded; count, or -1 when
 * malformed (bad percent escape, NUL, invalid UTF-8, more than max). */
struct http_pair {
    struct str name, value;
};
int http_query_pairs(struct http_req *r, struct http_pair *out, int max);

/* Ends the request. Body and headers are copied at once (but see http_conf.lasting).
 * HEAD, 204 and 304 send no body whatever is given, HEAD with the Content-Length of the
 * body. content_type NULL: none. */
void http_reply(struct http_req *r, int status, const char *content_type,
                const struct http_reply_header *headers, size_t n_headers,
                struct str body);

/* For http_conf.head: lets the body be read, up to max_bytes of it; a client that waits
 * for `100 Continue` gets it. The error, when the head announces more, names the limit; a
 * body that turns out to be longer is told to http_conf.refused. */
MUST_CHECK const struct err *http_take_body(struct http_req *r, size_t max_bytes);
/* What the head announces; -1: chunked, so it shows at the end. */
int64_t http_body_length(const struct http_req *r);

/* A body of unknown length, chunked, with back-pressure: `drained` is called in the loop
 * when what was written has left the process, or the client is gone (r->gone is called
 * before). */
void http_stream_start(struct http_req *r, int status, const char *content_type,
                       const struct http_reply_header *headers, size_t n_headers);
void http_stream_write(struct http_req *r, struct str bytes, void (*drained)(void *arg),
                       void *arg);
/* From `drained` of the last write, or before any write. */
void http_stream_end(struct http_req *r);
/* In place of the end, at any time: the connection is cut, so that the client sees that
 * the body is not whole. `drained` is not called any more. */
void http_stream_abort(struct http_req *r);

MUST_CHECK const struct err *http_server_create(
    struct arena *a, struct loop *l, const struct http_conf *conf,
    void (*handler)(void *arg, struct http_req *r), void *arg, struct http_server **out);
/* For connections to come. */
void http_server_set_tls(struct http_server *s, struct http_tls *tls);
/* The bound port (conf port 0: any). */
int http_server_port(const struct http_server *s);
unsigned http_server_in_flight(const struct http_server *s);
/* No new connections, but for those that the kernel has taken already. Replies carry
 * `Connection: close` from now on; a connection without a request is closed when it has
 * been so for drain_idle_ms. All is done when there are no connections. */
void http_server_drain(struct http_server *s);
unsigned http_server_connections(const struct http_server *s);
/* What is still in flight is told by req->gone (and must reply at once) and closed. */
void http_server_destroy(struct http_server *s);

/* What http_conf.listen may be: for settings. */
bool http_address_is_valid(const char *listen);

/* "Not Found"; "Status" for one that is not used here. */
const char *http_reason(int status);

/* RFC 9457 body for an error: type, title, status, detail, instance, code, request_id,
 * errors. */
void http_problem(struct buf *b, const struct err *e, struct str instance,
                  struct str request_id);

#endif
