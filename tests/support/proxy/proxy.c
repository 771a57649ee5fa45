// SPDX-License-Identifier: Apache-2.0
/* One thread, one poll. */
#include "tests/support/proxy/proxy.h"

#include "kit/base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAIRS_MAX = 64, CHUNK = 64 * 1024, TURN_MS = 2 };

struct chunk {
    struct chunk *next;
    int64_t came_us;
    size_t n, done;
    char bytes[];
};

/* One way of a connection. */
struct way {
    int from, to;
    bool back;  /* to the caller */
    bool holed; /* bytes of it were lost, so it cannot go on */
    struct chunk *first, **last;
};

struct proxy {
    int listener, port, to_port;
    pthread_t thread;
    atomic_int delay_ms;
    atomic_bool lose, stopping;
    atomic_ulong turns;
    atomic_ulong taken, given;      /* bytes, from callers and to them */
    struct way ways[2 * PAIRS_MAX]; /* there and back of each pair; from -1: free */
};

static void give_up(const char *what)
{
    perror(what);
    abort();
}

static struct sockaddr_in local(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* ---- pairs ---------------------------------------------------------------------- */

static void set_way(struct way *w, int from, int to, bool back)
{
    *w = (struct way){.from = from, .to = to, .back = back};
    w->last = &w->first;
}

static void free_chunks(struct way *w)
{
    struct chunk *c;

    while ((c = w->first)) {
        w->first = c->next;
        free(c);
    }
}

static void close_pair(struct way *there)
{
    close(there[0].from);
    close(there[1].from);
    for (int i = 0; i < 2; i++) {
        free_chunks(&there[i]);
        set_way(&there[i], -1, -1, i == 1);
    }
}

static void take_caller(struct proxy *p)
{
    const struct sockaddr_in to = local(p->to_port);
    int caller = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
    int callee = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1, i = 0;

    while (i < PAIRS_MAX && p->ways[2 * i].from >= 0)
        i++;
    if (i == PAIRS_MAX || caller < 0 || callee < 0 ||
        connect(callee, (const struct sockaddr *)&to, sizeof to) != 0) {
        close(caller);
        close(callee);
        return;
    }
    (void)setsockopt(caller, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    (void)setsockopt(callee, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    set_way(&p->ways[2 * i], caller, callee, false);
    set_way(&p->ways[2 * i + 1], callee, caller, true);
}

/* ---- bytes ---------------------------------------------------------------------- */

static bool take_bytes(struct proxy *p, struct way *w)
{
    struct chunk *c = malloc(sizeof *c + CHUNK);
    ssize_t n;

    if (!c)
        give_up("malloc");
    n = recv(w->from, c->bytes, CHUNK, MSG_DONTWAIT);
    if (n > 0 && !w->back)
        atomic_fetch_add(&p->taken, (unsigned long)n);
    if (n <= 0 || atomic_load(&p->lose)) {
        w->holed = w->holed || n > 0;
        free(c);
        return n != 0;
    }
    c->next = NULL;
    c->n = (size_t)n;
    c->done = 0;
    c->came_us = clock_mono_us();
    *w->last = c;
    w->last = &c->next;
    return true;
}

static bool pass_on(struct proxy *p, struct way *w)
{
    int64_t delay_us = w->back ? atomic_load(&p->delay_ms) * INT64_C(1000) : 0;

    while (w->first && w->first->came_us + delay_us <= clock_mono_us()) {
        struct chunk *c = w->first;
        ssize_t n =
            send(w->to, c->bytes + c->done, c->n - c->done, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n <= 0)
            return n < 0; /* later; a broken one is seen by reading */
        if (w->back)
            atomic_fetch_add(&p->given, (unsigned long)n);
        c->done += (size_t)n;
        if (c->done < c->n)
            return true;
        w->first = c->next;
        if (!w->first)
            w->last = &w->first;
        free(c);
    }
    return true;
}

static void turn(struct proxy *p)
{
    struct pollfd fds[1 + 2 * PAIRS_MAX];

    fds[0] = (struct pollfd){.fd = p->listener, .events = POLLIN};
    for (int i = 0; i < 2 * PAIRS_MAX; i++)
        fds[i + 1] = (struct pollfd){.fd = p->ways[i].from, .events = POLLIN};
    (void)poll(fds, 1 + 2 * PAIRS_MAX, TURN_MS);
    for (int i = 0; i < 2 * PAIRS_MAX; i++) {
        struct way *w = &p->ways[i];

        if (w->from < 0)
            continue;
        if ((fds[i + 1].revents && !take_bytes(p, w)) || !pass_on(p, w) ||
            (w->holed && !atomic_load(&p->lose)))
            close_pair(&p->ways[i & ~1]);
    }
    if (fds[0].revents)
        take_caller(p);
    atomic_fetch_add(&p->turns, 1);
}

static void *run(void *arg)
{
    struct proxy *p = arg;

    while (!atomic_load(&p->stopping))
        turn(p);
    return NULL;
}

/* ---- life ----------------------------------------------------------------------- */

struct proxy *proxy_start(int to_port)
{
    struct proxy *p = calloc(1, sizeof *p);
    struct sockaddr_in a = local(0);
    socklen_t n = sizeof a;

    if (!p)
        give_up("calloc");
    p->to_port = to_port;
    for (int i = 0; i < 2 * PAIRS_MAX; i++)
        set_way(&p->ways[i], -1, -1, i % 2 == 1);
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->listener < 0 || bind(p->listener, (struct sockaddr *)&a, n) != 0 ||
        listen(p->listener, 128) != 0 ||
        getsockname(p->listener, (struct sockaddr *)&a, &n) != 0)
        give_up("proxy");
    p->port = ntohs(a.sin_port);
    if (pthread_create(&p->thread, NULL, run, p) != 0)
        give_up("pthread_create");
    return p;
}

int proxy_port(const struct proxy *p)
{
    return p->port;
}

void proxy_delay(struct proxy *p, int ms)
{
    unsigned long turns;

    atomic_store(&p->delay_ms, ms);
    turns = atomic_load(&p->turns);
    while (atomic_load(&p->turns) - turns < 2) /* one may be under way */
        (void)usleep(1000);
}

void proxy_lose_all(struct proxy *p, bool lose)
{
    atomic_store(&p->lose, lose);
}

unsigned long proxy_taken(const struct proxy *p)
{
    return atomic_load(&p->taken);
}

unsigned long proxy_given(const struct proxy *p)
{
    return atomic_load(&p->given);
}

void proxy_stop(struct proxy *p)
{
    atomic_store(&p->stopping, true);
    pthread_join(p->thread, NULL);
    for (int i = 0; i < PAIRS_MAX; i++)
        if (p->ways[2 * i].from >= 0)
            close_pair(&p->ways[2 * i]);
    close(p->listener);
    free(p);
}
