// SPDX-License-Identifier: Apache-2.0
/* The users and orders services as the worker meets them: a hop server of the test that
 * answers three methods from what stands here. */
#ifndef TESTS_INTEGRATION_JOBS_PEERS_H
#define TESTS_INTEGRATION_JOBS_PEERS_H

#include "kit/loop/loop.h"

struct peers {
    const char *email, *name; /* of every user; email NULL: there is no such user */
    int rows;                 /* orders in every period */
    int64_t page_ms;          /* how long a page takes */
    int pages_asked;
    int pages_most; /* those asked for beyond wait until it is 0, or more */
};
extern struct peers peers;

void peers_start(struct loop *l);
void peers_stop(struct loop *l);
const char *peers_users_url(void);
const char *peers_orders_url(void);

#endif
