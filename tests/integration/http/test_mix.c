// SPDX-License-Identifier: Apache-2.0
/*
 * Random pipelines (VIADUCT_CASES of each client) of all kinds of requests that take
 * another way through the front; sent whole or in pieces, read at once or late, left at
 * any moment. Every answer is whole and in its place, the connection ends where it must,
 * and nothing of a client stays behind. VIADUCT_SEED repeats a run.
 */
#include "harness.h"
#include "kit/base/err.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CASES = 25, CLIENTS = 4, REQUESTS_MAX = 12, PATIENCE_MS = 30000 };
enum { SENT_MAX = 1 << 18, GOT_MAX = 16 << 20, LONG = 9000, SMALL_WINDOW = 1 << 15 };

/* ---- the handler of heads: denies or takes, now or a little later ---- */

struct soon {
    struct loop_timer timer;
    struct http_req *r;
};

static void decide(struct http_req *r)
{
    if (str_eq(r->path, STR("/deny")))
        http_reply(r, 401, "text/plain", NULL, 0, STR("denied"));
    else if (http_take_body(r, SIZE_MAX))
        abort();
}

static void soon_fired(struct loop_timer *t)
{
    decide(CONTAINER_OF(t, struct soon, timer)->r);
}

static void gone(struct http_req *r)
{
    struct soon *s = r->user;

    if (s)
        loop_timer_clear(&s->timer);
    http_reply(r, 503, NULL, NULL, 0, STR(""));
}

static void head(void *arg, struct http_req *r)
{
    struct soon *s;

    (void)arg;
    r->gone = gone;
    if (!str_starts(r->query, STR("late"))) {
        decide(r);
        return;
    }
    s = ARENA_NEW(&r->arena, struct soon);
    s->r = r;
    r->user = s;
    loop_timer_init(&s->timer, harness_loop(), soon_fired);
    loop_timer_set(&s->timer, 1);
}

/* ---- a client ---- */

struct wanted {
    int status;
    bool no_body, may_invite;
    size_t n_x;     /* SIZE_MAX: an empty body */
    char echo[128]; /* instead: how the body begins */
};

struct client {
    struct harness *h;
    pthread_t thread;
    uint64_t random, seed; /* the seed of the case */
    long cases;
    struct wanted wanted[REQUESTS_MAX];
    int n;
    bool large;  /* one has been asked for */
    bool leaves; /* at any moment: nothing is expected */
    const char *failed;
    size_t sent_n, got_n;
    char *got;
    char sent[SENT_MAX];
};

static unsigned pick(struct client *c, unsigned n)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return (unsigned)(c->random >> 33) % n;
}

static bool one_in(struct client *c, unsigned n)
{
    return pick(c, n) == 0;
}

static void put(struct client *c, const char *s)
{
    size_t n = strlen(s);

    memcpy(c->sent + c->sent_n, s, n + 1);
    c->sent_n += n;
}

/* ---- what it asks for ---- */

#define HIDDEN "GET /echo?hidden HTTP/1.1\r\nHost: a\r\n\r\n"

static const struct path {
    const char *path;
    int status;
    unsigned weight;
    bool stream;
    size_t n_x; /* 0: an echo, or nothing */
} paths[] = {
    {"/echo", 200, 8, false, 0},
    {"/soon", 200, 4, false, 0},
    {"/nothing", 204, 2, false, 0},
    {"/record", 200, 3, false, RECORD_BYTES},
    {"/few", 200, 3, true, (size_t)3 * STREAM_CHUNK_BYTES},
    {"/empty", 200, 3, true, SIZE_MAX},
    {"/stream", 200, 1, true, (size_t)STREAM_CHUNKS *STREAM_CHUNK_BYTES},
    {"/lasting", 200, 1, false, LARGE_BYTES},
    {"/large", 200, 1, false, LARGE_BYTES},
    {"/deny", 401, 5, false, 0}, /* by its head */
};
enum { N_PATHS = sizeof paths / sizeof *paths, DENY = N_PATHS - 1 };

static char long_body[64 + LONG];
static const struct body {
    const char *bytes, *echo;
    bool is_asked_about, chunked;
} bodies[] = {
    {"Content-Length: 0\r\n\r\n", "", false, false},
    {"Content-Length: 1\r\n\r\nb", "b", true, false},
    {"Content-Length: 38\r\n\r\n" HIDDEN, HIDDEN, true, false},
    {"Transfer-Encoding: chunked\r\n\r\n26\r\n" HIDDEN "\r\n0\r\n\r\n", HIDDEN, true,
     true},
    {"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", true, true},
    {long_body, "yyy", true, false},
    {"\r\n", "", false, false}, /* from here on: none */
};
enum { NO_BODY = sizeof bodies / sizeof *bodies - 1 };

