// SPDX-License-Identifier: Apache-2.0
/*
 * The end of a server, at which no request may be lost. A client that keeps its
 * connection may be sending its next request in the moment in which an idle connection is
 * closed, and cannot know then whether it was carried out. So an idle one stays for a
 * while: who asks within it gets an answer, and with it `Connection: close`, after which
 * no client sends.
 */
#include "kit/http/internal.h"

#include <poll.h>
#include <sys/socket.h>

static bool is_readable(evutil_socket_t fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0 && (p.revents & POLLIN);
}

/* The kernel answers who connects before we know: closing the listener would reset those.
 */
static void close_listener(struct loop_timer *t)
{
    struct http_server *s = CONTAINER_OF(t, struct http_server, unlisten);
    bool accepting = s->n_conns < s->conf.max_connections;

    if (accepting && s->unlisten_tries++ < HTTP_UNLISTEN_TRIES &&
        is_readable(evconnlistener_get_fd(s->listener))) {
        loop_timer_set(t, 1);
        return;
    }
    evhttp_del_accept_socket(s->evhttp, s->bound);
    s->bound = NULL;
    s->listener = NULL;
}

void http_server_drain(struct http_server *s)
{
    if (s->draining)
        return;
    s->draining = true;
    LIST_EACH (it, &s->conns)
        http_conn_drain(CONTAINER_OF(it, struct http_conn, link));
    loop_timer_init(&s->unlisten, s->loop, close_listener);
    close_listener(&s->unlisten);
}

unsigned http_server_connections(const struct http_server *s)
{
    return s->n_conns;
}

bool http_conn_has_bytes(const struct http_conn *c)
{
    char first;

    return recv(bufferevent_getfd(c->bev), &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}
