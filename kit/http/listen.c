// SPDX-License-Identifier: Apache-2.0
/* The listening socket: an address of one's own for each loop, and no spinning when the
 * process is out of descriptors. */
#include "kit/http/internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

/* ---- accepting ---- */

static void accept_again(struct loop_timer *t)
{
    struct http_server *s = CONTAINER_OF(t, struct http_server, accept_again);

    if (s->bound && s->n_conns < s->conf.max_connections)
        evconnlistener_enable(s->listener);
}

/* A listener's callbacks share one argument, and it is evhttp's. */
static _Thread_local struct http_server *listening;

static struct http_server *server_of(const struct evconnlistener *l)
{
    struct http_server *s = listening;

    while (s && s->listener != l)
        s = s->next;
    return s;
}

/* No descriptor or no memory: trying again at once would spin. */
static void accept_failed(struct evconnlistener *l, void *arg)
{
    struct http_server *s = server_of(l);

    (void)arg;
    LOG_WARN(NULL, "http.accept_failed", KV("errno", errno));
    evconnlistener_disable(l);
    if (s)
        loop_timer_set(&s->accept_again, HTTP_ACCEPT_PAUSE_MS);
}

void http_server_unlisten(struct http_server *s)
{
    struct http_server **at = &listening;

    while (*at && *at != s)
        at = &(*at)->next;
    if (*at)
        *at = s->next;
    loop_timer_clear(&s->accept_again);
}

/* ---- the socket ---- */

static int open_socket(const struct sockaddr *sa, socklen_t len, bool reuseport)
{
    const int on = 1, off = 0;
    int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (sa->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if ((reuseport && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0) ||
        bind(fd, sa, len) < 0 || listen(fd, BACKLOG) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* "127.0.0.1:8080", "[::]:8080", port 0 too. */
static bool parse_address(const char *text, struct sockaddr_storage *ss, socklen_t *len)
{
    const struct addrinfo numeric = {.ai_flags =
                                         AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                     .ai_socktype = SOCK_STREAM};
    const char *colon = strrchr(text, ':');
    struct addrinfo *found;
    char host[64] = "";
    size_t n = colon ? (size_t)(colon - text) : 0;

    if (n == 0 || n >= sizeof host)
        return false;
    if (text[0] == '[' && text[n - 1] == ']')
        memcpy(host, text + 1, n - 2);
    else
        memcpy(host, text, n);
    if (getaddrinfo(host, colon + 1, &numeric, &found) != 0)
        return false;
    memcpy(ss, found->ai_addr, found->ai_addrlen);
    *len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static int bound_port(int fd)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof ss;

    if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
        return -1;
    return ntohs(ss.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&ss)->sin6_port
                                          : ((struct sockaddr_in *)&ss)->sin_port);
}

const struct err *http_server_listen(struct http_server *s, struct arena *a)
{
    struct sockaddr_storage ss;
    socklen_t len;
    int fd;

    loop_timer_init(&s->accept_again, s->loop, accept_again);
    if (!parse_address(s->conf.listen, &ss, &len))
        return err_new(a, &ERR_CODE_BAD_REQUEST, "'%s' is not an address with a port",
                       s->conf.listen);
    fd = open_socket((struct sockaddr *)&ss, len, s->conf.reuseport);
    if (fd < 0)
        return err_new(a, &ERR_CODE_UNAVAILABLE, "cannot listen on %s: %s",
                       s->conf.listen, strerror(errno));
    s->port = bound_port(fd);
    s->listener =
        evconnlistener_new(loop_event_base(s->loop), NULL, NULL,
                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    s->bound = evhttp_bind_listener(s->evhttp, s->listener);
    evconnlistener_set_error_cb(s->listener, accept_failed);
    s->next = listening;
    listening = s;
    return NULL;
}
