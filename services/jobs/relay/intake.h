// SPDX-License-Identifier: Apache-2.0
/*
 * Events become jobs: each message of viaduct.events that asks for one becomes a row in
 * the ledger, and its offset moves on when that row is committed. An event that comes
 * twice meets the unique (event_id, kind); one that cannot be read is said and passed
 * over, as it would stop all that follow.
 */
#ifndef JOBS_RELAY_INTAKE_H
#define JOBS_RELAY_INTAKE_H

#include "kit/base/err.h"
#include "kit/loop/loop.h"

struct event_intake;
struct jobs_env;

struct event_intake_conf {
    const char *brokers;
    const char *group, *topic; /* "viaduct-jobs", EVENTS_TOPIC */
};

MUST_CHECK const struct err *event_intake_create(struct arena *a, struct loop *l,
                                                 const struct event_intake_conf *conf,
                                                 const struct jobs_env *env,
                                                 struct event_intake **out);
/* Events under way come again to the next owner. */
void event_intake_destroy(struct event_intake *in);
/* Any thread. */
bool event_intake_up(const struct event_intake *in);

#endif
