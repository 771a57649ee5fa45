// SPDX-License-Identifier: Apache-2.0
/*
 * A flow whose end is recorded, and a wait that the test ends by hand. Each test has its
 * own process, so there is one of each record.
 */
#ifndef TESTS_UNIT_KIT_FLOW_PROBE_H
#define TESTS_UNIT_KIT_FLOW_PROBE_H

#include "kit/flow/flow.h"

#include <criterion/criterion.h>

enum { PROBE_TIMEOUT_MS = 20000 };

static struct loop *loop;
static int ends;                        /* calls of the flow's end */
static const struct err_code *end_code; /* of the last, NULL for done */
static bool freed;                      /* the flow's arena is gone */
static struct loop_task stop_task;

static inline void probe_stop(struct loop_task *t)
{
    (void)t;
    loop_stop(loop);
}

static inline void probe_setup(void)
{
    loop = loop_create();
    loop_task_init(&stop_task, probe_stop);
}

static inline void probe_teardown(void)
{
    loop_destroy(loop);
}

static inline void probe_end(struct flow *f, const struct err *err)
{
    cr_assert_not(loop_timer_is_set(&f->deadline));
    cr_assert(list_empty(&f->go_on.link) && list_empty(&f->waits));
    ends++;
    end_code = err ? err->code : NULL;
    loop_soon(loop, &stop_task);
}

static inline void probe_freed(void *ptr)
{
    (void)ptr;
    freed = true;
}

static inline struct flow *probe_flow(int64_t timeout_ms)
{
    struct flow *f = flow_create(loop, timeout_ms, probe_end, NULL);

    arena_defer(&f->arena, probe_freed, NULL);
    return f;
}

/* Runs the loop until the flow has ended and is gone. */
static inline void probe_run(void)
{
    loop_run(loop);
    cr_assert(freed, "the flow is still there");
    cr_assert_eq(ends, 1, "ended %d times", ends);
}

struct probe_wait {
    struct wait wait;
    int cancels;
};

static inline void probe_cancel(struct wait *w)
{
    CONTAINER_OF(w, struct probe_wait, wait)->cancels++;
}

static inline void probe_begin(struct flow *f, struct probe_wait *w, bool required)
{
    w->cancels = 0;
    wait_begin(f, &w->wait, probe_cancel, required);
}

#endif
