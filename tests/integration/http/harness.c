// SPDX-License-Identifier: Apache-2.0
/* See harness.h. */
#include "harness.h"
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "tls.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 30000 };

static struct loop *loop;
static pthread_t thread;
static sem_t ready;

/* ---- handlers ---- */

static void echo(struct http_req *r)
{
    struct str body =
        arena_printf(&r->arena, "%s %.*s %.*s %.*s", http_method_name(r->method),
                     STR_FMT(r->path), STR_FMT(r->query), STR_FMT(r->body));
    struct http_reply_header headers[] = {{"X-Seen", http_header(r, "x-send")},
                                          {"X-Client", r->client_ip}};

    http_reply(r, 200, "text/plain", headers, 2, body);
}

static void compute(const struct harness *h)
{
    int64_t until_us = clock_mono_us() + atomic_load(&h->busy_us);

    while (clock_mono_us() < until_us)
        ;
}

static void waiter_gone(struct http_req *r)
{
    struct harness *h = r->user;

    compute(h);
    atomic_fetch_add(&h->gone, 1);
    http_reply(r, 503, NULL, NULL, 0, STR(""));
}

static void count_gone(struct http_req *r)
{
    struct harness *h = r->user;

    atomic_fetch_add(&h->gone, 1);
}

struct later {
    struct loop_timer timer;
    struct http_req *r;
};

static void later_fired(struct loop_timer *t)
{
    struct later *l = CONTAINER_OF(t, struct later, timer);

    echo(l->r);
}

static void later(struct http_req *r, int64_t ms)
{
    struct later *l = ARENA_NEW(&r->arena, struct later);

    l->r = r;
    loop_timer_init(&l->timer, loop, later_fired);
    loop_timer_set(&l->timer, ms);
}

struct stream {
    struct http_req *r;
    struct harness *h;
    int left; /* -1: for ever */
    bool gone;
    char chunk[STREAM_CHUNK_BYTES];
};

static void stream_more(void *arg)
{
    struct stream *s = arg;

    if (s->left == 0 || s->gone) {
        http_stream_end(s->r);
        return;
    }
    if (s->left > 0)
        s->left--;
    else
        atomic_fetch_add(&s->h->streamed, STREAM_CHUNK_BYTES);
    http_stream_write(s->r, (struct str){s->chunk, sizeof s->chunk}, stream_more, s);
}

static void stream_gone(struct http_req *r)
{
    struct stream *s = r->user;

    atomic_fetch_add(&s->h->gone, 1);
    s->gone = true;
}

static void stream(struct harness *h, struct http_req *r, int chunks)
{
    struct stream *s = ARENA_NEW(&r->arena, struct stream);

    s->r = r;
    s->h = h;
    s->left = chunks;
    memset(s->chunk, 'x', sizeof s->chunk);
    r->user = s;
    r->gone = stream_gone;
    http_stream_start(r, 200, "text/plain", NULL, 0);
    stream_more(s);
}

static void end_later(struct loop_timer *t)
{
    struct later *l = CONTAINER_OF(t, struct later, timer);

    http_stream_end(l->r);
}

/* A stream of nothing, which ends after its head has left. */
static void empty(struct http_req *r)
{
    struct later *l = ARENA_NEW(&r->arena, struct later);

    l->r = r;
    loop_timer_init(&l->timer, loop, end_later);
    loop_timer_set(&l->timer, 1);
    http_stream_start(r, 200, "text/plain", NULL, 0);
}

static void cut_now(void *arg)
{
    http_stream_abort(arg);
}

/* One chunk, then the end of the connection instead of the end of the body. */
static void cut(struct http_req *r)
{
    http_stream_start(r, 200, "text/plain", NULL, 0);
    http_stream_write(r, STR("not all of it"), cut_now, r);
}

static char large[LARGE_BYTES], record[RECORD_BYTES];

static void reply_large(struct http_req *r, bool copied)
{
    struct str body = {large, sizeof large};

    http_reply(r, 200, "text/plain", NULL, 0, copied ? arena_str(&r->arena, body) : body);
}

static void handle(void *arg, struct http_req *r)
{
    struct harness *h = arg;

    compute(h);
    r->gone = NULL; /* that of its head */
    r->user = NULL;
    atomic_fetch_add(&h->requests, 1);
    if (str_eq(r->path, STR("/wait"))) {
        r->user = h;
        r->gone = waiter_gone;
    } else if (str_eq(r->path, STR("/later"))) {
        later(r, 50);
    } else if (str_eq(r->path, STR("/soon"))) {
        later(r, 1);
    } else if (str_eq(r->path, STR("/few"))) {
        stream(h, r, 3);
    } else if (str_eq(r->path, STR("/empty"))) {
        empty(r);
    } else if (str_eq(r->path, STR("/deaf"))) {
        r->user = h;
        r->gone = count_gone;
        later(r, 1000);
    } else if (str_eq(r->path, STR("/stream"))) {
        stream(h, r, STREAM_CHUNKS);
    } else if (str_eq(r->path, STR("/forever"))) {
        stream(h, r, -1);
    } else if (str_eq(r->path, STR("/record"))) {
        http_reply(r, 200, "text/plain", NULL, 0, (struct str){record, sizeof record});
    } else if (str_eq(r->path, STR("/large")) || str_eq(r->path, STR("/lasting"))) {
        reply_large(r, str_eq(r->path, STR("/large")));
    } else if (str_eq(r->path, STR("/cut"))) {
        cut(r);
    } else if (str_eq(r->path, STR("/nothing"))) {
        http_reply(r, 204, "text/plain", NULL, 0, STR("not sent"));
    } else if (str_eq(r->path, STR("/evil"))) {
        struct http_reply_header headers[] = {{"X-Evil", STR("a\r\nSet-Cookie: b")}};

        http_reply(r, 200, "text/plain", headers, 1, STR("ok"));
    } else {
        echo(r);
    }
}

