// SPDX-License-Identifier: Apache-2.0
/* The table of rules/errors.h as data. */
#include "jobs/rules/errors.h"

JOB_ERRORS(ERR_DEFINE)
