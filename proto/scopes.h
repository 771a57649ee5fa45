// SPDX-License-Identifier: Apache-2.0
/*
 * What an API key may be good for: one explicit table. A route names the scopes a key
 * needs for it (gateway/edge/route.h); one that names none is not for keys at all. A
 * scope never gives more than the account has: it takes one of these roles, and a key
 * without the scope `admin` acts as if its account had no other role than `user`.
 */
#ifndef PROTO_SCOPES_H
#define PROTO_SCOPES_H

#include "kit/base/arena.h"
#include "kit/base/str.h"
#include "proto/roles.h"

#include <stdint.h>

#define SCOPES_ANYBODYS (ROLE_USER | ROLE_ADMIN | ROLE_SERVICE)

/* Bit numbers and names are stored and travel: never reused.
 *   symbol, bit, name, roles one of which the account must have */
#define SCOPES(S)                                             \
    S(SCOPE_ACCOUNT_READ, 0, "account:read", SCOPES_ANYBODYS) \
    S(SCOPE_ORDERS_READ, 1, "orders:read", SCOPES_ANYBODYS)   \
    S(SCOPE_ORDERS_WRITE, 2, "orders:write", SCOPES_ANYBODYS) \
    S(SCOPE_JOBS_READ, 3, "jobs:read", SCOPES_ANYBODYS)       \
    S(SCOPE_ADMIN, 4, "admin", ROLE_ADMIN)                    \
    S(SCOPE_USERS_LIST, 5, "users:list", ROLE_ADMIN)          \
    S(SCOPE_PRODUCTS_WRITE, 6, "products:write", ROLE_ADMIN)  \
    S(SCOPE_ORDERS_FULFIL, 7, "orders:fulfil", ROLE_ADMIN)    \
    S(SCOPE_REPORTS_CREATE, 8, "reports:create", ROLE_ADMIN)

/* For the documents. */
#define SCOPES_TEXT                                                                  \
    "account:read, orders:read, orders:write, jobs:read; of administrators: admin, " \
    "and with it users:list, products:write, orders:fulfil, reports:create"

enum scope {
#define SCOPE_BIT(symbol, bit, name, roles) symbol = 1u << (bit),
    SCOPES(SCOPE_BIT)
#undef SCOPE_BIT
};

enum { SCOPES_COUNT = 9 };

/* 0: no scope has this name. */
uint32_t scope_of(struct str name);
/* Of one bit of the table. */
const char *scope_name(uint32_t scope);
/* Names with spaces between (RFC 6749 section 3.3), and back; unknown names give no bit.
 */
struct str scopes_text(struct arena *a, uint32_t scopes);
uint32_t scopes_of(struct str text);

/* The roles that a key with these scopes acts with, of an account with those. */
uint32_t scopes_roles(uint32_t scopes, uint32_t roles);
/* Those of them that the account (or the rest of them) does not reach to. */
uint32_t scopes_beyond(uint32_t scopes, uint32_t roles);

#endif
