// SPDX-License-Identifier: Apache-2.0
/*
 * One detached thread for all names of the process. It looks a name up without the lock
 * and tells the loops about changes under it, so that whoever has unsubscribed under the
 * lock is never posted to again.
 */
#include "kit/rpc/resolve.h"

#include "kit/base/clock.h"
#include "kit/base/log.h"
#include "kit/base/mem.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* What is asked for, by whom. */
struct name {
    struct list link, subscribers;
    char *host, *port;
    int64_t due_us;
    struct rpc_addresses *last; /* NULL before the first good answer */
    bool busy, failing;
};

struct rpc_resolve {
    struct list link;
    struct name *name;
    struct loop *loop;
    void (*fn)(void *arg, const struct rpc_addresses *now);
    void *arg;
    atomic_uint refs; /* the owner's, and one per answer under way */
    bool closed;      /* the loop's */
};

struct answer {
    struct loop_post post;
    struct rpc_resolve *to;
    struct rpc_addresses *addresses;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static struct list names = {&names, &names};
static bool running;

/* ---- addresses ------------------------------------------------------------------------
 */

void rpc_addresses_free(struct rpc_addresses *a)
{
    if (!a)
        return;
    for (unsigned i = 0; i < a->n; i++)
        free(a->urls[i]);
    free(a);
}

struct rpc_addresses *rpc_addresses_copy(const struct rpc_addresses *from)
{
    struct rpc_addresses *to = MEM_NEW(struct rpc_addresses);

    to->n = from->n;
    for (unsigned i = 0; i < from->n; i++)
        to->urls[i] = mem_strdup(from->urls[i]);
    return to;
}

static bool addresses_equal(const struct rpc_addresses *a, const struct rpc_addresses *b)
{
    if (!a || a->n != b->n)
        return false;
    for (unsigned i = 0; i < a->n; i++)
        if (strcmp(a->urls[i], b->urls[i]) != 0)
            return false;
    return true;
}

bool rpc_addresses_have(const struct rpc_addresses *a, const char *url)
{
    for (unsigned i = 0; i < a->n; i++)
        if (strcmp(a->urls[i], url) == 0)
            return true;
    return false;
}

static void addresses_add(struct rpc_addresses *a, const struct addrinfo *ai,
                          const char *port)
{
    char host[INET6_ADDRSTRLEN], url[INET6_ADDRSTRLEN + 24];
    bool six = ai->ai_family == AF_INET6;

    if (a->n == RPC_ADDRESSES_MAX ||
        getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof host, NULL, 0,
                    NI_NUMERICHOST) != 0)
        return;
    snprintf(url, sizeof url, six ? "tcp://[%s]:%s" : "tcp://%s:%s", host, port);
    if (!rpc_addresses_have(a, url))
        a->urls[a->n++] = mem_strdup(url);
}

static int compare_urls(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* NULL when the name service has no answer; *why is its sentence. */
static struct rpc_addresses *look_up(const char *host, const char *port, const char **why)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    struct rpc_addresses *a;
    int rv = getaddrinfo(host, port, &hints, &found);

    if (rv != 0) {
        *why = gai_strerror(rv);
        return NULL;
    }
    a = MEM_NEW(struct rpc_addresses);
    for (const struct addrinfo *ai = found; ai; ai = ai->ai_next)
        addresses_add(a, ai, port);
    freeaddrinfo(found);
    qsort(a->urls, a->n, sizeof *a->urls, compare_urls);
    return a;
}

/* ---- telling the loops ------------------------------------------------------ */

static void unref(struct rpc_resolve *r)
{
    if (atomic_fetch_sub(&r->refs, 1) == 1)
        free(r);
}

static void on_answer(struct loop_post *p)
{
    struct answer *a = CONTAINER_OF(p, struct answer, post);

    if (!a->to->closed)
        a->to->fn(a->to->arg, a->addresses);
    unref(a->to);
    rpc_addresses_free(a->addresses);
    free(a);
}

static void tell(struct rpc_resolve *r, const struct rpc_addresses *now)
{
    struct answer *a = MEM_NEW(struct answer);

    a->post.fn = on_answer;
    a->to = r;
    a->addresses = rpc_addresses_copy(now);
    atomic_fetch_add(&r->refs, 1);
    loop_post(r->loop, &a->post);
}

