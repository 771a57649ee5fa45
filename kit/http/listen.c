// SPDX-License-Identifier: Apache-2.0
/* The listening socket: an address of one's own for each loop. When the process is out of
 * descriptors, who comes is closed at once by means of a spare one: clients know at once,
 * go elsewhere, and nothing spins on a backlog that cannot be taken. */
#include "kit/base/clock.h"
#include "kit/http/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

/* ---- accepting ---- */

static void keep_spare(struct http_server *s)
{
    if (s->spare_fd < 0)
        s->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void accept_on(struct http_server *s)
{
    if (s->bound && s->n_conns < s->conf.max_connections)
        evconnlistener_enable(s->listener);
}

static void accept_again(struct loop_timer *t)
{
    struct http_server *s = CONTAINER_OF(t, struct http_server, accept_again);

    keep_spare(s);
    accept_on(s);
}

static void accept_next_turn(struct loop_task *t)
{
    accept_on(CONTAINER_OF(t, struct http_server, accept_next_turn));
}

/* libevent would go on until nobody waits. */
void http_server_pause_accepting(struct http_server *s)
{
    if (!s->bound)
        return;
    evconnlistener_disable(s->listener);
    loop_soon(s->loop, &s->accept_next_turn);
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

static void count_shed(struct http_server *s, int64_t n)
{
    int64_t now_us = clock_mono_us();

    metric_add(metrics_counter("viaduct_http_connections_refused_total",
                               "Connections closed at once, over a cap", "reason",
                               "descriptors", NULL),
               n);
    if (s->shed_logged_us && now_us - s->shed_logged_us < HTTP_SHED_LOG_MS * 1000)
        return;
    s->shed_logged_us = now_us;
    LOG_WARN(NULL, "http.out_of_descriptors", KV("closed", n));
}

/* False when there is no spare one, because another thread got it. */
static bool shed(struct http_server *s)
{
    int n = 0, fd = 0;

    while (n < HTTP_SHED_AT_ONCE && s->spare_fd >= 0 && fd >= 0) {
        close(s->spare_fd);
        s->spare_fd = -1;
        fd = accept4(evconnlistener_get_fd(s->listener), NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            close(fd);
            n++;
        }
        keep_spare(s);
    }
    if (n > 0)
        count_shed(s, n);
    return s->spare_fd >= 0;
}

/* Whatever is not mended at once is tried again later: at once would spin. */
static void accept_failed(struct evconnlistener *l, void *arg)
{
    struct http_server *s = server_of(l);
    int why = errno;

    (void)arg;
    if (s && (why == EMFILE || why == ENFILE) && shed(s))
        return;
    LOG_WARN(NULL, "http.accept_failed", KV("errno", why));
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
    loop_task_cancel(&s->accept_next_turn);
    if (s->spare_fd >= 0)
        close(s->spare_fd);
    s->spare_fd = -1;
}

/* ---- the socket ---- */

/* What the kernel holds of an answer that its client has no room for yet; connections get
 * it from the listener. Without it that is up to 4 MiB each (net.ipv4.tcp_wmem): 2,000
 * clients that ask for something large and do not read used up the memory that the kernel
 * has for all of TCP, and copying it there held the loops for seconds. */
enum { UNSENT_BYTES = 128 << 10 };

static int open_socket(const struct sockaddr *sa, socklen_t len, bool reuseport)
{
    const int on = 1, off = 0, unsent = UNSENT_BYTES;
    int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
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
    int64_t port;

    if (n == 0 || n >= sizeof host || !str_to_i64(str_of(colon + 1), 0, 65535, &port))
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

bool http_address_is_valid(const char *listen)
{
    struct sockaddr_storage ss;
    socklen_t len;

    return parse_address(listen, &ss, &len);
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
    loop_task_init(&s->accept_next_turn, accept_next_turn);
    keep_spare(s);
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
