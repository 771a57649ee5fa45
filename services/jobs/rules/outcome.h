// SPDX-License-Identifier: Apache-2.0
/*
 * What becomes of a job after an attempt that failed. Pure.
 *   permanent   the same again would fail the same way: dead
 *   transient   again after a growing, jittered pause; dead after the kind's last attempt
 *   dependency  something else is down: parked until it may be back, at no cost
 */
#ifndef JOBS_RULES_OUTCOME_H
#define JOBS_RULES_OUTCOME_H

#include "jobs/rules/policy.h"
#include "jobs/store/ledger.h"
#include "kit/base/err.h"

enum failure_class { FAILURE_PERMANENT, FAILURE_TRANSIENT, FAILURE_DEPENDENCY };

enum failure_class failure_class(const struct err *err);
const char *failure_class_name(enum failure_class c);

/* attempts: this one included. */
struct job_settlement job_failed(const struct job_policy *policy, int64_t attempts,
                                 const struct err *err);
/* Given back untouched: the worker stops, or could not prove its lease. */
struct job_settlement job_released(void);

#endif