static void make_long_body(void)
{
    int n = snprintf(long_body, sizeof long_body, "Content-Length: %d\r\n\r\n", LONG);

    memset(long_body + n, 'y', LONG);
}

static const struct path *pick_path(struct client *c, const struct body *body)
{
    for (;;) {
        const struct path *p = &paths[pick(c, N_PATHS)];
        bool large = p->n_x == LARGE_BYTES;

        if (pick(c, 8) >= p->weight || (p == &paths[DENY] && !body->is_asked_about) ||
            (large && c->large))
            continue;
        c->large |= large;
        return p;
    }
}

static const char *pick_method(struct client *c, const struct body *body)
{
    if (body == &bodies[NO_BODY])
        return one_in(c, 5) ? "HEAD" : "GET";
    return one_in(c, 2) ? "POST" : "PUT";
}

/* False: the connection ends with its answer. */
static bool put_request(struct client *c, bool last)
{
    struct wanted *w = &c->wanted[c->n];
    bool http10 = one_in(c, 10);
    unsigned b = http10 ? NO_BODY : pick(c, 2 * NO_BODY);
    const struct body *body = &bodies[b < NO_BODY ? b : NO_BODY];
    const struct path *path = pick_path(c, body);
    const char *method = pick_method(c, body);
    bool expects = body->is_asked_about && one_in(c, 4);
    char query[32], line[128];

    snprintf(query, sizeof query, "%s%d", one_in(c, 2) ? "late" : "now", c->n++);
    snprintf(line, sizeof line, "%s %s?%s HTTP/1.%d\r\nHost: a\r\n", method, path->path,
             query, !http10);
    put(c, line);
    put(c, expects ? "Expect: 100-continue\r\n" : "");
    put(c, last ? "Connection: close\r\n" : http10 ? "Connection: keep-alive\r\n" : "");
    put(c, body->bytes);
    *w = (struct wanted){path->status, path->status == 204 || *method == 'H', expects,
                         path->n_x, ""};
    if (path == &paths[DENY])
        snprintf(w->echo, sizeof w->echo, "denied");
    else if (path->n_x == 0)
        snprintf(w->echo, sizeof w->echo, "%s %s %s %s", method, path->path, query,
                 body->echo);
    return !last && !(http10 && path->stream) &&
           !(path == &paths[DENY] && (expects || body->chunked));
}

/* ---- what comes ---- */

static const char *fails(struct client *c, const char *why)
{
    c->failed = why;
    return NULL;
}

/* Returns the end; NULL: it is not whole. *n: the bytes in the chunks. */
static const char *skip_chunked(const char *p, const char *end, size_t *n)
{
    size_t size;
    char *after;

    *n = 0;
    do {
        size = strtoul(p, &after, 16);
        if (after == p || size > (size_t)(end - after) || after + size + 4 > end)
            return NULL;
        p = after + 2 + size + 2;
        *n += size;
    } while (size > 0);
    return p;
}

/* The end of the body; *n: what is in it. */
static const char *skip_body(const char *fields, const char *body, const char *end,
                             size_t *n)
{
    const char *length = strstr(fields, "Content-Length: ");
    const char *chunked = strstr(fields, "chunked");

    if (chunked && chunked < body)
        return skip_chunked(body, end, n);
    *n = (size_t)(end - body);
    if (length && length < body)
        *n = strtoul(length + 16, NULL, 10);
    return *n <= (size_t)(end - body) ? body + *n : NULL;
}

