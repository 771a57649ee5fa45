// SPDX-License-Identifier: Apache-2.0
/*
 * The ledger's housekeeping, by every api process, side by side without harm: jobs whose
 * lease is over go back into the queue or into quarantine (store/sql/jobs_reap.sql), old
 * successes are removed, gauges are set.
 */
#ifndef JOBS_RELAY_UPKEEP_H
#define JOBS_RELAY_UPKEEP_H

#include "kit/loop/loop.h"

struct upkeep;
struct jobs_env;

struct upkeep_conf {
    int64_t lease_ms;
    int64_t every_ms; /* how often leases are looked at */
    int64_t keep_ms;  /* how long a success is kept */
};

struct upkeep *upkeep_create(struct loop *l, const struct upkeep_conf *conf,
                             const struct jobs_env *env);
void upkeep_destroy(struct upkeep *u);

#endif
