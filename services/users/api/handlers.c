// SPDX-License-Identifier: Apache-2.0
/* The method table. Decoding and encoding are the message tables' (kit/rpc does them). */
#include "users/api/handlers.h"

#include "proto/users.h"
#include "users/rules/accounts.h"
#include "users/rules/sessions.h"

const struct rpc_handler users_handlers[] = {
    {&USERS_CREATE, account_create},
    {&USERS_GET, account_get},
    {&USERS_PATCH, account_patch},
    {&USERS_LIST, account_list},
    {&USERS_DELETE, account_delete},
    {&USERS_LOGIN, sign_in},
    {&USERS_REFRESH, session_refresh},
    {&USERS_LOGOUT, sign_out},
    {&USERS_JWKS, public_keys},
    {&USERS_REVOKED, revoked_sessions},
    {0},
};
