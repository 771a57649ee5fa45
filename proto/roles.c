// SPDX-License-Identifier: Apache-2.0
/* The tables of proto/roles.h as data. */
#include "proto/roles.h"

#include <stddef.h>

const char *const ROLE_NAMES[] = {
#define ROLE_NAME(symbol, bit, name) [bit] = name,
    ROLES(ROLE_NAME)
#undef ROLE_NAME
        NULL,
};

static const struct {
    const char *name;
    uint32_t roles;
} permissions[] = {
#define PERMISSION_ROW(symbol, name, roles) {name, roles},
    PERMISSIONS(PERMISSION_ROW)
#undef PERMISSION_ROW
};

bool permission_granted(uint32_t roles, enum permission p)
{
    return (permissions[p].roles & roles) != 0;
}

const char *permission_name(enum permission p)
{
    return permissions[p].name;
}
