// SPDX-License-Identifier: Apache-2.0
/* The long-lived objects of one loop of the jobs service: f->env of every flow. */
#ifndef JOBS_STORE_ENV_H
#define JOBS_STORE_ENV_H

#include "kit/base/str.h"

struct jobs_env {
    struct pg_pool *pg;
    struct str cursor_secret;
    /* A job was just queued: the dispatcher may look now. NULL where there is none. */
    void (*queued)(void *arg);
    void *queued_arg;
    struct rpc_client *rpc; /* to users and orders; workers only */
    struct mailer *mailer;  /* workers only */
    struct str mail_from;   /* "Name <address>" of our mails */
};

#endif
