// SPDX-License-Identifier: Apache-2.0
/*
 * Accounts in PostgreSQL, single ones read through the cache. Each operation has two
 * halves: store_x() starts its one statement as a required wait of the flow,
 * store_x_read() reads the answer in the step after flow_await(). What is read lives as
 * long as the flow.
 */
#ifndef USERS_STORE_USERS_H
#define USERS_STORE_USERS_H

#include "kit/cursor/page.h"
#include "kit/flow/flow.h"
#include "proto/users.h"

struct pg_query;
struct cache_get;

/* With the event user.registered. */
struct pg_query *store_user_insert(struct flow *f, struct uuid id,
                                   const struct user_create *in,
                                   struct str password_hash);
/* false: the e-mail address is taken. */
bool store_user_insert_read(struct flow *f, const struct pg_query *q, struct user *out);

struct cache_get *store_user_get(struct flow *f, struct uuid id);
/* *found false: there is no such user. */
MUST_CHECK const struct err *store_user_get_read(struct flow *f,
                                                 const struct cache_get *g,
                                                 struct user *out, bool *found);

struct pg_query *store_user_update(struct flow *f, const struct user_patch *in);
enum user_updated { USER_UPDATED, USER_NONE, USER_OTHER_VERSION };
/* Caches forget the user; sessions that ended are told to the gateways. */
enum user_updated store_user_update_read(struct flow *f, const struct pg_query *q,
                                         struct uuid id, struct user *out);

struct pg_query *store_user_delete(struct flow *f, struct uuid id);
void store_user_delete_read(struct flow *f, const struct pg_query *q, struct uuid id);

struct user_filter {
    bool has_status;
    enum user_status status;
    struct str email; /* absent: any */
    bool descending;
};
struct pg_query *store_user_list(struct flow *f, const struct user_filter *filter,
                                 const struct page *page);
void store_user_list_read(struct flow *f, const struct pg_query *q,
                          const struct page *page, struct user_page *out);

#endif
