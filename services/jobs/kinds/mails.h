// SPDX-License-Identifier: Apache-2.0
/* What our mails say. Pure. */
#ifndef JOBS_KINDS_MAILS_H
#define JOBS_KINDS_MAILS_H

#include "jobs/kinds/mime.h"
#include "jobs/rules/payloads.h"
#include "proto/orders.h"
#include "proto/users.h"

enum { MAIL_MAX_BYTES = 1024 * 1024 };

/* Fills subject, text and html; they live in the arena. `order` for mails about one. */
void mail_compose(struct arena *a, enum mail_template template, const struct user *user,
                  const struct order *order, struct mail *out);

#endif
