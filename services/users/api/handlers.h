// SPDX-License-Identifier: Apache-2.0
/* What the users service answers: method by method. */
#ifndef USERS_API_HANDLERS_H
#define USERS_API_HANDLERS_H

#include "kit/rpc/server.h"

extern const struct rpc_handler users_handlers[];

#endif
