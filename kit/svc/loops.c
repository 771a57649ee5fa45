// SPDX-License-Identifier: Apache-2.0
/* The threads of the loops: made one after the other, so that what a program shares
 * between its loops is set up without a race. */
#include "kit/base/mem.h"
#include "kit/svc/internal.h"

#include <stdio.h>

static void tell_started(struct svc_loop *l)
{
    pthread_mutex_lock(&l->svc->lock);
    l->started = true;
    pthread_cond_signal(&l->svc->loop_started);
    pthread_mutex_unlock(&l->svc->lock);
}

static void *run_loop(void *arg)
{
    struct svc_loop *l = arg;
    const struct svc_def *def = l->svc->def;

    if (def->loop_start)
        l->start_err = def->loop_start(&l->arena, l->svc, l->loop, l->index);
    tell_started(l);
    if (l->start_err)
        return NULL;
    loop_run(l->loop);
    l->ended = true;
    svc_watches_end(l);
    loop_timer_clear(&l->idle_timer);
    if (def->loop_stop)
        def->loop_stop(l->svc, l->loop, l->index);
    return NULL;
}

static void spawn(struct svc_loop *l)
{
    char name[16];

    if (pthread_create(&l->thread, NULL, run_loop, l) != 0)
        mem_die("svc: no thread for a loop");
    snprintf(name, sizeof name, "loop-%u", l->index);
    pthread_setname_np(l->thread, name);
    pthread_mutex_lock(&l->svc->lock);
    while (!l->started)
        pthread_cond_wait(&l->svc->loop_started, &l->svc->lock);
    pthread_mutex_unlock(&l->svc->lock);
}

static void make(struct svc *s, unsigned index)
{
    struct svc_loop *l = &s->loops[index];

    l->svc = s;
    l->index = index;
    l->loop = loop_create();
    arena_init(&l->arena);
    list_init(&l->watches);
    loop_timer_init(&l->idle_timer, l->loop, NULL);
}

const struct err *svc_loops_start(struct svc *s)
{
    for (unsigned i = 0; i < s->loop_count; i++)
        make(s, i);
    for (unsigned i = 0; i < s->loop_count; i++) {
        spawn(&s->loops[i]);
        if (s->loops[i].start_err)
            return s->loops[i].start_err;
    }
    return NULL;
}

void svc_loops_join(struct svc *s)
{
    for (unsigned i = 0; i < s->loop_count; i++)
        pthread_join(s->loops[i].thread, NULL);
}

/* After def->stop: until then threads of libraries may still post to the loops, which no
 * longer turn. */
void svc_loops_destroy(struct svc *s)
{
    for (unsigned i = 0; i < s->loop_count; i++) {
        loop_destroy(s->loops[i].loop);
        arena_fini(&s->loops[i].arena);
    }
}
