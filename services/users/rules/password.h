// SPDX-License-Identifier: Apache-2.0
/*
 * Passwords: Argon2id (RFC 9106) by libsodium, 19 MiB and two passes as OWASP's cheat
 * sheet recommends, off the loop. At most as many run at once as the pool has threads.
 */
#ifndef USERS_RULES_PASSWORD_H
#define USERS_RULES_PASSWORD_H

#include "kit/flow/flow.h"

struct password_work;

/* Starts hashing; password_hashed() in `next` gives the hash, in the flow's arena. */
MUST_CHECK enum step password_hash(struct flow *f, struct str password,
                                   struct password_work **work, flow_step next);
struct str password_hashed(struct flow *f, const struct password_work *work);

/* Starts the check against a hash. An absent hash (no such user) costs the same time and
 * never matches. */
MUST_CHECK enum step password_check(struct flow *f, struct str password, struct str hash,
                                    struct password_work **work, flow_step next);
bool password_matched(const struct password_work *work);

/* Blocking, for the command line: out has 128 bytes. */
bool password_hash_now(const char *password, char *out);

#endif
