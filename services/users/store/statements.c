// SPDX-License-Identifier: Apache-2.0
/* The list of statements. */
#include "users/store/statements.h"

#include "sql.h"

const struct pg_stmt *const users_statements[] = {
    &sql_user_insert,     &sql_user_get,       &sql_user_update,
    &sql_user_delete,     &sql_users_asc,      &sql_users_desc,
    &sql_sign_in_lookup,  &sql_sign_in_failed, &sql_session_open,
    &sql_session_refresh, &sql_session_revoke, &sql_sessions_revoked,
    &sql_sessions_sweep,  &sql_api_key_insert, &sql_api_keys_of_user,
    &sql_api_key_revoke,  &sql_api_key_check,  0,
};
