// SPDX-License-Identifier: Apache-2.0
/*
 * Who may do what: one explicit table, role by permission. Roles travel as bits on the
 * hop and by name in tokens and JSON. Ownership ("my own order") is not here: it is
 * decided in the rules of the service that owns the thing.
 */
#ifndef PROTO_ROLES_H
#define PROTO_ROLES_H

#include <stdbool.h>
#include <stdint.h>

/* Bit numbers are part of the protocol: never reused. */
#define ROLES(R)              \
    R(ROLE_USER, 0, "user")   \
    R(ROLE_ADMIN, 1, "admin") \
    R(ROLE_SERVICE, 2, "service")

enum role {
#define ROLE_BIT(symbol, bit, name) symbol = 1u << (bit),
    ROLES(ROLE_BIT)
#undef ROLE_BIT
};

/*   symbol, name, roles that have it */
#define PERMISSIONS(P)                                                \
    P(PERM_NONE, "", ROLE_USER | ROLE_ADMIN | ROLE_SERVICE)           \
    P(PERM_USERS_LIST, "users:list", ROLE_ADMIN)                      \
    P(PERM_USERS_READ_ANY, "users:read", ROLE_ADMIN | ROLE_SERVICE)   \
    P(PERM_USERS_WRITE_ANY, "users:write", ROLE_ADMIN)                \
    P(PERM_PRODUCTS_WRITE, "products:write", ROLE_ADMIN)              \
    P(PERM_ORDERS_READ_ANY, "orders:read", ROLE_ADMIN | ROLE_SERVICE) \
    P(PERM_ORDERS_FULFIL, "orders:fulfil", ROLE_ADMIN)                \
    P(PERM_REPORTS_CREATE, "reports:create", ROLE_ADMIN)              \
    P(PERM_JOBS_READ_ANY, "jobs:read", ROLE_ADMIN)

enum permission {
#define PERMISSION_ENUM(symbol, name, roles) symbol,
    PERMISSIONS(PERMISSION_ENUM)
#undef PERMISSION_ENUM
};

bool permission_granted(uint32_t roles, enum permission p);
const char *permission_name(enum permission p);

/* By bit number, NULL-terminated. */
extern const char *const ROLE_NAMES[];

#endif