/* ---- the thread; under the lock unless it says otherwise -------------------- */

static void name_free(struct name *n)
{
    list_remove(&n->link);
    rpc_addresses_free(n->last);
    free(n->host);
    free(n->port);
    free(n);
}

static void log_turn(struct name *n, const char *why)
{
    if (n->failing == (why != NULL))
        return;
    n->failing = why != NULL;
    if (why)
        LOG_WARN(NULL, "rpc.resolve_failed", KV("host", n->host), KV("why", why));
    else
        LOG_INFO(NULL, "rpc.resolve_works_again", KV("host", n->host));
}

static void take_answer(struct name *n, struct rpc_addresses *now)
{
    if (!now || now->n == 0 || addresses_equal(n->last, now)) {
        rpc_addresses_free(now);
        return;
    }
    rpc_addresses_free(n->last);
    n->last = now;
    LIST_EACH (it, &n->subscribers)
        tell(CONTAINER_OF(it, struct rpc_resolve, link), now);
}

/* Leaves the lock while it waits for the name service. */
static void ask(struct name *n)
{
    struct rpc_addresses *now;
    const char *why = NULL;

    n->busy = true;
    pthread_mutex_unlock(&lock);
    now = look_up(n->host, n->port, &why);
    pthread_mutex_lock(&lock);
    n->busy = false;
    n->due_us = clock_mono_us() + RPC_RESOLVE_MS * INT64_C(1000);
    log_turn(n, why);
    take_answer(n, now);
    if (list_empty(&n->subscribers))
        name_free(n);
}

static struct name *earliest(void)
{
    struct name *first = NULL;

    LIST_EACH (it, &names) {
        struct name *n = CONTAINER_OF(it, struct name, link);

        if (!first || n->due_us < first->due_us)
            first = n;
    }
    return first;
}

static void wait_until(int64_t due_us)
{
    struct timespec at = {due_us / 1000000, due_us % 1000000 * 1000};

    pthread_cond_timedwait(&changed, &lock, &at);
}

static void *run(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    for (;;) {
        struct name *n = earliest();

        if (!n)
            pthread_cond_wait(&changed, &lock);
        else if (n->due_us > clock_mono_us())
            wait_until(n->due_us);
        else
            ask(n);
    }
    return NULL;
}

static void run_thread(void)
{
    pthread_condattr_t attr;
    pthread_t thread;

    if (running)
        return;
    running = true;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&thread, NULL, run, NULL) != 0)
        mem_die("rpc: no thread for the name service");
    pthread_detach(thread);
}

/* ---- subscribing ----------------------------------------------------------------------
 */

static struct name *name_find(const char *host, const char *port)
{
    LIST_EACH (it, &names) {
        struct name *n = CONTAINER_OF(it, struct name, link);

        if (strcmp(n->host, host) == 0 && strcmp(n->port, port) == 0)
            return n;
    }
    return NULL;
}

static struct name *name_create(const char *host, const char *port)
{
    struct name *n = MEM_NEW(struct name);

    n->host = mem_strdup(host);
    n->port = mem_strdup(port);
    list_init(&n->subscribers);
    list_init(&n->link);
    list_push(&names, &n->link);
    return n;
}

struct rpc_resolve *rpc_resolve_create(struct loop *l, const char *host, const char *port,
                                       void (*fn)(void *arg,
                                                  const struct rpc_addresses *now),
                                       void *arg)
{
    struct rpc_resolve *r = MEM_NEW(struct rpc_resolve);

    r->loop = l;
    r->fn = fn;
    r->arg = arg;
    atomic_init(&r->refs, 1);
    list_init(&r->link);
    pthread_mutex_lock(&lock);
    run_thread();
    r->name = name_find(host, port);
    if (!r->name)
        r->name = name_create(host, port);
    list_push(&r->name->subscribers, &r->link);
    if (r->name->last)
        tell(r, r->name->last);
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return r;
}

void rpc_resolve_destroy(struct rpc_resolve *r)
{
    if (!r)
        return;
    r->closed = true;
    pthread_mutex_lock(&lock);
    list_remove(&r->link);
    if (list_empty(&r->name->subscribers) && !r->name->busy)
        name_free(r->name);
    pthread_mutex_unlock(&lock);
    unref(r);
}
