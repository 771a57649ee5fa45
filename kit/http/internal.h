// SPDX-License-Identifier: Apache-2.0
/*
 * How the parts of kit/http share their objects.
 *
 * server   listener, evhttp, the set of connections, the list of requests in flight
 * conn     what stands between the socket and evhttp: it takes the bytes away as they
 * come, runs the strict machines over them, and gives evhttp one whole, rewritten request
 *          at a time ("POST / HTTP/1.1" and Content-Length, nothing else)
 * preface  what a proxy says of a connection before its first byte
 * secure   what a connection over TLS does otherwise
 * admit    what a connection and a body take of the quota
 * drain    the end of a server
 * early    what is answered before evhttp hears of it: by the head alone, refusals, and
 *          requests without a body
 * exchange one request from its first byte to the last byte of its response
 * answer   a response as a whole: its text, and its way past evhttp
 */
#ifndef KIT_HTTP_INTERNAL_H
#define KIT_HTTP_INTERNAL_H

#include "kit/base/mem.h"
#include "kit/http/chunk.h"
#include "kit/http/head.h"
#include "kit/http/http.h"
#include "kit/obs/metrics.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>

enum {
    HTTP_HELD_MAX = 65536,     /* bytes kept behind a request that is being answered */
    HTTP_LINGER_MS = 1000,     /* after a refusal: time for the client to read it */
    HTTP_LINGER_MAX = 1 << 20, /* bytes of it thrown away meanwhile */
    HTTP_SKIP_MAX = 65536, /* bytes of an unwanted body for which a connection is kept */
    HTTP_SWEEP_MS = 100,   /* how often clients in flight are looked at */
    HTTP_ACCEPT_PAUSE_MS = 100,
    HTTP_LATE_MS = 100,        /* for bytes of a connection that was to be closed */
    HTTP_UNLISTEN_TRIES = 100, /* to take who has connected, before nobody can any more */
    HTTP_SHED_AT_ONCE = 64,    /* connections, when no descriptor is left */
    HTTP_SHED_LOG_MS = 1000,   /* how often that is logged */
    HTTP_DATE_LEN = 29,
    HTTP_LINES_MAX = 1 << 20,            /* bytes of a response's header fields */
    HTTP_RECORD_MAX = 16384,             /* bytes in a record of TLS */
    HTTP_PIECE_MAX = 2048,               /* bytes that are copied rather than moved */
    HTTP_SPARE_MAX = MEM_REUSE ? 32 : 0, /* exchanges kept for requests to come */
};

struct http_server {
    struct http_server *next; /* of those that listen in this thread */
    struct loop *loop;
    struct http_conf conf;
    struct head_limits limits;
    void (*handler)(void *arg, struct http_req *r);
    void *arg;

    struct evhttp *evhttp;
    struct evhttp_bound_socket *bound; /* NULL: not listening */
    struct evconnlistener *listener;   /* belongs to bound */
    int port;
    bool draining;
    struct loop_timer unlisten; /* while draining */
    int unlisten_tries;
    struct loop_timer accept_again;
    struct loop_task accept_next_turn;
    int spare_fd;           /* given up to close who cannot be served; -1: lost */
    int64_t shed_logged_us; /* monotonic */

    struct list conns;
    struct list arrivals;
    struct event *arrived;           /* see http_conn_accept() */
    bufferevent_data_cb evhttp_read; /* what evhttp listens with between requests */
    bufferevent_data_cb evhttp_write;
    bufferevent_event_cb evhttp_event;
    unsigned n_conns;
    struct http_conn *delivering; /* whose request evhttp is reading now */
    struct event *interest;       /* in its socket meanwhile */

    struct list in_flight; /* exchanges, oldest first */
    unsigned n_in_flight;
    struct loop_timer sweep;
    unsigned sweeps;   /* the number of the one that comes or is under way */
    struct list spare; /* exchanges of the past */
    unsigned n_spare;

    /* Header fields of a response: the date, then those of all responses, up to n_fixed;
     * then its own. */
    struct buf lines;
    size_t n_fixed;
    int64_t date_us; /* monotonic, when the date was written */
    struct metric *open, *in_flight_metric;
};

