// SPDX-License-Identifier: Apache-2.0
/* First steps of what can be done with accounts; f->in and f->out are the method's
 * messages. */
#ifndef USERS_RULES_ACCOUNTS_H
#define USERS_RULES_ACCOUNTS_H

#include "kit/flow/flow.h"

enum step account_create(struct flow *f);
enum step account_get(struct flow *f);
enum step account_patch(struct flow *f);
enum step account_delete(struct flow *f);
enum step account_list(struct flow *f);

#endif