static const char *skip_answer(struct client *c, const char *p, const struct wanted *w)
{
    static const char invitation[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const char *body, *after;
    size_t n;

    if (w->may_invite && strncmp(p, invitation, sizeof invitation - 1) == 0)
        p += sizeof invitation - 1;
    body = strstr(p, "\r\n\r\n");
    if (strncmp(p, "HTTP/1.", 7) != 0 || !body)
        return fails(c, "no answer");
    body += 4;
    if (strtol(p + 9, NULL, 10) != w->status)
        return fails(c, "another status");
    if (w->no_body)
        return body;
    after = skip_body(p, body, c->got + c->got_n, &n);
    if (!after)
        return fails(c, "a body that is not whole");
    if (strncmp(body, w->echo, strlen(w->echo)) != 0)
        return fails(c, "the answer to another request");
    if (w->n_x > 0 && n != (w->n_x == SIZE_MAX ? 0 : w->n_x))
        return fails(c, "a body of another length");
    return after;
}

static void check(struct client *c)
{
    const char *p = c->got;

    for (int i = 0; p && i < c->n; i++)
        p = skip_answer(c, p, &c->wanted[i]);
    if (p && p != c->got + c->got_n)
        fails(c, "more than the last answer");
}

/* ---- the talk ---- */

static bool is_over(ssize_t n)
{
    return n == 0 || (n < 0 && errno != EAGAIN);
}

/* False: the server has ended it. */
static bool take_some(struct client *c, int fd)
{
    ssize_t n = recv(fd, c->got + c->got_n, GOT_MAX - c->got_n - 1, MSG_DONTWAIT);

    c->got_n += n > 0 ? (size_t)n : 0;
    c->got[c->got_n] = 0;
    return !is_over(n);
}

static size_t give_some(struct client *c, int fd, size_t at, size_t piece)
{
    size_t left = c->sent_n - at;
    ssize_t n =
        send(fd, c->sent + at, left < piece ? left : piece, MSG_DONTWAIT | MSG_NOSIGNAL);

    return is_over(n) ? c->sent_n : at + (n > 0 ? (size_t)n : 0);
}

/* Until the server ends it, or the client leaves. */
static void talk(struct client *c, int fd)
{
    size_t piece = one_in(c, 3) ? 1 + pick(c, 200) : SENT_MAX;
    size_t at = 0, leave_at = c->leaves ? pick(c, (unsigned)c->sent_n + 1) : SIZE_MAX;
    unsigned pause_us = one_in(c, 3) ? pick(c, 400) : 0;
    bool late = one_in(c, 3);

    while (at < leave_at) {
        struct pollfd p = {.fd = fd, .events = late ? 0 : POLLIN};
        int ready;

        if (at < c->sent_n)
            p.events |= POLLOUT;
        ready = poll(&p, 1, late ? 20 : PATIENCE_MS);
        if (ready == 0 && !late) {
            fails(c, "silence");
            return;
        }
        if (p.revents & POLLOUT)
            at = give_some(c, fd, at, piece);
        late = late && ready > 0 && at < c->sent_n;
        if (p.revents & (POLLIN | POLLHUP | POLLERR) && !take_some(c, fd))
            return;
        if (pause_us)
            usleep(pause_us);
    }
}

static void leave(struct client *c, int fd)
{
    struct linger reset = {.l_onoff = 1};

    if (one_in(c, 3))
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (one_in(c, 3)) {
        shutdown(fd, SHUT_WR);
        usleep(pick(c, 2000));
    }
}

static void run_case(struct client *c)
{
    int small = SMALL_WINDOW, fd = client_connect(c->h);
    int last = (int)pick(c, REQUESTS_MAX);

    c->seed = c->random;
    c->n = 0;
    c->sent_n = c->got_n = 0;
    c->large = false;
    if (one_in(c, 4))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    while (put_request(c, c->n == last))
        ;
    c->leaves = one_in(c, 4);
    talk(c, fd);
    if (c->leaves)
        leave(c, fd);
    else if (!c->failed)
        check(c);
    close(fd);
}

static void *run_client(void *arg)
{
    struct client *c = arg;

    while (c->cases-- > 0 && !c->failed)
        run_case(c);
    return NULL;
}

/* ---- all of them ---- */

static void start(struct client *c, struct harness *h, unsigned i)
{
    const char *cases = getenv("VIADUCT_CASES"), *seed = getenv("VIADUCT_SEED");

    *c = (struct client){.h = h, .got = malloc(GOT_MAX)};
    c->cases = cases ? strtol(cases, NULL, 10) : CASES;
    c->random = seed ? strtoull(seed, NULL, 10) : 1 + random_u32() + i;
    pthread_create(&c->thread, NULL, run_client, c);
}

static void expect_no_failure(struct client *c)
{
    const char *end = c->got + c->got_n;

    pthread_join(c->thread, NULL);
    cr_expect_null(c->failed, "%s, seed %llu; asked\n%.999s\ngot\n%.999s\n...\n%s",
                   c->failed, (unsigned long long)c->seed, c->sent, c->got,
                   end - (c->got_n < 300 ? c->got_n : 300));
    free(c->got);
}

static unsigned open_now, in_flight;

static void look(struct harness *h)
{
    open_now = http_server_connections(h->server);
    in_flight = http_server_in_flight(h->server);
}

static void run(int busy_us)
{
    static struct client clients[CLIENTS];
    struct harness h;

    make_long_body();
    harness_start(&h, (struct http_conf){.head = head});
    atomic_store(&h.busy_us, busy_us);
    close(client_connect(&h)); /* so the clients' part of TLS is made by one thread */
    for (unsigned i = 0; i < CLIENTS; i++)
        start(&clients[i], &h, i);
    for (int i = 0; i < CLIENTS; i++)
        expect_no_failure(&clients[i]);
    EVENTUALLY((harness_in_loop(&h, look), open_now == 0 && in_flight == 0));
    harness_stop(&h);
}

Test(mix, every_answer_is_whole_and_in_its_place)
{
    run(0);
}

/* Each request takes longer than a turn may: what libevent has put off for the end of a
 * turn comes in another one. */
Test(mix, also_when_turns_end_between)
{
    run(LOOP_PACE_US + 100);
}
