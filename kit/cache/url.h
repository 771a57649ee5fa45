// SPDX-License-Identifier: Apache-2.0
/* redis://[[user]:password@]host[:port][/db], host a name, an IPv4 or a [IPv6] address.
 */
#ifndef KIT_CACHE_URL_H
#define KIT_CACHE_URL_H

#include "kit/base/str.h"

enum { REDIS_URL_PART_MAX = 256, REDIS_URL_PORT = 6379 };

struct redis_url {
    char host[REDIS_URL_PART_MAX];
    char user[REDIS_URL_PART_MAX];     /* "": none */
    char password[REDIS_URL_PART_MAX]; /* "": none */
    int port;
    int db;
};

bool redis_url_parse(struct str url, struct redis_url *out);

#endif