/* Up to CONN_IDLE without a request. */
enum conn_state {
    CONN_PREFACE, /* a PROXY header must come first */
    CONN_HANDSHAKE,
    CONN_IDLE,    /* between requests */
    CONN_HEAD,    /* some of a head has come */
    CONN_ASKED,   /* the head is good, the handler looks at it; what comes is held */
    CONN_BODY,    /* some of the body is missing */
    CONN_SKIP,    /* answered past evhttp; what is left of the body is skipped */
    CONN_BUSY,    /* the handler has the whole request; what comes is held */
    CONN_REFUSED, /* the last answer is on its way out; what comes is thrown away */
};

struct http_conn {
    struct list link;
    struct http_server *server;
    struct http_tls *tls; /* NULL: plain */
    bool torn;            /* the client must see that not all has come */
    struct bufferevent *bev;
    struct evhttp_connection *evcon;
    enum conn_state state;
    struct loop_timer timer; /* of the state */
    struct list arrival;     /* in the server's, until evhttp's object is known */
    struct loop_task task;   /* resume */

    struct http_exchange *exchange; /* from the first byte of a request; NULL when idle */
    struct chunk chunk;
    struct evbuffer *body; /* of the request that is coming in; NULL without */
    uint64_t body_left;
    struct head_limits limits; /* of that request */
    struct evbuffer *held;     /* NULL without */
    size_t thrown;
    bool taking; /* we change the input buffer ourselves */
    bool asking; /* the handler is being called about a head */

    struct http_preface *preface;  /* while it is in that state */
    char source[INET6_ADDRSTRLEN]; /* of its PROXY header; "": ask the socket */
    bool admitted, of_address;     /* has a slot of the quota; one of its address too */
    struct http_quota_key key;
};

enum exchange_state {
    EXCHANGE_COMING,   /* not yet given to the handler */
    EXCHANGE_ASKED,    /* the handler has its head, evhttp nothing */
    EXCHANGE_HANDLING, /* the handler's turn */
    EXCHANGE_REPLYING, /* a whole response is ready to leave */
    EXCHANGE_STREAMING,
    EXCHANGE_SENT, /* evhttp has the whole response */
    EXCHANGE_OVER, /* answered past evhttp, goes at the end of the turn */
};

struct http_exchange {
    struct http_req req;
    enum exchange_state state;
    struct http_conn *conn;        /* NULL: the connection is gone */
    struct evhttp_request *native; /* NULL: evhttp has not heard of it */
    struct list link;              /* in_flight */
    struct loop_task task;
    bool told_gone, no_body;
    unsigned looked_at; /* in this sweep */
    bool wanted;        /* the handler wants the body */
    int status;
    size_t charged; /* bytes of the quota */

    /* a whole answer, see http_answer_make() */
    struct str answer, lasting;
    bool last; /* of its connection; said in the answer */

    /* streams */
    struct str lines; /* header fields, see http_lend_fields() */
    struct evkeyval lent;
    struct evbuffer *out; /* written and not yet given to evhttp */
    bool started, ending, aborting, writing, pumping;
    void (*drained)(void *arg);
    void *drained_arg;

    struct head head; /* last: its array of fields is not cleared for each request */
};

/* conn.c */
/* For evhttp_set_bevcb. */
struct bufferevent *http_conn_accept(struct event_base *base, void *server);
/* For the event `arrived`. */
void http_conn_arrived(evutil_socket_t fd, short what, void *server);
/* Its server has begun to drain. */
void http_conn_drain(struct http_conn *c);
/* The response is on its way or will never be: the next request may come. */
void http_conn_resume(struct http_conn *c);
void http_conn_close(struct http_conn *c);
/* evhttp reads the request, within the call. */
void http_conn_deliver(struct http_conn *c);
/* While evhttp has a request that is being handled. */
void http_conn_keep_reading(struct http_conn *c);
/* After each call of evhttp that may have enabled reading, as all that write do; it may
 * have freed the connection, too, which is in memory until the turn ends. */
void http_conn_limit_held(struct http_conn *c);
/* What has come of a body is not wanted any more. */
void http_conn_drop_body(struct http_conn *c);
/* From now on the client has response_ms to read what is written; or again for ever. */
void http_conn_sending(struct http_conn *c, bool on);
/* The first byte of TLS or of a request may come. */
void http_conn_begin(struct http_conn *c);
/* The handshake is over. */
void http_conn_secured(struct http_conn *c);
/* evhttp frees its side by itself. */
void http_conn_forget(struct http_conn *c);

/* drain.c */
/* Some have come that are not read yet. */
bool http_conn_has_bytes(const struct http_conn *c);

