// SPDX-License-Identifier: Apache-2.0
/* The long-lived objects of one loop of the users service: f->env of every flow. */
#ifndef USERS_STORE_ENV_H
#define USERS_STORE_ENV_H

#include "kit/base/str.h"

struct users_env {
    struct pg_pool *pg;
    struct redis *redis;
    struct cache *users;            /* by id; holds what users.get answers */
    struct outbox_relay *relay;     /* in the first loop only, NULL in the others */
    const struct jwt_keyring *keys; /* of the process, unchanging */
    struct flow_pool *hashers;      /* of the process */
    struct str cursor_secret;
    struct str issuer, audience;
    int64_t access_s, refresh_s; /* lifetimes of tokens */
};

#endif
