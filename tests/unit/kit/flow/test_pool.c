// SPDX-License-Identifier: Apache-2.0
/* Work on helper threads; gates make the threads stop where a test wants them. */
#include "probe.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

static struct flow_pool *pool;

static void setup(void)
{
    probe_setup();
    pool = flow_pool_create(1, 2);
}

static void teardown(void)
{
    flow_pool_destroy(pool);
    probe_teardown();
}

TestSuite(flow_pool, .init = setup, .fini = teardown, .timeout = 30);

static sem_t begun, gate;
static int cancels, drops;

__attribute__((constructor)) static void make_gates(void)
{
    sem_init(&begun, 0, 0);
    sem_init(&gate, 0, 0);
}

struct sum {
    int a, b, result;
    pthread_t thread;
    bool gated;
};

static void add(void *arg)
{
    struct sum *s = arg;

    sem_post(&begun);
    if (s->gated)
        sem_wait(&gate);
    s->result = s->a + s->b;
    s->thread = pthread_self();
}

static void cancel(void *arg)
{
    (void)arg;
    cancels++;
}

static void drop(void *arg)
{
    drops++;
    free(arg);
}

static enum step step_read(struct flow *f)
{
    struct sum *s = f->state;

    cr_assert_eq(s->result, 5);
    cr_assert_not(pthread_equal(s->thread, pthread_self()));
    cr_assert_leq(drops, ends, "dropped before it was read");
    return flow_done(f);
}

static enum step step_add(struct flow *f)
{
    static const struct flow_work adding = {add, cancel, drop};

    return flow_offload(f, pool, &adding, f->state, step_read);
}

static void uncounted_end(struct flow *f, const struct err *err)
{
    (void)f, (void)err;
}

static struct flow *start(bool gated, void (*end)(struct flow *f, const struct err *err))
{
    struct flow *f = probe_flow(PROBE_TIMEOUT_MS);
    struct sum *s = calloc(1, sizeof *s);

    f->end = end;
    *s = (struct sum){.a = 2, .b = 3, .gated = gated};
    f->state = s;
    flow_start(f, step_add);
    return f;
}

static struct flow *start_sum(bool gated)
{
    return start(gated, probe_end);
}

Test(flow_pool, work_runs_on_another_thread_and_its_result_is_read)
{
    start_sum(false);
    cr_assert_eq(ends, 0);
    probe_run();
    cr_assert_null(end_code);
    cr_assert_eq(cancels, 0);
    cr_assert_eq(drops, 1);
}

Test(flow_pool, a_flow_may_end_while_its_work_runs)
{
    struct flow *f = start_sum(true);

    sem_wait(&begun);
    flow_cancel(f, ERR_STATIC(CANCELLED));
    cr_assert_eq(cancels, 1, "the work is told");
    probe_run();
    cr_assert_eq(drops, 0, "a thread still has it");
    sem_post(&gate);
    flow_pool_destroy(pool);
    pool = NULL;
    loop_destroy(loop); /* runs what was posted */
    loop = NULL;
    cr_assert_eq(drops, 1);
    cr_assert_eq(end_code, &ERR_CODE_CANCELLED);
}

static struct flow *queue_one_more(void)
{
    return start(false, uncounted_end);
}

Test(flow_pool, work_that_has_not_begun_is_taken_back)
{
    struct flow *running = start_sum(true);
    int in_queue;

    sem_wait(&begun);
    for (int i = 0; i < 10; i++) /* more than the queue holds, if it were not emptied */
        flow_cancel(queue_one_more(), ERR_STATIC(CANCELLED));
    flow_cancel(running, ERR_STATIC(CANCELLED));
    probe_run();
    cr_assert_eq(drops, 10);
    sem_post(&gate);
    flow_pool_destroy(pool);
    pool = NULL;
    sem_getvalue(&begun, &in_queue);
    cr_assert_eq(in_queue, 0, "work of an ended flow was done");
}

Test(flow_pool, a_full_queue_fails_the_flow_and_drops_its_argument)
{
    struct flow *running = start(true, uncounted_end);
    struct flow *waiting[2];

    sem_wait(&begun);
    for (int i = 0; i < 2; i++)
        waiting[i] = queue_one_more();
    start_sum(false);
    cr_assert_eq(ends, 1);
    cr_assert_eq(end_code, &ERR_CODE_SHED);
    for (int i = 0; i < 2; i++)
        flow_cancel(waiting[i], ERR_STATIC(CANCELLED));
    flow_cancel(running, ERR_STATIC(CANCELLED));
    probe_run();
    cr_assert_eq(drops, 3);
    sem_post(&gate);
}

static void *destroy_pool(void *arg)
{
    flow_pool_destroy(arg);
    return NULL;
}

/* The pool refuses work although its queue has room. */
static void wait_until_stopping(void)
{
    struct flow *f = queue_one_more();

    while (!f->ended) {
        flow_cancel(f, ERR_STATIC(CANCELLED));
        f = queue_one_more();
    }
}

/* A process that stops: nobody waits for what is queued, and nothing leaks. */
Test(flow_pool, queued_work_of_a_destroyed_pool_is_not_done)
{
    pthread_t destroyer;

    start(true, uncounted_end);
    sem_wait(&begun);
    start_sum(false);
    cr_assert_eq(pthread_create(&destroyer, NULL, destroy_pool, pool), 0);
    wait_until_stopping();
    sem_post(&gate);
    pthread_join(destroyer, NULL);
    pool = NULL;
    cr_assert_neq(sem_trywait(&begun), 0, "work was begun after the stop");
    probe_run();
    cr_assert_eq(end_code, &ERR_CODE_CANCELLED);
}

Test(flow_pool, many_flows_share_few_threads)
{
    static int done;

    flow_pool_destroy(pool);
    pool = flow_pool_create(3, 100);
    for (int i = 0; i < 100; i++)
        start_sum(false);
    while (drops < 100 && done++ < 1000)
        loop_run(loop);
    cr_assert_eq(drops, 100);
    cr_assert_eq(ends, 100);
}
