// SPDX-License-Identifier: Apache-2.0
/*
 * A part of a long job in a flow of its own, so that its memory goes when it is over: a
 * job that reads a million rows in parts needs the memory of one part.
 */
#ifndef JOBS_KINDS_PART_H
#define JOBS_KINDS_PART_H

#include "kit/flow/flow.h"

/* Zeroed; lives as long as the parent. One part at a time. */
struct part {
    struct wait wait;
    struct flow *child;
};

/* Runs `first` in a child whose env, caller, trace and remaining time are the parent's
 * and whose f->state is `state`, which outlives it. A required wait of the parent. */
void part_start(struct flow *parent, struct part *p, flow_step first, void *state);

#endif
