// SPDX-License-Identifier: Apache-2.0
/* Access and refresh tokens of a session. */
#ifndef USERS_RULES_TOKENS_H
#define USERS_RULES_TOKENS_H

#include "kit/flow/flow.h"
#include "proto/users.h"
#include "users/store/sessions.h"

/* A new opaque refresh token, 256 random bits as base64url, and what is stored of it. */
struct str refresh_token_new(struct arena *a, struct digest *digest);
struct digest token_digest(struct str token);
/* Of an address as it is compared: lower case. */
struct digest address_digest(struct str email);

/* Fills *out: a fresh access token, for who holds the key jkt if that is there, and the
 * given refresh token. */
MUST_CHECK const struct err *tokens_issue(struct flow *f, const struct refreshed *session,
                                          struct str refresh_token, struct str jkt,
                                          struct tokens *out);

#endif
