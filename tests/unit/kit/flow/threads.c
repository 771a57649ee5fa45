// SPDX-License-Identifier: Apache-2.0
/*
 * Two loops in two threads share a pool; half of the flows are cancelled at some moment
 * of their work. For the thread sanitizer too: every flow ends once, every argument is
 * dropped once, in its own loop.
 */
#include "kit/base/mem.h"
#include "kit/flow/flow.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOPS = 2, FLOWS = 3000, AT_ONCE = 20, PATIENCE_S = 50 };

struct side {
    struct loop *loop;
    struct flow_pool *pool;
    pthread_t thread;
    struct loop_task more;
    struct flow *last;
    int started, ended, done, dropped;
};

struct job {
    struct side *side;
    uint64_t in, out;
};

static atomic_int worked;

static void work(void *arg)
{
    struct job *job = arg;

    job->out = hash_bytes(&job->in, sizeof job->in);
    atomic_fetch_add(&worked, 1);
}

static void drop(void *arg)
{
    struct job *job = arg;

    if (!pthread_equal(job->side->thread, pthread_self()))
        mem_die("dropped in a foreign thread");
    job->side->dropped++;
    free(job);
}

static enum step step_check(struct flow *f)
{
    struct job *job = f->state;

    if (job->out != hash_bytes(&job->in, sizeof job->in))
        mem_die("wrong result");
    job->side->done++;
    return flow_done(f);
}

static enum step step_work(struct flow *f)
{
    static const struct flow_work ops = {.work = work, .drop = drop};
    struct job *job = f->state;

    return flow_offload(f, job->side->pool, &ops, job, step_check);
}

static void on_end(struct flow *f, const struct err *err)
{
    struct side *side = f->owner;

    (void)err;
    if (side->last == f)
        side->last = NULL;
    side->ended++;
    loop_soon(side->loop, &side->more);
}

static void start_one(struct side *side)
{
    struct flow *f = flow_create(side->loop, 60000, on_end, side);
    struct job *job = MEM_NEW(struct job);

    *job = (struct job){.side = side, .in = (uint64_t)side->started++};
    f->state = job;
    side->last = f;
    flow_start(f, step_work);
}

/* Each time a few are begun, and the newest is cancelled wherever its work may be. */
static void start_more(struct loop_task *t)
{
    struct side *side = CONTAINER_OF(t, struct side, more);

    while (side->started < FLOWS && side->started - side->ended < AT_ONCE)
        start_one(side);
    if (side->last && side->started % 2)
        flow_cancel(side->last, ERR_STATIC(CANCELLED));
    if (side->ended == FLOWS)
        loop_stop(side->loop);
}

static void *run_side(void *arg)
{
    struct side *side = arg;

    side->thread = pthread_self();
    loop_soon(side->loop, &side->more);
    loop_run(side->loop);
    return NULL;
}

int main(void)
{
    struct flow_pool *pool = flow_pool_create(2, 8);
    struct side sides[LOOPS] = {0};
    pthread_t threads[LOOPS];
    int dropped = 0, done = 0;

    alarm(PATIENCE_S);
    for (int i = 0; i < LOOPS; i++) {
        sides[i].loop = loop_create();
        sides[i].pool = pool;
        loop_task_init(&sides[i].more, start_more);
        if (pthread_create(&threads[i], NULL, run_side, &sides[i]) != 0)
            mem_die("no thread");
    }
    for (int i = 0; i < LOOPS; i++)
        pthread_join(threads[i], NULL);
    flow_pool_destroy(pool);
    for (int i = 0; i < LOOPS; i++) {
        sides[i].thread = pthread_self(); /* what was still on its way is dropped here */
        loop_destroy(sides[i].loop);
        dropped += sides[i].dropped;
        done += sides[i].done;
    }
    printf("%d flows, %d worked, %d done, %d dropped\n", LOOPS * FLOWS,
           atomic_load(&worked), done, dropped);
    return dropped == LOOPS * FLOWS && done > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
