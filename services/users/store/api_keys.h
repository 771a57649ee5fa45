// SPDX-License-Identifier: Apache-2.0
/* API keys in PostgreSQL; halves as in users/store/users.h. */
#ifndef USERS_STORE_API_KEYS_H
#define USERS_STORE_API_KEYS_H

#include "kit/digest/digest.h"
#include "kit/flow/flow.h"
#include "proto/users.h"

struct pg_query;

struct new_api_key {
    struct str name, start;
    struct sha256 digest;
    uint32_t scopes;
    bool has_expires_at;
    int64_t expires_at;
};
/* Of the caller. */
struct pg_query *store_api_key_insert(struct flow *f, const struct new_api_key *k);
/* false: the caller has API_KEYS_MAX of them. */
bool store_api_key_insert_read(struct flow *f, const struct pg_query *q,
                               struct api_key_made *out);

/* The caller's; `only` NULL: all. */
struct pg_query *store_api_keys(struct flow *f, const struct uuid *only);
void store_api_keys_read(struct flow *f, const struct pg_query *q, struct api_keys *out);
/* false: the caller has no such key. */
bool store_api_key_read(struct flow *f, const struct pg_query *q, struct api_key *out);

struct pg_query *store_api_key_revoke(struct flow *f, struct uuid id);
/* false: the caller never had such a key. Every gateway is told. */
bool store_api_key_revoke_read(struct flow *f, const struct pg_query *q, struct uuid id);

/* Notes the day. */
struct pg_query *store_api_key_check(struct flow *f, struct str digest);
/* false: no such key, or not any more. */
bool store_api_key_check_read(const struct pg_query *q, struct api_key_owner *out);

#endif
