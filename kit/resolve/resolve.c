// SPDX-License-Identifier: Apache-2.0
/*
 * A question is owned by its thread until it has posted the answer, then by the loop. A
 * cancel before that makes the thread free it, without touching the loop: it may be gone.
 */
#include "kit/resolve/resolve.h"

#include "kit/base/mem.h"
#include "kit/base/str.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

struct resolve {
    struct loop_post post;
    struct loop *loop;
    void (*fn)(void *arg, const struct resolve_answer *answer);
    void *arg;
    bool cancelled; /* written under the lock */
    struct resolve_answer answer;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint threads;

/* ---- one name ---- */

static struct addrinfo *look_up(const char *name, int flags)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *found = NULL;

    return getaddrinfo(name, NULL, &hints, &found) == 0 ? found : NULL;
}

static void fill(struct resolve_host *h)
{
    struct addrinfo *found = look_up(h->name, 0);

    for (const struct addrinfo *a = found; a && h->n < RESOLVE_ADDRESSES_MAX;
         a = a->ai_next)
        if (getnameinfo(a->ai_addr, a->ai_addrlen, h->address[h->n], RESOLVE_TEXT_MAX,
                        NULL, 0, NI_NUMERICHOST) == 0)
            h->n++;
    if (found)
        freeaddrinfo(found);
}

bool resolve_needed(const char *name)
{
    struct addrinfo *numeric;

    if (!name || !*name || *name == '/' || *name == '@')
        return false;
    numeric = look_up(name, AI_NUMERICHOST);
    if (numeric)
        freeaddrinfo(numeric);
    return !numeric;
}

/* ---- the thread ---- */

static void in_loop(struct loop_post *p)
{
    struct resolve *r = CONTAINER_OF(p, struct resolve, post);

    if (!r->cancelled)
        r->fn(r->arg, &r->answer);
    free(r);
}

static void *in_thread(void *arg)
{
    struct resolve *r = arg;
    bool cancelled;

    for (unsigned i = 0; i < r->answer.n; i++)
        fill(&r->answer.host[i]);
    pthread_mutex_lock(&lock);
    cancelled = r->cancelled;
    if (!cancelled) /* under the lock: who cancels may destroy the loop next */
        loop_post(r->loop, &r->post);
    pthread_mutex_unlock(&lock);
    if (cancelled)
        free(r);
    atomic_fetch_sub(&threads, 1);
    return NULL;
}

/* Signals are for the threads that wait for them. */
static bool start_thread(struct resolve *r)
{
    sigset_t all, before;
    pthread_t thread;
    bool started;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&thread, NULL, in_thread, r) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started)
        pthread_detach(thread);
    return started;
}

/* ---- asking ---- */

static struct resolve *question(const char *const *names, unsigned n)
{
    struct resolve *r;

    for (unsigned i = 0; i < n; i++)
        if (strlen(names[i]) >= RESOLVE_NAME_MAX)
            return NULL;
    r = MEM_NEW(struct resolve);
    for (unsigned i = 0; i < n; i++)
        memcpy(r->answer.host[i].name, names[i], strlen(names[i]));
    r->answer.n = n;
    return r;
}

struct resolve *resolve_start(struct loop *l, const char *const *names, unsigned n,
                              void (*fn)(void *arg, const struct resolve_answer *answer),
                              void *arg)
{
    struct resolve *r = n <= RESOLVE_HOSTS_MAX ? question(names, n) : NULL;

    if (!r)
        return NULL;
    r->loop = l;
    r->fn = fn;
    r->arg = arg;
    r->post.fn = in_loop;
    if (atomic_fetch_add(&threads, 1) < RESOLVE_THREADS_MAX && start_thread(r))
        return r;
    atomic_fetch_sub(&threads, 1);
    free(r);
    return NULL;
}

/* Both a thread that is still at work and an answer on its way see the mark. */
void resolve_cancel(struct resolve *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&lock);
    r->cancelled = true;
    pthread_mutex_unlock(&lock);
}
