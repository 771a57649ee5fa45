// SPDX-License-Identifier: Apache-2.0
/* What the users service says and hears: accounts, sessions, tokens, keys. */
#ifndef PROTO_USERS_H
#define PROTO_USERS_H

#include "proto/common.h"
#include "proto/scopes.h"

#define USER_STATUS(V)             \
    V(USER_ACTIVE, "active")       \
    V(USER_SUSPENDED, "suspended") \
    V(USER_DELETED, "deleted")
WIRE_ENUM(user_status, USER_STATUS)

#define USER(F, T)                                                                   \
    F(T, uuid, id, REQUIRED, 0, 0, "its id")                                         \
    F(T, email, email, REQUIRED, 3, 254, "login address")                            \
    F(T, str, name, REQUIRED, 1, 100, "display name")                                \
    F(T, strs, roles, REQUIRED, 0, 8, "what the user may be: user, admin")           \
    F(T, enum(user_status), status, REQUIRED, 0, 0, "only active users can sign in") \
    F(T, i64, version, REQUIRED, 1, INT64_MAX, "grows with every change")            \
    F(T, time, created_at, REQUIRED, 0, 0, "when it was registered")                 \
    F(T, time, updated_at, REQUIRED, 0, 0, "when it last changed")                   \
    F(T, uuid, tenant, OPTIONAL, 0, 0, "whose limits it shares; left out: nobody's")
WIRE_MESSAGE(user, USER)

#define USER_CREATE(F, T)                                                           \
    F(T, email, email, REQUIRED, 3, 254, "login address, unique whatever its case") \
    F(T, str, name, REQUIRED, 1, 100, "display name")                               \
    F(T, secret, password, REQUIRED, 10, 128, "at least 10 bytes")
WIRE_MESSAGE(user_create, USER_CREATE)

#define USER_PATCH_BODY(F, T)                                              \
    F(T, str, name, OPTIONAL, 1, 100, "new display name")                  \
    F(T, enum(user_status), status, OPTIONAL, 0, 0, "administrators only") \
    F(T, uuid, tenant, OPTIONAL, 0, 0,                                     \
      "administrators only: whose limits it shares; all zeros for nobody's")
WIRE_MESSAGE(user_patch_body, USER_PATCH_BODY)
#define USER_PATCH(F, T)                            \
    F(T, uuid, id, REQUIRED, 0, 0, "whose account") \
    USER_PATCH_BODY(F, T)                           \
    F(T, i64, if_version, OPTIONAL, 1, INT64_MAX, "only if it is still this version")
WIRE_MESSAGE(user_patch, USER_PATCH)

#define USER_SORT(V)                      \
    V(USER_SORT_CREATED_AT, "created_at") \
    V(USER_SORT_CREATED_AT_DESC, "-created_at")
WIRE_ENUM(user_sort, USER_SORT)

#define USER_QUERY(F, T)                                                     \
    PAGE_QUERY(F, T)                                                         \
    F(T, enum(user_sort), sort, OPTIONAL, 0, 0, "-created_at when left out") \
    F(T, enum(user_status), filter_status, OPTIONAL, 0, 0, "only these")     \
    F(T, email, filter_email, OPTIONAL, 3, 254, "the one with this address")
WIRE_MESSAGE(user_query, USER_QUERY)

#define USER_PAGE(F, T)                                    \
    F(T, list(user), items, REQUIRED, 0, 100, "the users") \
    F(T, str, next_cursor, OPTIONAL, 0, 200,               \
      "where the next page starts; left out on the last")
WIRE_MESSAGE(user_page, USER_PAGE)

/* --- sessions --- */

/* Whose key the client has proved to hold (RFC 9449); the gateway says it. */
#define HOLDER(F, T) F(T, str, jkt, OPTIONAL, 43, 43, "thumbprint of the key")

#define LOGIN_BODY(F, T)                                  \
    F(T, email, email, REQUIRED, 3, 254, "login address") \
    F(T, secret, password, REQUIRED, 1, 128, "password")
WIRE_MESSAGE(login_body, LOGIN_BODY)
#define LOGIN(F, T) LOGIN_BODY(F, T) HOLDER(F, T)
WIRE_MESSAGE(login, LOGIN)

#define REFRESH_BODY(F, T) \
    F(T, secret, refresh_token, REQUIRED, 1, 200, "the newest one of this session")
WIRE_MESSAGE(refresh_body, REFRESH_BODY)
#define REFRESH(F, T) REFRESH_BODY(F, T) HOLDER(F, T)
WIRE_MESSAGE(refresh, REFRESH)

#define TOKENS(F, T)                                                                \
    F(T, secret, access_token, REQUIRED, 1, 4096, "for the Authorization header")   \
    F(T, str, token_type, REQUIRED, 1, 20, "Bearer, or DPoP: bound to a key")       \
    F(T, i64, expires_in, REQUIRED, 0, INT64_MAX, "seconds the access token lives") \
    F(T, secret, refresh_token, REQUIRED, 1, 200, "opaque; good for one refresh")   \
    F(T, i64, refresh_expires_in, REQUIRED, 0, INT64_MAX,                           \
      "seconds the refresh token lives")                                            \
    F(T, uuid, session_id, REQUIRED, 0, 0, "the session both belong to")
WIRE_MESSAGE(tokens, TOKENS)

/* --- API keys --- */

#define API_KEY(F, T)                                                         \
    F(T, uuid, id, REQUIRED, 0, 0, "its id")                                  \
    F(T, str, name, REQUIRED, 1, 100, "what it is for, in your words")        \
    F(T, str, start, REQUIRED, 1, 16, "how the key begins, to know it by")    \
    F(T, strs, scopes, REQUIRED, 0, 16, "what it is good for")                \
    F(T, time, created_at, REQUIRED, 0, 0, "when it was made")                \
    F(T, time, expires_at, OPTIONAL, 0, 0, "not good from then on; or never") \
    F(T, str, last_used_on, OPTIONAL, 10, 10, "the day (UTC) of its last use")
