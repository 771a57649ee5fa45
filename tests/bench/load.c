// SPDX-License-Identifier: Apache-2.0
/*
 * bench-load PORT CLIENTS SECONDS PAUSE_MS HEADERS REQUEST...: what asks in the
 * benchmarks.
 *
 * Keeps a request under way on each of CLIENTS connections to 127.0.0.1:PORT, for
 * SECONDS; before each a client waits PAUSE_MS on average, memoryless. A REQUEST is
 * "METHOD PATH [JSON]"; they are made in turn. HEADERS are whole lines, each ended by
 * \r\n, or empty. It costs the core it runs on little beside what it measures: two system
 * calls a request, as the answer is awaited on a descriptor that epoll is told of once.
 *
 * Prints {"requests", "us", "bad", "p50", "p99"}: answers, how long that took, those that
 * were 4xx, 5xx or none (the connection ended), and percentiles of all latencies in us,
 * from before a request was written until its answer was read whole. Answers have a
 * Content-Length, or no body. With VIADUCT_BENCH_TLS set it speaks TLS and trusts
 * anybody.
 */
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/param.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 4096, HEAD_MAX = 16384, EVENTS = 256 };

struct text {
    char *at;
    size_t n;
};

/* Pauses (due_us), then asks (asked_us): one of them is 0. */
struct client {
    int fd;
    SSL *tls;
    uint64_t due_us, asked_us;
    size_t head_n,
        body_left; /* of the answer; body_left counts once the head was whole */
    bool in_body, bad;
    char head[HEAD_MAX];
};

static struct {
    struct sockaddr_in to;
    SSL_CTX *tls;
    double pause_ms;
    struct text *requests;
    size_t n_requests, next;
    struct client *clients;
    size_t n_clients;
    int epoll;
} load;

static struct {
    uint32_t *latency_us;
    size_t n, cap, bad;
} seen;

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void count(uint64_t us, bool bad)
{
    if (seen.n == seen.cap) {
        seen.cap = MAX(seen.cap * 2, 1 << 20);
        seen.latency_us = realloc(seen.latency_us, seen.cap * sizeof *seen.latency_us);
        if (!seen.latency_us)
            err(1, "latencies");
    }
    seen.latency_us[seen.n++] = (uint32_t)us;
    seen.bad += bad;
}

/* ---- a client ---- */

static void connect_now(struct client *c)
{
    struct epoll_event e = {.events = EPOLLIN, .data = {.ptr = c}};

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&load.to, sizeof load.to) < 0)
        err(1, "connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (load.tls) {
        c->tls = SSL_new(load.tls);
        if (!c->tls || SSL_set_fd(c->tls, c->fd) != 1 || SSL_connect(c->tls) != 1)
            errx(1, "the handshake failed");
    }
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    epoll_ctl(load.epoll, EPOLL_CTL_ADD, c->fd, &e);
}

static void ask(struct client *c, uint64_t now)
{
    const struct text *r = &load.requests[load.next++ % load.n_requests];
    ssize_t n = c->tls ? SSL_write(c->tls, r->at, (int)r->n) : write(c->fd, r->at, r->n);

    c->asked_us = now;
    c->due_us = 0;
    c->head_n = c->body_left = 0;
    c->in_body = c->bad = false;
    if (n != (ssize_t)r->n && !(n < 0 && (errno == EPIPE || errno == ECONNRESET)))
        errx(1, "a request was not taken at once");
}

static void rest(struct client *c, uint64_t now)
{
    c->asked_us = 0;
    if (load.pause_ms > 0)
        c->due_us = now + (uint64_t)(-log(1 - drand48()) * load.pause_ms * 1000);
    else
        ask(c, now);
}

static void answered(struct client *c)
{
    uint64_t now = now_us();

    count(now - c->asked_us, c->bad);
    rest(c, now);
}

/* The peer has ended the connection, as is its right between two answers. */
static void again(struct client *c)
{
    bool asked = c->asked_us;

    SSL_free(c->tls);
    c->tls = NULL;
    close(c->fd);
    connect_now(c);
    if (asked) {
        c->bad = true;
        answered(c);
    }
}

/* ---- an answer ---- */

static void read_head(struct client *c, const char *end)
{
    const char *length;
    long status;

    *(char *)(uintptr_t)(end - 2) = '\0';
    length = strcasestr(c->head, "\r\nContent-Length:");
    status = strtol(c->head + strlen("HTTP/1.1 "), NULL, 10);
    if (!length && status != 204 && status != 304)
        errx(1, "an answer without Content-Length: %.200s", c->head);
    c->bad = status >= 400;
    c->body_left = length ? strtoul(length + strlen("\r\nContent-Length:"), NULL, 10) : 0;
    c->in_body = true;
}

static void body_came(struct client *c, size_t n)
{
    if (n > c->body_left)
        errx(1, "an answer that is longer than it says");
    c->body_left -= n;
    if (!c->body_left)
        answered(c);
}