/* admit.c */
/* Known by its address; false: over a cap. */
bool http_conn_admit(struct http_conn *c);
void http_conn_leave(struct http_conn *c);
/* The peer is a proxy of ours. */
bool http_conn_of_proxy(const struct http_conn *c);
/* It turned out to be of the address that `key` was set to; false: over its cap. */
bool http_conn_admit_source(struct http_conn *c);
/* n bytes of a body have come; false: more than all requests together may hold. */
bool http_exchange_charge(struct http_exchange *ex, size_t n);
void http_exchange_uncharge(struct http_exchange *ex);

/* preface.c */
void http_preface_begin(struct http_conn *c);
/* Takes one without. */
void http_preface_end(struct http_conn *c);

/* secure.c */
/* Its handshake begins with the descriptor. Never NULL. */
struct bufferevent *http_secure_new(struct event_base *base, struct http_conn *c);
/* What fits one record leaves at once; how many bytes did: all or none. Those that did
 * not must be the next that libevent writes, from the same place. */
size_t http_secure_send(struct http_conn *c, struct str bytes);
/* Nothing more is written: close_notify. Plain connections too. */
void http_secure_end(struct http_conn *c);
/* The connection is being freed. */
void http_secure_forget(struct http_conn *c);

/* refuse.c */
void http_conn_refuse(struct http_conn *c, enum head_reject why);

/* early.c */
/* The head is good: true when its body may be read now. */
bool http_conn_ask(struct http_conn *c);
/* http_reply() for a request that evhttp does not have; the server has its lines. */
void http_reply_early(struct http_exchange *ex, struct str body);
/* What it has answered, if that has not left yet. */
void http_early_leave(struct http_exchange *ex);
/* True when nothing is left to skip and to write, and the next request may come. */
bool http_conn_skipped(const struct http_conn *c);
MUST_CHECK const struct err *http_too_large(struct arena *a, size_t max_bytes);

/* exchange.c */
struct http_exchange *http_exchange_create(struct http_conn *c);
void http_exchange_destroy(struct http_exchange *ex);
void http_exchange_free_spares(struct http_server *s);
/* To the handler for the first time. */
void http_exchange_enter(struct http_exchange *ex);
/* It is whole: to the handler. */
void http_exchange_begin(struct http_exchange *ex);
/* evhttp has read it: to the handler, unless that streams its answer already. */
void http_exchange_read(struct http_exchange *ex, struct evhttp_request *native);
/* Its task runs when evhttp may be called. */
void http_exchange_schedule(struct http_exchange *ex);
/* The connection of ex is being freed. */
void http_exchange_orphan(struct http_exchange *ex);
/* Tells the handler, once, if it still has the request. */
void http_exchange_tell_gone(struct http_exchange *ex);
static inline struct http_exchange *http_exchange_of(struct http_req *r)
{
    return CONTAINER_OF(r, struct http_exchange, req);
}

/* answer.c */
/* The text of an answer whose fields the server's lines are, with what evhttp would have
 * said of the connection; a lasting body stays where it is. */
void http_answer_make(struct http_exchange *ex, bool last, struct str body);
/* To the socket; what that does not take waits in the bufferevent: false. */
bool http_answer_write(struct http_exchange *ex);
/* evhttp has the request: the answer leaves, ex and its connection may be gone then. */
void http_answer_send(struct http_exchange *ex);
/* Its last byte is in the bufferevent; the same. */
void http_answer_end(struct http_exchange *ex);

/* stream.c */
void http_stream_pump(struct http_exchange *ex);

/* reply.c */
void http_fix_lines(struct http_server *s);
/* The date, and the other fields behind it, in the server's lines. */
void http_put_lines(struct http_exchange *ex, const char *content_type,
                    const struct http_reply_header *headers, size_t n_headers);
/* Around the call in which evhttp prints them; only while it has a connection. */
void http_lend_fields(struct http_exchange *ex);
void http_take_fields_back(struct http_exchange *ex);

/* listen.c */
MUST_CHECK const struct err *http_server_listen(struct http_server *s, struct arena *a);
/* Nothing of accepting is left; also when http_server_listen() has failed. */
void http_server_unlisten(struct http_server *s);
/* Until the next turn. */
void http_server_pause_accepting(struct http_server *s);

/* server.c */
/* Once a second. */
void http_server_refresh_date(struct http_server *s);
void http_server_conn_opened(struct http_server *s, struct http_conn *c);
void http_server_conn_closed(struct http_server *s, struct http_conn *c);

#endif
