// SPDX-License-Identifier: Apache-2.0
/*
 * Sessions that ended before their access tokens did. News come over Redis within
 * milliseconds; the whole list is fetched from the users service whenever news may have
 * been missed: after each subscription, and every second while Redis is away. Bounded;
 * entries go when no token of theirs can be valid any more.
 */
#ifndef GATEWAY_EDGE_REVOCATIONS_H
#define GATEWAY_EDGE_REVOCATIONS_H

#include "kit/cache/redis.h"
#include "kit/rpc/client.h"

struct revocations;

struct revocations *revocations_create(struct loop *l, struct redis *redis,
                                       struct rpc_client *rpc);
void revocations_destroy(struct revocations *r);

bool revocations_have(const struct revocations *r, struct uuid session, int64_t at_s);
/* The list has been fetched once. Any thread. */
bool revocations_synced(const struct revocations *r);

#endif
