// SPDX-License-Identifier: Apache-2.0
/* API keys: one statement per operation. */
#include "users/store/api_keys.h"

#include "sql.h"
#include "users/store/env.h"
#include "users/store/sessions.h"

#include "kit/pg/pg.h"

enum { SCOPES_COLUMN = 3 };

static struct pg_query *query(struct flow *f, const struct pg_stmt *stmt)
{
    const struct users_env *env = f->env;

    return pg_query(f, env->pg, stmt);
}

static struct str_list scope_names(struct arena *a, struct str text)
{
    struct str_list list = {ARENA_ARRAY(a, struct str, SCOPES_COUNT), 0};

    text = arena_str(a, text);
    while (text.n > 0 && list.n < SCOPES_COUNT)
        list.v[list.n++] = str_split(text, ' ', &text);
    return list;
}

/* ---- making one ---- */

struct pg_query *store_api_key_insert(struct flow *f, const struct new_api_key *k)
{
    struct pg_query *q = query(f, &sql_api_key_insert);

    pg_uuid(q, uuid_new());
    pg_uuid(q, f->caller.user);
    pg_bytes(q, arena_str(&f->arena, sha256_view(&k->digest)));
    pg_str(q, k->start);
    pg_str(q, k->name);
    pg_str(q, scopes_text(&f->arena, k->scopes));
    pg_time_opt(q, k->has_expires_at, k->expires_at);
    pg_i64(q, API_KEYS_MAX);
    pg_start(f, q, true);
    return q;
}

bool store_api_key_insert_read(struct flow *f, const struct pg_query *q,
                               struct api_key_made *out)
{
    if (q->rows.count == 0)
        return false;
    pg_get_msg(&f->arena, &q->rows, 0, &api_key_made_msg, out);
    WIRE_SET(out, scopes, scope_names(&f->arena, pg_get_str(&q->rows, 0, SCOPES_COLUMN)));
    return true;
}

/* ---- reading ---- */

struct pg_query *store_api_keys(struct flow *f, const struct uuid *only)
{
    struct pg_query *q = query(f, &sql_api_keys_of_user);

    pg_uuid(q, f->caller.user);
    pg_uuid_opt(q, only != NULL, only ? *only : (struct uuid){{0}});
    pg_i64(q, API_KEYS_LISTED);
    pg_start(f, q, true);
    return q;
}

static void read_key(struct flow *f, const struct pg_rows *r, int row,
                     struct api_key *out)
{
    pg_get_msg(&f->arena, r, row, &api_key_msg, out);
    WIRE_SET(out, scopes, scope_names(&f->arena, pg_get_str(r, row, SCOPES_COLUMN)));
}

void store_api_keys_read(struct flow *f, const struct pg_query *q, struct api_keys *out)
{
    size_t n = (size_t)q->rows.count;
    struct api_key *v = ARENA_ARRAY(&f->arena, struct api_key, n);

    for (int i = 0; i < q->rows.count; i++)
        read_key(f, &q->rows, i, &v[i]);
    WIRE_SET(out, items, ((struct api_key_list){v, n}));
}

bool store_api_key_read(struct flow *f, const struct pg_query *q, struct api_key *out)
{
    if (q->rows.count == 0)
        return false;
    read_key(f, &q->rows, 0, out);
    return true;
}

/* ---- ending one ---- */

struct pg_query *store_api_key_revoke(struct flow *f, struct uuid id)
{
    struct pg_query *q = query(f, &sql_api_key_revoke);

    pg_uuid(q, id);
    pg_uuid(q, f->caller.user);
    pg_start(f, q, true);
    return q;
}

bool store_api_key_revoke_read(struct flow *f, const struct pg_query *q, struct uuid id)
{
    if (q->rows.count == 0)
        return false;
    store_session_revoked(f, id);
    return true;
}

/* ---- for gateways ---- */

struct pg_query *store_api_key_check(struct flow *f, struct str digest)
{
    struct pg_query *q = query(f, &sql_api_key_check);

    pg_bytes(q, digest);
    pg_start(f, q, true);
    return q;
}

bool store_api_key_check_read(const struct pg_query *q, struct api_key_owner *out)
{
    enum { ID, USER_ID, ROLES_, SCOPES_, EXPIRES_AT, TENANT };
    const struct pg_rows *r = &q->rows;
    uint32_t scopes;

    if (r->count == 0)
        return false;
    scopes = scopes_of(pg_get_str(r, 0, SCOPES_));
    WIRE_SET(out, key_id, pg_get_uuid(r, 0, ID));
    WIRE_SET(out, user_id, pg_get_uuid(r, 0, USER_ID));
    WIRE_SET(out, scopes, scopes);
    WIRE_SET(out, roles, scopes_roles(scopes, (uint32_t)pg_get_i64(r, 0, ROLES_)));
    if (!pg_is_null(r, 0, EXPIRES_AT))
        WIRE_SET(out, expires_at, pg_get_time(r, 0, EXPIRES_AT));
    if (!pg_is_null(r, 0, TENANT))
        WIRE_SET(out, tenant, pg_get_uuid(r, 0, TENANT));
    return true;
}