static void head_came(struct client *c, size_t n)
{
    const char *end;

    c->head_n += n;
    end = memmem(c->head, c->head_n, "\r\n\r\n", 4);
    if (end) {
        end += 4;
        read_head(c, end);
        body_came(c, c->head_n - (size_t)(end - c->head));
    } else if (c->head_n == HEAD_MAX) {
        errx(1, "an answer's head is longer than %d bytes", HEAD_MAX);
    }
}

/* Bytes of a body are not kept. More is there than was read: epoll tells again, TLS is
 * asked. */
static void on_readable(struct client *c)
{
    static char body[65536];
    ssize_t n;

    do {
        bool in_body = c->in_body && c->asked_us;
        char *to = in_body ? body : c->head + c->head_n;
        size_t room = in_body ? sizeof body : HEAD_MAX - c->head_n;

        n = c->tls ? SSL_read(c->tls, to, (int)room) : read(c->fd, to, room);
        if (n > 0 && !c->asked_us)
            errx(1, "an answer that nobody asked for");
        if (n > 0)
            (in_body ? body_came : head_came)(c, (size_t)n);
        else if (c->tls ? SSL_get_error(c->tls, (int)n) != SSL_ERROR_WANT_READ
                        : n == 0 || errno != EAGAIN)
            again(c);
    } while (c->tls && n > 0);
}

/* ---- the run ---- */

/* Those whose pause has ended ask; gives how long until the next does. */
static uint64_t wake(uint64_t now)
{
    uint64_t wait = 1000000;

    for (size_t i = 0; load.pause_ms > 0 && i < load.n_clients; i++) {
        struct client *c = &load.clients[i];

        if (c->due_us && c->due_us <= now)
            ask(c, now);
        else if (c->due_us)
            wait = MIN(wait, c->due_us - now);
    }
    return wait;
}

static void run(uint64_t began, uint64_t end)
{
    struct epoll_event events[EVENTS];

    for (size_t i = 0; i < load.n_clients; i++)
        rest(&load.clients[i], began);
    for (uint64_t now = began; now < end; now = now_us()) {
        uint64_t wait = MIN(wake(now), end - now);
        struct timespec t = {(time_t)(wait / 1000000), (long)(wait % 1000000) * 1000};
        int n = epoll_pwait2(load.epoll, events, EVENTS, &t, NULL);

        for (int i = 0; i < n; i++)
            on_readable(events[i].data.ptr);
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static uint32_t percentile(size_t p)
{
    return seen.n ? seen.latency_us[MIN(seen.n * p / 100, seen.n - 1)] : 0;
}

static struct text format(const char *line, const char *headers)
{
    char method[16], path[4096];
    int used = 0;
    struct text t;
    int n;

    if (sscanf(line, "%15s %4095s %n", method, path, &used) < 2)
        errx(2, "not a request: %s", line);
    n = line[used]
            ? asprintf(
                  &t.at,
                  "%s %s HTTP/1.1\r\nHost: bench\r\n%sContent-Type: application/json\r\n"
                  "Content-Length: %zu\r\n\r\n%s",
                  method, path, headers, strlen(line + used), line + used)
            : asprintf(&t.at, "%s %s HTTP/1.1\r\nHost: bench\r\n%s\r\n", method, path,
                       headers);
    if (n < 0)
        err(1, "a request");
    t.n = (size_t)n;
    return t;
}

int main(int argc, char **argv)
{
    uint64_t began, took;

    if (argc < 7)
        errx(2, "usage: bench-load PORT CLIENTS SECONDS PAUSE_MS HEADERS REQUEST...");
    load.to =
        (struct sockaddr_in){.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    load.n_clients = MIN(strtoul(argv[2], NULL, 10), CLIENTS_MAX);
    load.pause_ms = strtod(argv[4], NULL);
    load.n_requests = (size_t)argc - 6;
    load.requests = calloc(load.n_requests, sizeof *load.requests);
    load.clients = calloc(load.n_clients, sizeof *load.clients);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!load.requests || !load.clients || load.epoll < 0)
        err(1, "start");
    if (getenv("VIADUCT_BENCH_TLS"))
        load.tls = SSL_CTX_new(TLS_client_method());
    for (size_t i = 0; i < load.n_requests; i++)
        load.requests[i] = format(argv[6 + i], argv[5]);
    for (size_t i = 0; i < load.n_clients; i++)
        connect_now(&load.clients[i]);
    began = now_us();
    run(began, began + (uint64_t)(strtod(argv[3], NULL) * 1e6));
    took = now_us() - began;
    for (size_t i = 0; i < load.n_clients; i++)
        if (load.clients[i].asked_us && now_us() - load.clients[i].asked_us > 2000000)
            count(now_us() - load.clients[i].asked_us, true);
    qsort(seen.latency_us, seen.n, sizeof *seen.latency_us, by_size);
    printf("{\"requests\": %zu, \"us\": %llu, \"bad\": %zu, \"p50\": %u, \"p99\": %u}\n",
           seen.n, (unsigned long long)took, seen.bad, percentile(50), percentile(99));
    return 0;
}
