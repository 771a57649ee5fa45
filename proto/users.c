// SPDX-License-Identifier: Apache-2.0
/* The tables of proto/users.h and proto/common.h as data. */
#include "proto/users.h"

WIRE_DEFINE(empty, EMPTY)
WIRE_DEFINE(by_id, BY_ID)

WIRE_ENUM_DEFINE(user_status, USER_STATUS)
WIRE_ENUM_DEFINE(user_sort, USER_SORT)
WIRE_DEFINE(user, USER)
WIRE_DEFINE(user_create, USER_CREATE)
WIRE_DEFINE(user_patch_body, USER_PATCH_BODY)
WIRE_DEFINE(user_patch, USER_PATCH)
WIRE_DEFINE(user_query, USER_QUERY)
WIRE_DEFINE(user_page, USER_PAGE)
WIRE_DEFINE(login_body, LOGIN_BODY)
WIRE_DEFINE(login, LOGIN)
WIRE_DEFINE(refresh_body, REFRESH_BODY)
WIRE_DEFINE(refresh, REFRESH)
WIRE_DEFINE(tokens, TOKENS)
WIRE_DEFINE(api_key, API_KEY)
WIRE_DEFINE(api_key_create, API_KEY_CREATE)
WIRE_DEFINE(api_key_made, API_KEY_MADE)
WIRE_DEFINE(api_keys, API_KEYS)
WIRE_DEFINE(api_key_check, API_KEY_CHECK)
WIRE_DEFINE(api_key_owner, API_KEY_OWNER)
WIRE_DEFINE(jwk, JWK)
WIRE_DEFINE(jwks, JWKS)
WIRE_DEFINE(revoked_session, REVOKED_SESSION)
WIRE_DEFINE(revoked, REVOKED)

#define USERS_METHOD(...) RPC_METHOD_DEFINE("users", __VA_ARGS__)
USERS_METHODS(USERS_METHOD)
