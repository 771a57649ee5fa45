// SPDX-License-Identifier: Apache-2.0
/*
 * Sets of IP addresses in CIDR notation (RFC 4632, RFC 4291 section 2.3). IPv4 addresses
 * are their IPv4-mapped IPv6 addresses, so "10.0.0.0/8" also has ::ffff:10.1.2.3.
 */
#ifndef KIT_BASE_CIDR_H
#define KIT_BASE_CIDR_H

#include "kit/base/arena.h"
#include "kit/base/err.h"

struct ip {
    uint8_t bytes[16];
};

/* "192.0.2.1", "2001:db8::1"; no zone, no port, no brackets. */
bool ip_parse(struct str text, struct ip *out);

struct cidr {
    struct ip net;
    unsigned bits; /* of 128 */
};

struct cidr_list {
    struct cidr *v;
    unsigned n;
};

/* "10.0.0.0/8, ::1": comma-separated; an address alone is itself. NULL or nothing but
 * spaces: an empty list. The error names the bad part; bits behind the prefix must be 0.
 * The list lives in the arena. */
MUST_CHECK const struct err *cidr_list_parse(struct arena *a, const char *text,
                                             struct cidr_list *out);
bool cidr_list_has(const struct cidr_list *l, const struct ip *ip);

#endif
