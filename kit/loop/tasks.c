// SPDX-License-Identifier: Apache-2.0
/* What is queued on a loop: posts of other threads, tasks, and what is to be freed. */
#include "kit/base/mem.h"
#include "kit/loop/internal.h"

#include <errno.h>
#include <unistd.h>

/* Turn-end tasks may queue more; what is left after so many rounds waits for I/O once. */
enum { TURN_END_ROUNDS = 64, FREES_FIRST = 64 };

/* ---- posts ---------------------------------------------------------------------- */

void loop_wake(const struct loop *l)
{
    uint64_t one = 1;

    /* It can only fail with EAGAIN, when the counter is full and the loop awake anyway.
     */
    while (write(l->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void loop_post_named(struct loop *l, struct loop_post *p, const char *name)
{
    struct loop_post *old = atomic_load_explicit(&l->posts, memory_order_relaxed);

    p->name = name;
    do {
        p->next = old;
    } while (!atomic_compare_exchange_weak_explicit(
        &l->posts, &old, p, memory_order_release, memory_order_relaxed));
    if (!old)
        loop_wake(l);
}

/* The stack has the newest on top; each is read before its fn may free it. */
void loop_run_posts(struct loop *l)
{
    struct loop_post *taken =
        atomic_exchange_explicit(&l->posts, NULL, memory_order_acquire);
    struct loop_post *ordered = NULL;

    while (taken) {
        struct loop_post *p = taken;

        taken = p->next;
        p->next = ordered;
        ordered = p;
    }
    while (ordered) {
        struct loop_post *p = ordered;

        ordered = p->next;
        watch_mark(&l->watch, p->name);
        p->fn(p);
    }
}

/* The eventfd is emptied before the stack: a post between the two wakes once too often,
 * never once too few. */
void loop_on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;
    uint64_t count;

    (void)what;
    watch_enter(&l->watch);
    while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
    loop_run_posts(l);
    if (l->watch.foreign)
        watch_mark(&l->watch, NULL);
}

/* ---- tasks ---------------------------------------------------------------------- */

void loop_task_init_named(struct loop_task *t, void (*fn)(struct loop_task *t),
                          const char *name)
{
    list_init(&t->link);
    t->fn = fn;
    t->name = name;
}

void loop_task_cancel(struct loop_task *t)
{
    list_remove(&t->link);
}

void loop_at_turn_end(struct loop *l, struct loop_task *t)
{
    if (list_empty(&t->link))
        list_push(&l->at_end, &t->link);
}

void loop_soon(struct loop *l, struct loop_task *t)
{
    if (list_empty(&t->link))
        list_push(&l->soon, &t->link);
}

/* What they queue stays for the next time, behind those that there was no time for. */
void loop_run_tasks(struct loop *l, struct list *queue, int64_t turn_us)
{
    struct list now;
    struct list *it;

    list_init(&now);
    list_splice(&now, queue);
    do {
        struct loop_task *t;

        if (!(it = list_pop(&now)))
            return;
        t = CONTAINER_OF(it, struct loop_task, link);
        watch_mark(&l->watch, t->name);
        t->fn(t);
    } while (watch_marked_us(&l->watch) < turn_us);
    list_splice(&now, queue);
    list_splice(queue, &now);
}

/* ---- free later ----------------------------------------------------------------- */

void loop_free_later(struct loop *l, void (*fn)(void *), void *ptr)
{
    if (l->frees_n == l->frees_room) {
        l->frees_room = l->frees_room ? 2 * l->frees_room : FREES_FIRST;
        l->frees = mem_realloc(l->frees, l->frees_room * sizeof *l->frees);
    }
    l->frees[l->frees_n++] = (struct dying){fn, ptr};
}

/* By index: a destructor may queue more, and so move the array. */
static void run_frees(struct loop *l)
{
    if (l->frees_n > 0)
        watch_mark(&l->watch, "frees");
    for (size_t i = 0; i < l->frees_n; i++) {
        struct dying d = l->frees[i];

        d.fn(d.ptr);
    }
    l->frees_n = 0;
}

/* ---- the end of a turn ---------------------------------------------------------- */

bool loop_has_work(const struct loop *l)
{
    return !list_empty(&l->soon) || !list_empty(&l->at_end) || !list_empty(&l->due) ||
           l->frees_n > 0;
}

void loop_end_turn(struct loop *l)
{
    for (int i = 0; i < TURN_END_ROUNDS && !list_empty(&l->at_end); i++)
        loop_run_tasks(l, &l->at_end, INT64_MAX);
    run_frees(l);
}

static bool has_leftovers(const struct loop *l)
{
    return atomic_load_explicit(&l->posts, memory_order_relaxed) ||
           !list_empty(&l->at_end) || l->frees_n > 0;
}

void loop_run_leftovers(struct loop *l)
{
    for (int i = 0; i < TURN_END_ROUNDS && has_leftovers(l); i++) {
        loop_run_posts(l);
        loop_end_turn(l);
    }
}
