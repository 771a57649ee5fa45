// SPDX-License-Identifier: Apache-2.0
/* Which job an event asks for: one table. Pure. */
#ifndef JOBS_RULES_FROM_EVENT_H
#define JOBS_RULES_FROM_EVENT_H

#include "jobs/store/jobs.h"

enum event_use {
    EVENT_IGNORED,   /* no job for events of this type */
    EVENT_MAKES_JOB, /* *out has all but the id */
    EVENT_MALFORMED,
};

/* *out lives in the arena. */
enum event_use job_of_event(struct arena *a, struct str type, struct str body,
                            struct job_new *out);

#endif
