// SPDX-License-Identifier: Apache-2.0
/* A flow that is a wait of another. */
#include "jobs/kinds/part.h"

static void part_ended(struct flow *child, const struct err *err)
{
    struct part *p = child->owner;

    p->child = NULL;
    if (p->wait.flow) /* not cancelled by the parent */
        wait_end(&p->wait, err ? err_copy(&p->wait.flow->arena, err) : NULL);
}

static void part_cancelled(struct wait *w)
{
    struct part *p = CONTAINER_OF(w, struct part, wait);

    w->flow = NULL;
    flow_cancel(p->child, ERR_STATIC(CANCELLED));
}

void part_start(struct flow *parent, struct part *p, flow_step first, void *state)
{
    struct flow *child = flow_create(parent->loop, flow_left_ms(parent), part_ended, p);

    *p = (struct part){.child = child};
    child->env = parent->env;
    child->caller = parent->caller;
    child->trace = parent->trace;
    child->log = parent->log;
    child->state = state;
    wait_begin(parent, &p->wait, part_cancelled, true);
    flow_start(child, first);
}
