// SPDX-License-Identifier: Apache-2.0
/* The method table. Decoding and encoding are the message tables' (kit/rpc does them). */
#include "users/api/handlers.h"

#include "proto/users.h"
#include "users/rules/accounts.h"
#include "users/rules/api_keys.h"
#include "users/rules/sessions.h"

const struct rpc_handler users_handlers[] = {
    {&USERS_CREATE, account_create},     {&USERS_GET, account_get},
    {&USERS_PATCH, account_patch},       {&USERS_LIST, account_list},
    {&USERS_DELETE, account_delete},     {&USERS_LOGIN, sign_in},
    {&USERS_REFRESH, session_refresh},   {&USERS_LOGOUT, sign_out},
    {&USERS_JWKS, public_keys},          {&USERS_REVOKED, revoked_sessions},
    {&USERS_KEY_CREATE, api_key_create}, {&USERS_KEY_LIST, api_key_list},
    {&USERS_KEY_GET, api_key_get},       {&USERS_KEY_REVOKE, api_key_revoke},
    {&USERS_KEY_CHECK, api_key_check},   {0},
};