WIRE_MESSAGE(api_key, API_KEY)

#define API_KEY_CREATE(F, T)                                                 \
    F(T, str, name, REQUIRED, 1, 100, "what it is for, in your words")       \
    F(T, strs, scopes, REQUIRED, 1, 16, "what it is good for: " SCOPES_TEXT) \
    F(T, time, expires_at, OPTIONAL, 0, 0, "not good from then on; never when left out")
WIRE_MESSAGE(api_key_create, API_KEY_CREATE)

#define API_KEY_MADE(F, T) \
    API_KEY(F, T)          \
    F(T, secret, key, REQUIRED, 1, 100, "for Authorization: Bearer; shown this once")
WIRE_MESSAGE(api_key_made, API_KEY_MADE)

enum { API_KEYS_MAX = 50, API_KEYS_LISTED = 100 };
#define API_KEYS(F, T) \
    F(T, list(api_key), items, REQUIRED, 0, API_KEYS_LISTED, "all that are not revoked")
WIRE_MESSAGE(api_keys, API_KEYS)

/* --- for the gateway --- */

#define API_KEY_CHECK(F, T) \
    F(T, bytes, digest, REQUIRED, 32, 32, "of the key, see kit/apikey")
WIRE_MESSAGE(api_key_check, API_KEY_CHECK)
#define API_KEY_OWNER(F, T)                                                 \
    F(T, uuid, key_id, REQUIRED, 0, 0, "which key it is")                   \
    F(T, uuid, user_id, REQUIRED, 0, 0, "whose")                            \
    F(T, i64, roles, REQUIRED, 0, UINT32_MAX, "bits: what it acts as")      \
    F(T, i64, scopes, REQUIRED, 0, UINT32_MAX, "bits: what it is good for") \
    F(T, time, expires_at, OPTIONAL, 0, 0, "not good from then on")         \
    F(T, uuid, tenant, OPTIONAL, 0, 0, "of the user")
WIRE_MESSAGE(api_key_owner, API_KEY_OWNER)

/* While users is away a gateway trusts for so long what it was told last of a key; a
 * revocation is told for longer. */
enum { API_KEY_STALE_S = 300, API_KEY_REVOKED_S = 600 };

#define JWK(F, T)                                                    \
    F(T, str, kty, REQUIRED, 1, 10, "OKP")                           \
    F(T, str, crv, REQUIRED, 1, 20, "Ed25519")                       \
    F(T, str, use, REQUIRED, 1, 10, "sig")                           \
    F(T, str, alg, REQUIRED, 1, 20, "EdDSA")                         \
    F(T, str, kid, REQUIRED, 1, 64, "key id, in the token's header") \
    F(T, str, x, REQUIRED, 1, 64, "public key, base64url")
WIRE_MESSAGE(jwk, JWK)
#define JWKS(F, T) \
    F(T, list(jwk), keys, REQUIRED, 0, 16, "every key that may have signed")
WIRE_MESSAGE(jwks, JWKS)

#define REVOKED_SESSION(F, T)                                                         \
    F(T, uuid, session_id, REQUIRED, 0, 0, "void: a session's tokens, or an API key") \
    F(T, time, until, REQUIRED, 0, 0, "none of them lives longer than this")
WIRE_MESSAGE(revoked_session, REVOKED_SESSION)
#define REVOKED(F, T)                                         \
    F(T, list(revoked_session), sessions, REQUIRED, 0, 10000, \
      "the newest, not yet expired")
WIRE_MESSAGE(revoked, REVOKED)

/*   number, symbol, name, in, out, idempotent, longest ms */
#define USERS_METHODS(M)                                                                 \
    M(0x0101, USERS_CREATE, "users.create", user_create, user, false, 5000)              \
    M(0x0102, USERS_GET, "users.get", by_id, user, true, 2000)                           \
    M(0x0103, USERS_PATCH, "users.patch", user_patch, user, false, 3000)                 \
    M(0x0104, USERS_LIST, "users.list", user_query, user_page, true, 3000)               \
    M(0x0105, USERS_DELETE, "users.delete", by_id, empty, true, 3000)                    \
    M(0x0110, USERS_LOGIN, "users.login", login, tokens, false, 5000)                    \
    M(0x0111, USERS_REFRESH, "users.refresh", refresh, tokens, false, 3000)              \
    M(0x0112, USERS_LOGOUT, "users.logout", empty, empty, true, 3000)                    \
    M(0x0113, USERS_KEY_CREATE, "users.key_create", api_key_create, api_key_made, false, \
      3000)                                                                              \
    M(0x0114, USERS_KEY_LIST, "users.key_list", empty, api_keys, true, 2000)             \
    M(0x0115, USERS_KEY_GET, "users.key_get", by_id, api_key, true, 2000)                \
    M(0x0116, USERS_KEY_REVOKE, "users.key_revoke", by_id, empty, true, 3000)            \
    M(0x0120, USERS_JWKS, "users.jwks", empty, jwks, true, 1000)                         \
    M(0x0121, USERS_REVOKED, "users.revoked", empty, revoked, true, 1000)                \
    M(0x0122, USERS_KEY_CHECK, "users.key_check", api_key_check, api_key_owner, true,    \
      1000)
USERS_METHODS(RPC_METHOD_DECLARE)

/* Redis channel of revocations: "<uuid of a session or an API key> <unix seconds until>".
 */
#define REVOKED_CHANNEL "viaduct:revoked"

#endif