/* ---- a handler that thinks about heads ---- */

#ifdef HARNESS_ASKED
static void take_now(struct loop_timer *t)
{
    struct later *l = CONTAINER_OF(t, struct later, timer);

    if (http_take_body(l->r, SIZE_MAX))
        mem_die("harness: a body is too large");
}

static void take_gone(struct http_req *r)
{
    loop_timer_clear(r->user);
    http_reply(r, 503, NULL, NULL, 0, STR(""));
}

static void take_later(void *arg, struct http_req *r)
{
    struct later *l = ARENA_NEW(&r->arena, struct later);

    (void)arg;
    l->r = r;
    r->user = &l->timer;
    r->gone = take_gone;
    loop_timer_init(&l->timer, loop, take_now);
    loop_timer_set(&l->timer, 1);
}
#endif

/* ---- the server's thread ---- */

struct start {
    struct harness *h;
    struct http_conf conf;
};

static void *serve(void *arg)
{
    struct start *start = arg;
    struct arena a;

    arena_init(&a);
    loop = loop_create();
    if (http_server_create(&a, loop, &start->conf, handle, start->h, &start->h->server))
        mem_die("harness: no server");
    start->h->port = http_server_port(start->h->server);
    sem_post(&ready);
    loop_run(loop);
    http_server_destroy(start->h->server);
    loop_destroy(loop);
    arena_fini(&a);
    return NULL;
}

static void set_defaults(struct http_conf *c)
{
    c->listen = "127.0.0.1:0";
    c->max_connections = c->max_connections ? c->max_connections : 1000;
    c->max_head_bytes = c->max_head_bytes ? c->max_head_bytes : 16384;
    c->max_body_bytes = c->max_body_bytes ? c->max_body_bytes : 65536;
    c->idle_ms = c->idle_ms ? c->idle_ms : 30000;
    c->request_ms = c->request_ms ? c->request_ms : 30000;
}

void harness_start(struct harness *h, struct http_conf conf)
{
    static struct start start;

    log_init("test", LOG_LEVEL_ERROR);
    signal(SIGPIPE, SIG_IGN); /* as every program does */
    *h = (struct harness){.quota = conf.quota};
    set_defaults(&conf);
    memset(large, 'x', sizeof large);
    memset(record, 'x', sizeof record);
    conf.lasting[0] = (struct str){large, sizeof large};
#ifdef HARNESS_TLS
    conf.tls = conf.tls ? conf.tls : tls_server_side();
    h->tls = true;
#endif
#ifdef HARNESS_ASKED
    conf.head = take_later;
#endif
    start = (struct start){h, conf};
    sem_init(&ready, 0, 0);
    pthread_create(&thread, NULL, serve, &start);
    sem_wait(&ready);
}

struct errand {
    struct loop_post post;
    struct harness *h;
    void (*fn)(struct harness *h);
    sem_t done;
};

static void run_errand(struct loop_post *p)
{
    struct errand *e = CONTAINER_OF(p, struct errand, post);

    e->fn(e->h);
    sem_post(&e->done);
}

void harness_in_loop(struct harness *h, void (*fn)(struct harness *h))
{
    struct errand e = {.post.fn = run_errand, .h = h, .fn = fn};

    sem_init(&e.done, 0, 0);
    loop_post(loop, &e.post);
    sem_wait(&e.done);
}

struct loop *harness_loop(void)
{
    return loop;
}

void harness_stop(struct harness *h)
{
    (void)h;
    loop_stop(loop);
    pthread_join(thread, NULL);
}

/* ---- the client ---- */

bool client_connect_with(const struct harness *h, int fd)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)h->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
}

int client_connect(const struct harness *h)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert(fd >= 0);
    cr_assert(client_connect_with(h, fd));
    return h->tls ? tls_wrap(fd) : fd;
}

void client_send(int fd, struct str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        bytes = (struct str){bytes.p + n, bytes.n - (size_t)n};
    }
}

void client_send_slowly(int fd, struct str bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        if (send(fd, bytes.p + i, 1, MSG_NOSIGNAL) <= 0)
            return;
        if (i % 16 == 0)
            usleep(100); /* lets the server see pieces */
    }
}

static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, PATIENCE_MS) > 0;
}

size_t client_read(int fd, char *out, size_t room, const char *until)
{
    size_t n = 0;

    out[0] = 0;
    while (n + 1 < room && !(until && strstr(out, until)) && readable(fd)) {
        ssize_t got = recv(fd, out + n, room - n - 1, 0);

        if (got <= 0)
            break;
        n += (size_t)got;
        out[n] = 0;
    }
    return n;
}

bool client_is_closed(int fd)
{
    char byte;

    return readable(fd) && recv(fd, &byte, 1, 0) <= 0;
}

size_t client_read_all(int fd, char *out, size_t room)
{
    size_t n = client_read(fd, out, room, NULL);

    cr_assert(client_is_closed(fd));
    return n;
}
