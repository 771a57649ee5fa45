// SPDX-License-Identifier: Apache-2.0
/* The two things that viaduct-jobs can be, in one process or in two. What is not made per
 * loop runs in the first one. */
#ifndef JOBS_ROLES_H
#define JOBS_ROLES_H

#include "conf.h"
#include "jobs/store/env.h"

/* api: answers the hop, takes in events, dispatches jobs, keeps the ledger in order. */
MUST_CHECK const struct err *api_role_start(struct arena *a, const struct jobs_conf *c);
MUST_CHECK const struct err *api_role_loop_start(struct arena *a, struct svc *s,
                                                 struct loop *l, unsigned index,
                                                 struct jobs_env *env);
void api_role_drain(void);
bool api_role_idle(void);
void api_role_loop_stop(struct loop *l, unsigned index);
void api_role_stop(void);

/* worker: does jobs. In the first loop only. */
MUST_CHECK const struct err *worker_role_start(struct arena *a, struct svc *s,
                                               struct loop *l, struct jobs_env *env);
void worker_role_drain(void);
bool worker_role_idle(void);
void worker_role_stop(struct jobs_env *env);

#endif
