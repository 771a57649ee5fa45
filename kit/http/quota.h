// SPDX-License-Identifier: Apache-2.0
/*
 * What all listeners of a process may hold together: connections in all and of one
 * address (IPv6: of one /64), and bytes of request bodies. Any thread: a lock when a
 * connection comes or goes, atomics for bytes.
 */
#ifndef KIT_HTTP_QUOTA_H
#define KIT_HTTP_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;
struct http_quota;

struct http_quota_conf { /* 0: no limit */
    unsigned connections, connections_of_address;
    size_t body_bytes;
};

struct http_quota *http_quota_create(const struct http_quota_conf *conf);
/* Nobody holds anything any more. Takes NULL. */
void http_quota_destroy(struct http_quota *q);
/* What is held already stays. */
void http_quota_set(struct http_quota *q, const struct http_quota_conf *conf);

struct http_quota_key {
    unsigned char bytes[16];
};
struct http_quota_key http_quota_key(const struct sockaddr *peer);

enum http_quota_answer { HTTP_QUOTA_YES, HTTP_QUOTA_FULL, HTTP_QUOTA_ADDRESS_FULL };
/* key NULL: of no address, counts in all only. After YES, one http_quota_leave(). */
enum http_quota_answer http_quota_enter(struct http_quota *q,
                                        const struct http_quota_key *key);
void http_quota_leave(struct http_quota *q, const struct http_quota_key *key);

/* False: nothing was taken. */
bool http_quota_take_bytes(struct http_quota *q, size_t n);
void http_quota_give_bytes(struct http_quota *q, size_t n);

#endif
