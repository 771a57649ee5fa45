// SPDX-License-Identifier: Apache-2.0
/* First steps of signing in and out; f->in and f->out are the method's messages. */
#ifndef USERS_RULES_SESSIONS_H
#define USERS_RULES_SESSIONS_H

#include "kit/flow/flow.h"

enum { REFRESH_GRACE_MS = 10000 };

enum step sign_in(struct flow *f);
enum step session_refresh(struct flow *f);
enum step sign_out(struct flow *f);

/* For the gateways. */
enum step public_keys(struct flow *f);
enum step revoked_sessions(struct flow *f);

/* Housekeeping, no request: removes what nobody can use any more. */
enum step sessions_sweep(struct flow *f);

#endif
