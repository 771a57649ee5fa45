// SPDX-License-Identifier: Apache-2.0
/*
 * The runner: it calls steps until one has to wait or the flow ends. A wait that ends
 * while a step is running only leaves its mark; the runner sees it when the step has
 * returned.
 */
#include "kit/flow/flow.h"

#include "kit/base/clock.h"
#include "kit/base/mem.h"

/* Steps in one go before other work of the loop gets its turn. */
enum { STEPS_AT_ONCE = 128 };

static void flow_free(void *ptr)
{
    struct flow *f = ptr;
    struct arena arena = f->arena; /* f itself lies in it */

    arena_fini(&arena);
}

/* Cancelling one wait may end others (a group, a shared call): always take the first. */
static void cancel_waits(struct flow *f)
{
    struct list *it;

    while ((it = list_pop(&f->waits))) {
        struct wait *w = CONTAINER_OF(it, struct wait, link);

        w->cancel(w);
    }
}

static void flow_finish(struct flow *f, const struct err *err)
{
    f->ended = true;
    loop_timer_clear(&f->deadline);
    loop_task_cancel(&f->go_on);
    cancel_waits(f);
    f->end(f, err);
    loop_free_later(f->loop, flow_free, f);
}

/* One step; what it returned and what its waits left decide how it goes on. */
static void run_step(struct flow *f)
{
    flow_step step = f->next;
    enum step answer;

    f->next = NULL;
    answer = step(f);
    if (f->cancelled)
        flow_finish(f, f->cancelled);
    else if (answer == STEP_END || f->err)
        flow_finish(f, f->err);
    else if (!f->next)
        mem_die("flow: a step neither ended the flow nor named its successor");
}

static void flow_run(struct flow *f)
{
    int steps = 0;

    f->running = true;
    while (!f->ended && f->next && list_empty(&f->waits)) {
        if (steps++ == STEPS_AT_ONCE) {
            loop_soon(f->loop, &f->go_on);
            break;
        }
        run_step(f);
    }
    f->running = false;
}

static void on_go_on(struct loop_task *t)
{
    flow_run(CONTAINER_OF(t, struct flow, go_on));
}

static void on_deadline(struct loop_timer *t)
{
    flow_cancel(CONTAINER_OF(t, struct flow, deadline), ERR_STATIC(DEADLINE));
}

struct flow *flow_create(struct loop *l, int64_t timeout_ms,
                         void (*end)(struct flow *f, const struct err *err), void *owner)
{
    struct arena arena;
    struct flow *f;

    arena_init(&arena);
    f = ARENA_NEW(&arena, struct flow);
    f->arena = arena;
    f->loop = l;
    f->end = end;
    f->owner = owner;
    list_init(&f->waits);
    loop_task_init(&f->go_on, on_go_on);
    loop_timer_init(&f->deadline, l, on_deadline);
    flow_set_deadline(f, timeout_ms);
    return f;
}

struct flow *flow_child(struct flow *f,
                        void (*end)(struct flow *child, const struct err *err),
                        void *owner)
{
    struct flow *child = flow_create(f->loop, flow_left_ms(f), end, owner);

    child->env = f->env;
    child->caller = f->caller;
    child->trace = f->trace;
    child->log = f->log;
    child->priority = f->priority;
    return child;
}

void flow_set_deadline(struct flow *f, int64_t timeout_ms)
{
    loop_timer_set(&f->deadline, timeout_ms);
    f->deadline_us = f->deadline.due_us;
}

void flow_start(struct flow *f, flow_step first)
{
    if (f->ended)
        return;
    f->next = first;
    flow_run(f);
}

void flow_cancel(struct flow *f, const struct err *err)
{
    if (f->ended || f->cancelled)
        return;
    f->cancelled = err_copy(&f->arena, err);
    if (!f->running)
        flow_finish(f, f->cancelled);
}

enum step flow_done(struct flow *f)
{
    f->err = NULL;
    return STEP_END;
}

enum step flow_fail(struct flow *f, const struct err *err)
{
    f->err = err;
    return STEP_END;
}

enum step flow_await(struct flow *f, flow_step next)
{
    f->next = next;
    return STEP_WAIT;
}

int64_t flow_left_ms(const struct flow *f)
{
    int64_t left_us = f->deadline_us - clock_mono_us();

    return left_us > 0 ? left_us / 1000 : 0;
}

/* ---- waits ---------------------------------------------------------------------- */

void wait_begin(struct flow *f, struct wait *w, void (*cancel)(struct wait *w),
                bool required)
{
    *w = (struct wait){.flow = f, .cancel = cancel, .required = required};
    list_push(&f->waits, &w->link);
}

void wait_end(struct wait *w, const struct err *err)
{
    struct flow *f = w->flow;

    if (list_empty(&w->link))
        mem_die("flow: a wait ended twice, or after it was cancelled");
    list_remove(&w->link);
    w->err = err;
    if (err && w->required && !f->err)
        f->err = err;
    if (f->running || f->ended)
        return;
    if (f->err)
        flow_finish(f, f->err);
    else
        flow_run(f);
}

struct sleep {
    struct wait wait;
    struct loop_timer timer;
};

static void on_slept(struct loop_timer *t)
{
    wait_end(&CONTAINER_OF(t, struct sleep, timer)->wait, NULL);
}

static void cancel_sleep(struct wait *w)
{
    loop_timer_clear(&CONTAINER_OF(w, struct sleep, wait)->timer);
}

enum step flow_sleep(struct flow *f, int64_t ms, flow_step next)
{
    struct sleep *s = ARENA_NEW(&f->arena, struct sleep);

    loop_timer_init(&s->timer, f->loop, on_slept);
    loop_timer_set(&s->timer, ms);
    wait_begin(f, &s->wait, cancel_sleep, true);
    return flow_await(f, next);
}
