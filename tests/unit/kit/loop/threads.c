// SPDX-License-Identifier: Apache-2.0
/*
 * Posts of several threads at once, for the thread sanitizer too: none is lost, those of
 * one thread arrive in order, the loop sees what was written before the post.
 */
#include "kit/base/mem.h"
#include "kit/loop/loop.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 4, POSTS = 20000, PATIENCE_S = 50 };

struct message {
    struct loop_post post;
    int thread;
    int number; /* plain memory: the post must publish it */
};

static struct loop *loop;
static int next_number[THREADS];
static int arrived;

static void on_message(struct loop_post *p)
{
    struct message *m = CONTAINER_OF(p, struct message, post);

    if (m->number != next_number[m->thread]++)
        mem_die("thread %d: message %d out of order", m->thread, m->number);
    free(m);
    if (++arrived == THREADS * POSTS)
        loop_stop(loop);
}

static void *post_many(void *arg)
{
    int thread = *(int *)arg;

    for (int i = 0; i < POSTS; i++) {
        struct message *m = MEM_NEW(struct message);

        *m = (struct message){{.fn = on_message}, thread, i};
        loop_post(loop, &m->post);
        if (i % 64 == 0)
            (void)loop_turns(loop);
    }
    return NULL;
}

static void *stop_later(void *arg)
{
    loop_stop(arg);
    return NULL;
}

/* A loop that sleeps is woken by another thread's loop_stop(). */
static void stop_from_another_thread(void)
{
    struct loop *idle = loop_create();
    pthread_t t;

    if (pthread_create(&t, NULL, stop_later, idle) != 0)
        mem_die("no thread");
    loop_run(idle);
    pthread_join(t, NULL);
    loop_destroy(idle);
}

int main(void)
{
    pthread_t threads[THREADS];
    int numbers[THREADS];

    alarm(PATIENCE_S);
    loop = loop_create();
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        if (pthread_create(&threads[i], NULL, post_many, &numbers[i]) != 0)
            mem_die("no thread");
    }
    loop_run(loop);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    loop_destroy(loop);
    stop_from_another_thread();
    printf("%d posts arrived\n", arrived);
    return arrived == THREADS * POSTS ? EXIT_SUCCESS : EXIT_FAILURE;
}
