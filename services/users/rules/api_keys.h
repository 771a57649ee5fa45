// SPDX-License-Identifier: Apache-2.0
/* First steps of what people do with their API keys, and of the gateways' question about
 * one; f->in and f->out are the method's messages. A caller without a session is an API
 * key itself: it may do none of the former. */
#ifndef USERS_RULES_API_KEYS_H
#define USERS_RULES_API_KEYS_H

#include "kit/flow/flow.h"

enum step api_key_create(struct flow *f);
enum step api_key_list(struct flow *f);
enum step api_key_get(struct flow *f);
enum step api_key_revoke(struct flow *f);

/* For the gateways. */
enum step api_key_check(struct flow *f);

#endif
