// SPDX-License-Identifier: Apache-2.0
/*
 * A flow is one piece of work with a deadline: a request, a job, a relay round. It is a
 * state struct and step functions in reading order. A step starts waits (calls, queries)
 * and names its successor, or ends the flow:
 *
 *     static enum step place_order_user_found(struct flow *f)
 *     {
 *         struct place_order *po = f->state;
 *
 *         return rpc_await(f, po->rpc, &ORDERS_CREATE, &po->in, f->out,
 * place_order_stored);
 *     }
 *
 * The laws: a flow ends exactly once, through its `end` function; waits still open then
 * are cancelled, and never heard of again; the flow and its arena are freed after the
 * turn. When the deadline passes, it ends with `request.deadline`. Everything on one
 * loop.
 */
#ifndef KIT_FLOW_FLOW_H
#define KIT_FLOW_FLOW_H

#include "kit/base/arena.h"
#include "kit/base/err.h"
#include "kit/base/id.h"
#include "kit/base/log.h"
#include "kit/base/priority.h"
#include "kit/loop/loop.h"

struct flow;

/* What a step answers; made by flow_await(), flow_done(), flow_fail() and the like only.
 */
enum step { STEP_WAIT, STEP_END };
typedef enum step (*flow_step)(struct flow *f);

/* W3C Trace Context: ids as raw bytes, `sampled` is the only flag. */
struct trace {
    uint8_t trace_id[16];
    uint8_t span_id[8]; /* of the current span; children name it as parent */
    bool sampled;
};

/* Who is asking, as authenticated at the edge. A nil user is nobody (public routes). The
 * strings live as long as the flow and do not travel on the hop. */
struct caller {
    struct uuid user;
    struct uuid session;
    uint32_t roles;     /* bits of proto's role table */
    struct str key_id;  /* of the API key that was used; absent: none was */
    struct uuid tenant; /* by the token or the key; nil: none */
};

struct flow {
    struct loop *loop;
    struct arena arena;
    struct log_ctx log; /* pass &f->log to LOG_*; its strings live in the arena */
    struct trace trace;
    struct caller caller;
    enum priority priority; /* what of its calls is refused first */
    int64_t deadline_us;    /* monotonic */
    const void
        *env; /* the owner's long-lived objects of this loop: pools, clients, caches */
    const void
        *in;     /* decoded and validated request; its shape is the method's or route's */
    void *out;   /* the reply to fill, zeroed */
    void *state; /* the steps' own, in the arena */
    void *owner; /* for `end` only */

    /* private to flow.c */
    void (*end)(struct flow *f, const struct err *err);
    flow_step next;
    const struct err *err;       /* of a step or of a required wait */
    const struct err *cancelled; /* by flow_cancel() while a step was running */
    struct list waits;
    struct loop_timer deadline;
    struct loop_task go_on; /* after many steps in one go */
    bool running, ended;
};

/* `end` is called once: err == NULL means done. It may read f->out and the arena; both
 * are freed after the turn. The deadline counts from now. */
struct flow *flow_create(struct loop *l, int64_t timeout_ms,
                         void (*end)(struct flow *f, const struct err *err), void *owner);
/* A part of f's work, with memory of its own: it has what is left of f's time, and f's
 * environment, caller, trace, log and priority, whose strings lie in f's arena. So f ends
 * it when f ends: cancel it there. */
struct flow *flow_child(struct flow *f,
                        void (*end)(struct flow *child, const struct err *err),
                        void *owner);
/* Runs the first step at once. */
void flow_start(struct flow *f, flow_step first);
/* The client went away, the process drains. err is copied. A flow that has ended is left
 * alone (until the turn is over); called while a step of f runs, f ends when it returns.
 */
void flow_cancel(struct flow *f, const struct err *err);

/* How a step ends. */
MUST_CHECK enum step flow_done(struct flow *f);
MUST_CHECK enum step flow_fail(struct flow *f, const struct err *err);
#define flow_fail_code(f, code, ...) \
    flow_fail((f), err_new(&(f)->arena, (code), __VA_ARGS__))
/* Continues with `next` when all waits started so far are over (at once if none is open,
 * in the same call and without recursion; after many such steps the loop gets a turn
 * between). A wait that was begun as `required` and failed ends the flow with its error
 * instead, at once. */
MUST_CHECK enum step flow_await(struct flow *f, flow_step next);

/* Another deadline, from now, for work that turns out to take longer; not for a flow that
 * has ended. What was started before keeps the one it had. */
void flow_set_deadline(struct flow *f, int64_t timeout_ms);
/* What is left until the deadline; 0 when it has passed. */
int64_t flow_left_ms(const struct flow *f);

/* ---- for the modules that offer waits (rpc, pg, cache, ...)
 * ------------------------------- */

/* Embedded in the operation's own struct, which lives in the flow's arena. */
struct wait {
    struct list link;
    struct flow *flow;
    /* Forget the operation: no wait_end after this; whatever comes later is dropped.
     * Called at most once, before the flow's `end`. */
    void (*cancel)(struct wait *w);
    const struct err *err; /* how it ended, NULL for well */
    bool required;
};

void wait_begin(struct flow *f, struct wait *w, void (*cancel)(struct wait *w),
                bool required);
/* Once per wait, and not after its cancel: the process dies of it. err lives in the
 * flow's arena or is static. May run the flow's next step before it returns: touch
 * nothing of the operation afterwards. */
void wait_end(struct wait *w, const struct err *err);

/* A wait for time alone. */
MUST_CHECK enum step flow_sleep(struct flow *f, int64_t ms, flow_step next);

/* A wait for work on a helper thread (password hashing, files): `work` runs there and
 * touches only `arg`, which lives in the heap and not in the arena, as the flow may end
 * first; `drop(arg)` (may be NULL) frees it, in the loop: together with the flow's arena,
 * so that later steps can read the result, or when the work is over if the flow ended
 * before. In that case `cancel(arg)` (may be NULL) is called at once, in the loop and
 * perhaps beside `work`: to make long work return. Work that has not begun when its flow
 * ends is never done. Threads and queue are
 * bounded by flow_pool_create; a full queue fails the flow with `overloaded`. A pool may
 * serve several loops; it is destroyed before them, and after their flows. */
struct flow_pool;
struct flow_pool *flow_pool_create(unsigned threads, unsigned queue_max);
void flow_pool_destroy(struct flow_pool *p);
struct flow_work {
    void (*work)(void *arg);
    void (*cancel)(void *arg);
    void (*drop)(void *arg);
};
MUST_CHECK enum step flow_offload(struct flow *f, struct flow_pool *p,
                                  const struct flow_work *work, void *arg,
                                  flow_step next);

#endif
