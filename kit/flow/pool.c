// SPDX-License-Identifier: Apache-2.0
/*
 * Helper threads. A job lives in the heap: its flow may end while it runs. It is queued,
 * then taken by a thread, then posted to its loop, which frees it or hands its argument
 * to the flow. Only the loop touches job->wait.
 */
#include "kit/base/mem.h"
#include "kit/flow/flow.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct flow_pool {
    pthread_mutex_t mutex; /* queue, queued, stopping; and the link of every job */
    pthread_cond_t more;
    struct list queue;
    unsigned queued, queue_max;
    bool stopping;
    unsigned threads;
    pthread_t thread[];
};

struct offload;

struct job {
    struct loop_post post;
    struct list link; /* in the pool's queue; alone once a thread has it */
    struct flow_pool *pool;
    struct loop *loop;
    struct offload *wait; /* NULL: the flow has ended */
    const struct flow_work *work;
    void *arg;
    bool done; /* work was called; false when the pool was destroyed before */
};

/* In the arena of the flow. */
struct offload {
    struct wait wait;
    struct job *job;
};

/* ---- in the loop ---------------------------------------------------------------- */

static void job_free(void *ptr)
{
    struct job *job = ptr;

    if (job->work->drop)
        job->work->drop(job->arg);
    free(job);
}

static void on_job_posted(struct loop_post *p)
{
    struct job *job = CONTAINER_OF(p, struct job, post);
    struct offload *o = job->wait;

    if (!o) {
        job_free(job);
        return;
    }
    arena_defer(&o->wait.flow->arena, job_free, job);
    wait_end(&o->wait, job->done ? NULL : ERR_STATIC(CANCELLED));
}

/* True when no thread had it yet, and none ever will. */
static bool take_back(struct job *job)
{
    struct flow_pool *p = job->pool;
    bool queued;

    pthread_mutex_lock(&p->mutex);
    queued = !list_empty(&job->link);
    if (queued) {
        list_remove(&job->link);
        p->queued--;
    }
    pthread_mutex_unlock(&p->mutex);
    return queued;
}

static void cancel_offload(struct wait *w)
{
    struct job *job = CONTAINER_OF(w, struct offload, wait)->job;

    job->wait = NULL;
    if (job->work->cancel)
        job->work->cancel(job->arg);
    if (take_back(job))
        loop_free_later(job->loop, job_free, job);
}

static bool enqueue(struct flow_pool *p, struct job *job)
{
    bool room;

    pthread_mutex_lock(&p->mutex);
    room = p->queued < p->queue_max && !p->stopping;
    if (room) {
        list_push(&p->queue, &job->link);
        p->queued++;
        pthread_cond_signal(&p->more);
    }
    pthread_mutex_unlock(&p->mutex);
    return room;
}

enum step flow_offload(struct flow *f, struct flow_pool *p, const struct flow_work *work,
                       void *arg, flow_step next)
{
    struct offload *o = ARENA_NEW(&f->arena, struct offload);
    struct job *job = MEM_NEW(struct job);

    *job = (struct job){.post = {.fn = on_job_posted},
                        .pool = p,
                        .loop = f->loop,
                        .wait = o,
                        .work = work,
                        .arg = arg};
    list_init(&job->link);
    o->job = job;
    if (!enqueue(p, job)) {
        arena_defer(&f->arena, job_free, job);
        return flow_fail(f, ERR_STATIC(SHED));
    }
    wait_begin(f, &o->wait, cancel_offload, true);
    return flow_await(f, next);
}

/* ---- in the threads ------------------------------------------------------------- */

/* NULL: the pool stops and the queue is empty. */
static struct job *next_job(struct flow_pool *p, bool *stopping)
{
    struct list *it;

    pthread_mutex_lock(&p->mutex);
    while (list_empty(&p->queue) && !p->stopping)
        pthread_cond_wait(&p->more, &p->mutex);
    it = list_pop(&p->queue);
    if (it)
        p->queued--;
    *stopping = p->stopping;
    pthread_mutex_unlock(&p->mutex);
    return it ? CONTAINER_OF(it, struct job, link) : NULL;
}

static void *run_thread(void *arg)
{
    struct flow_pool *p = arg;
    struct job *job;
    bool stopping;

    while ((job = next_job(p, &stopping))) {
        if (!stopping)
            job->work->work(job->arg);
        job->done = !stopping;
        loop_post(job->loop, &job->post);
    }
    return NULL;
}

/* ---- life ----------------------------------------------------------------------- */

struct flow_pool *flow_pool_create(unsigned threads, unsigned queue_max)
{
    struct flow_pool *p = mem_alloc(sizeof *p + threads * sizeof *p->thread);
    sigset_t all, before;

    list_init(&p->queue);
    p->queue_max = queue_max;
    p->threads = threads;
    if (pthread_mutex_init(&p->mutex, NULL) != 0 ||
        pthread_cond_init(&p->more, NULL) != 0)
        mem_die("flow_pool: out of memory");
    sigfillset(&all); /* signals are for the loops */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&p->thread[i], NULL, run_thread, p) != 0)
            mem_die("flow_pool: thread %u of %u cannot start", i + 1, threads);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return p;
}

void flow_pool_destroy(struct flow_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->mutex);
    p->stopping = true;
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->mutex);
    for (unsigned i = 0; i < p->threads; i++)
        pthread_join(p->thread[i], NULL);
    pthread_cond_destroy(&p->more);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}
