// SPDX-License-Identifier: Apache-2.0
/*
 * Who the client is when proxies stand in front, and whether its address may come in.
 *
 * A proxy appends the address it got a request from. So the fields are read from the
 * right, as long as whoever wrote an entry is a trusted proxy; the first address that is
 * not one is the client. What stands left of it anybody could have written. Only one of
 * the two fields is read: a proxy that writes one passes the other on as the client sent
 * it. An entry that is no address (RFC 7239: "unknown", "_name") ends the reading: the
 * proxy that wrote it is the client then.
 */
#ifndef GATEWAY_EDGE_CLIENT_H
#define GATEWAY_EDGE_CLIENT_H

#include "gateway/edge/route.h"
#include "kit/base/cidr.h"

enum client_field { CLIENT_X_FORWARDED_FOR, CLIENT_FORWARDED };

struct client_conf {     /* CIDR lists but for the field */
    const char *trusted; /* proxies */
    const char *field;   /* "x-forwarded-for" or "forwarded" */
    const char *deny;    /* everywhere */
    struct {
        const char *allow, *deny; /* allow empty: any */
    } of_class[ROUTE_CLASS_COUNT];
};

struct client_rules {
    struct cidr_list trusted, deny;
    struct {
        struct cidr_list allow, deny;
    } of_class[ROUTE_CLASS_COUNT];
    enum client_field field;
};

/* The error says which setting is bad. The rules are good as long as the arena. */
MUST_CHECK const struct err *client_rules_read(struct arena *a,
                                               const struct client_conf *c,
                                               struct client_rules *out);

/* The client of a request from `peer`; a part of the request, or `peer`. */
struct str client_address(const struct client_rules *rules, const struct http_req *http,
                          struct str peer);

/* What limits count: the IPv4 address, or the /64 of an IPv6 one, as a subscriber has at
 * least that many addresses (RFC 6177). In the arena, or `address`. */
struct str client_counted(struct arena *a, struct str address);

/* By the list for all and those of the route's class; a denied address is denied also
 * when it is allowed. route NULL: none found. */
bool client_may(const struct client_rules *rules, struct str address,
                const struct route *route);

#endif
