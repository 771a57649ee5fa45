// SPDX-License-Identifier: Apache-2.0
/* One thread, one epoll. */
#include "tests/support/load/load.h"

#include "kit/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MAX = 256 * 1024, EVENTS = 64, WAIT_MS = 20 };

struct connection {
    struct load *load;
    unsigned index;
    int fd; /* -1: none */
    bool busy, over;
    int64_t sent_us;
    char out[LOAD_REQUEST_MAX];
    size_t out_n;
    char *in; /* ANSWER_MAX and a NUL */
    size_t in_n;
};

struct load {
    struct load_conf conf;
    pthread_t thread;
    int epoll;
    atomic_bool stopping;
    atomic_ulong answers;
    unsigned busy;
    struct connection connections[];
};

static void give_up(const char *what)
{
    perror(what);
    abort();
}

size_t load_write(char *out, size_t room, const char *method, const char *path,
                  const char *token, const char *extra, const char *json)
{
    int n = snprintf(
        out, room,
        "%s %s HTTP/1.1\r\nHost: test\r\n%s%s%s%s%sContent-Length: %zu\r\n\r\n%s", method,
        path, token ? "Authorization: Bearer " : "", token ? token : "",
        token ? "\r\n" : "", extra ? extra : "",
        json ? "Content-Type: application/json\r\n" : "", json ? strlen(json) : 0,
        json ? json : "");

    if (n < 0 || (size_t)n >= room)
        give_up("a request is too long");
    return (size_t)n;
}

/* ---- one connection ------------------------------------------------------------- */

static void begin(struct connection *c);

static void hang_up(struct connection *c)
{
    close(c->fd);
    c->fd = -1;
}

static void answered(struct connection *c, int status, const char *body)
{
    struct load *l = c->load;
    const struct load_answer a = {status, body, clock_mono_us() - c->sent_us};

    c->busy = false;
    l->busy--;
    l->conf.answered(l->conf.arg, c->index, &a);
    atomic_fetch_add(&l->answers, 1);
}

static void broken(struct connection *c)
{
    hang_up(c);
    if (c->busy)
        answered(c, 0, "");
    begin(c);
}

static bool hook_up(struct connection *c)
{
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)c->load->conf.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    int yes = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        give_up("socket");
    c->in_n = 0;
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(c->fd, (const struct sockaddr *)&a, sizeof a) != 0) {
        hang_up(c);
        return false;
    }
    if (epoll_ctl(c->load->epoll, EPOLL_CTL_ADD, c->fd, &e) != 0)
        give_up("epoll_ctl");
    return true;
}

/* Requests are small: a socket that does not take one at once is broken. */
static void begin(struct connection *c)
{
    struct load *l = c->load;

    if (c->over || atomic_load(&l->stopping))
        return;
    c->out_n = l->conf.next(l->conf.arg, c->index, c->out, sizeof c->out);
    c->over = c->out_n == 0;
    if (c->over)
        return;
    c->busy = true;
    l->busy++;
    c->sent_us = clock_mono_us();
    if (c->fd < 0 && !hook_up(c)) {
        answered(c, 0, "");
        return; /* and again when the loop comes by */
    }
    if (send(c->fd, c->out, c->out_n, MSG_NOSIGNAL) != (ssize_t)c->out_n) {
        hang_up(c);
        answered(c, 0, "");
    }
}

static size_t body_length(const char *head)
{
    static const char name[] = "\r\ncontent-length:";
    const char *p = strcasestr(head, name);

    return p ? (size_t)strtoul(p + sizeof name - 1, NULL, 10) : 0;
}

/* True when an answer was whole. */
static bool take_answer(struct connection *c)
{
    char *end, *body;
    size_t n;
    int status;
    bool closes;

    c->in[c->in_n] = 0;
    end = strstr(c->in, "\r\n\r\n");
    if (!end)
        return false;
    *end = 0;
    n = body_length(c->in);
    closes = strcasestr(c->in, "\r\nconnection: close") != NULL;
    body = end + 4;
    if ((size_t)(c->in + c->in_n - body) < n) {
        *end = '\r';
        return false;
    }
    status = (int)strtol(c->in + strlen("HTTP/1.1 "), NULL, 10);
    body[n] = 0;
    c->in_n = 0;
    answered(c, status, body);
    if (closes)
        hang_up(c);
    return true;
}

static void on_ready(struct connection *c)
{
    ssize_t n = recv(c->fd, c->in + c->in_n, ANSWER_MAX - c->in_n, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        broken(c);
        return;
    }
    c->in_n += (size_t)n;
    if (c->in_n >= ANSWER_MAX)
        give_up("an answer is too long");
    if (c->busy && take_answer(c))
        begin(c);
}

/* ---- all of them ---------------------------------------------------------------- */

/* Those that could not be made, and those that were closed after their answer. */
static void begin_idle(struct load *l)
{
    for (unsigned i = 0; i < l->conf.connections; i++)
        if (!l->connections[i].busy)
            begin(&l->connections[i]);
}

static void *run(void *arg)
{
    struct load *l = arg;
    struct epoll_event events[EVENTS];

    while (!atomic_load(&l->stopping) || l->busy > 0) {
        int n;

        begin_idle(l);
        n = epoll_wait(l->epoll, events, EVENTS, WAIT_MS);
        for (int i = 0; i < n; i++)
            if (((struct connection *)events[i].data.ptr)->fd >= 0)
                on_ready(events[i].data.ptr);
    }
    return NULL;
}

struct load *load_start(const struct load_conf *conf)
{
    struct load *l = calloc(1, sizeof *l + conf->connections * sizeof(struct connection));

    if (!l)
        give_up("calloc");
    l->conf = *conf;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < conf->connections; i++) {
        struct connection *c = &l->connections[i];

        c->load = l;
        c->index = i;
        c->fd = -1;
        c->in = malloc(ANSWER_MAX + 1);
        if (!c->in)
            give_up("malloc");
    }
    if (pthread_create(&l->thread, NULL, run, l) != 0)
        give_up("pthread_create");
    return l;
}

unsigned long load_answers(const struct load *l)
{
    return atomic_load(&l->answers);
}

void load_go_on(const struct load *l, unsigned long answers)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    unsigned long at = load_answers(l) + answers;

    for (int i = 0; load_answers(l) < at; i++) {
        if (i == 12000)
            give_up("no answers any more");
        (void)nanosleep(&pause, NULL);
    }
}

void load_stop(struct load *l)
{
    atomic_store(&l->stopping, true);
    pthread_join(l->thread, NULL);
    for (unsigned i = 0; i < l->conf.connections; i++) {
        if (l->connections[i].fd >= 0)
            close(l->connections[i].fd);
        free(l->connections[i].in);
    }
    close(l->epoll);
    free(l);
}
