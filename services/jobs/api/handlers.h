// SPDX-License-Identifier: Apache-2.0
/* What the jobs service answers: method by method. */
#ifndef JOBS_API_HANDLERS_H
#define JOBS_API_HANDLERS_H

#include "kit/rpc/server.h"

extern const struct rpc_handler jobs_handlers[];

#endif
