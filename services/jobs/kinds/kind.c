// SPDX-License-Identifier: Apache-2.0
/* Kind -> its work. */
#include "jobs/kinds/kind.h"

static const flow_step work[] = {
    [JOB_EMAIL] = email_work,
    [JOB_REPORT] = report_work,
};

flow_step job_work(enum job_kind kind)
{
    return (unsigned)kind < sizeof work / sizeof *work ? work[kind] : NULL;
}
