// SPDX-License-Identifier: Apache-2.0
/* See tuned.h. */
#include "tuned.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CLASS_BYTES = 64, CLASSES = 64, BACKLOG = 1024 };

/* ---- freelists: one per size class of 64 bytes, for one thread ---- */

union chunk {
    size_t class;
    union chunk *next;
    max_align_t align;
};

static union chunk *freelists[CLASSES];

static void *pool_malloc(size_t n)
{
    size_t class = (n + CLASS_BYTES - 1) / CLASS_BYTES;
    union chunk *c;

    if (class < CLASSES && freelists[class]) {
        c = freelists[class];
        freelists[class] = c->next;
    } else {
        c = malloc(sizeof *c + class * CLASS_BYTES);
        if (!c)
            return NULL;
    }
    c->class = class;
    return c + 1;
}

static void pool_free(void *p)
{
    union chunk *c = (union chunk *)p - 1;
    size_t class;

    if (!p)
        return;
    class = c->class;
    if (class >= CLASSES) {
        free(c);
        return;
    }
    c->next = freelists[class];
    freelists[class] = c;
}

static void *pool_realloc(void *p, size_t n)
{
    size_t had = p ? ((union chunk *)p - 1)->class * CLASS_BYTES : 0;
    void *q;

    if (p && n <= had)
        return p;
    q = pool_malloc(n);
    if (p && q) {
        memcpy(q, p, had);
        pool_free(p);
    }
    return q;
}

/* ---- the answer ---- */

static char date[64];

static void write_date(evutil_socket_t fd, short what, void *arg)
{
    time_t now = time(NULL);
    struct tm tm;

    (void)fd, (void)what, (void)arg;
    gmtime_r(&now, &tm);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

void tuned_answer(struct evhttp_request *r, const char *body, size_t n)
{
    struct evkeyvalq *out = evhttp_request_get_output_headers(r);
    char length[24];

    (void)snprintf(length, sizeof length, "%zu", n);
    evhttp_add_header(out, "Date", date);
    evhttp_add_header(out, "Content-Type", "application/json");
    evhttp_add_header(out, "Content-Length", length);
    evbuffer_add(evhttp_request_get_output_buffer(r), body, n);
    evhttp_send_reply(r, 200, "OK", NULL);
}

void tuned_memory(void)
{
    event_set_mem_functions(pool_malloc, pool_realloc, pool_free);
}

void tuned_listen(struct event_base *base, const char *port,
                  void (*on_request)(struct evhttp_request *r, void *arg), void *arg)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atol(port)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const struct timeval second = {1, 0};
    struct evhttp *http = evhttp_new(base);
    struct evconnlistener *listener = evconnlistener_new_bind(
        base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, BACKLOG,
        (struct sockaddr *)&at, sizeof at);

    if (!listener || !evhttp_bind_listener(http, listener)) {
        (void)fprintf(stderr, "cannot listen on port %s\n", port);
        exit(1);
    }
    evhttp_set_gencb(http, on_request, arg);
    write_date(-1, 0, NULL);
    event_add(event_new(base, -1, EV_PERSIST, write_date, NULL), &second);
}
