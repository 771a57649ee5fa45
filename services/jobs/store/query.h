// SPDX-License-Identifier: Apache-2.0
/* The two lines that every statement of the store begins and ends with. */
#ifndef JOBS_STORE_QUERY_H
#define JOBS_STORE_QUERY_H

#include "jobs/store/env.h"
#include "kit/pg/pg.h"

static inline struct pg_query *query(struct flow *f, const struct pg_stmt *stmt)
{
    const struct jobs_env *env = f->env;

    return pg_query(f, env->pg, stmt);
}

static inline struct pg_query *start(struct flow *f, struct pg_query *q)
{
    pg_start(f, q, true);
    return q;
}

#endif
