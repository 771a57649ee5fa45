// SPDX-License-Identifier: Apache-2.0
/* Sessions: one statement per operation. */
#include "users/store/sessions.h"

#include "sql.h"
#include "users/store/env.h"

#include "kit/base/clock.h"
#include "kit/cache/redis.h"
#include "kit/pg/pg.h"

#include <inttypes.h>
#include <stdio.h>

/* Parameters are not copied by kit/pg, so they move to where they live long enough. */
static struct str bytes(struct flow *f, const struct digest *d)
{
    return arena_str(&f->arena, (struct str){(const char *)d->b, sizeof d->b});
}

static struct pg_query *query(struct flow *f, const struct pg_stmt *stmt)
{
    const struct users_env *env = f->env;

    return pg_query(f, env->pg, stmt);
}

/* ---- sign-in
 * ------------------------------------------------------------------------------ */

struct pg_query *store_sign_in(struct flow *f, struct str email,
                               const struct digest *address)
{
    struct pg_query *q = query(f, &sql_sign_in_lookup);

    pg_str(q, email);
    pg_bytes(q, bytes(f, address));
    pg_start(f, q, true);
    return q;
}

void store_sign_in_read(const struct pg_query *q, struct sign_in *out)
{
    enum { ID, HASH, ROLES_, STATUS, FAILURES, LAST_AT, TENANT };
    const struct pg_rows *r = &q->rows;

    *out = (struct sign_in){
        .found = !pg_is_null(r, 0, ID),
        .user = pg_get_uuid(r, 0, ID),
        .password_hash = pg_get_str(r, 0, HASH),
        .roles = (uint32_t)pg_get_i64(r, 0, ROLES_),
        .active = str_eq(pg_get_str(r, 0, STATUS), STR("active")),
        .failures = pg_get_i64(r, 0, FAILURES),
        .last_failure_us = pg_get_time(r, 0, LAST_AT),
        .tenant = pg_get_uuid(r, 0, TENANT),
    };
}

struct pg_query *store_sign_in_failed(struct flow *f, const struct digest *address)
{
    struct pg_query *q = query(f, &sql_sign_in_failed);

    pg_bytes(q, bytes(f, address));
    pg_start(f, q, true);
    return q;
}

/* ---- sessions
 * ------------------------------------------------------------------------------- */

struct pg_query *store_session_open(struct flow *f, struct uuid session, struct uuid user,
                                    const struct digest *token, int64_t lifetime_s,
                                    const struct digest *address, struct str jkt)
{
    struct pg_query *q = query(f, &sql_session_open);

    pg_uuid(q, session);
    pg_uuid(q, user);
    pg_bytes(q, bytes(f, token));
    pg_i64(q, lifetime_s);
    pg_bytes(q, bytes(f, address));
    pg_str(q, jkt);
    pg_start(f, q, true);
    return q;
}

struct pg_query *store_session_refresh(struct flow *f, const struct digest *presented,
                                       const struct digest *next, int64_t grace_ms,
                                       struct str jkt)
{
    struct pg_query *q = query(f, &sql_session_refresh);

    pg_bytes(q, bytes(f, presented));
    pg_bytes(q, bytes(f, next));
    pg_i64(q, grace_ms);
    pg_str(q, jkt);
    pg_start(f, q, true);
    return q;
}

enum refresh_verdict store_session_refresh_read(struct flow *f, const struct pg_query *q,
                                                struct refreshed *out)
{
    enum { VERDICT, ID, USER_ID, ROLES_, EXPIRES_AT, TENANT };
    const struct pg_rows *r = &q->rows;
    struct str verdict;

    if (r->count == 0)
        return REFRESH_UNKNOWN;
    verdict = pg_get_str(r, 0, VERDICT);
    *out = (struct refreshed){
        .session = pg_get_uuid(r, 0, ID),
        .user = pg_get_uuid(r, 0, USER_ID),
        .roles = (uint32_t)pg_get_i64(r, 0, ROLES_),
        .expires_us = pg_get_time(r, 0, EXPIRES_AT),
        .tenant = pg_get_uuid(r, 0, TENANT),
    };
    if (str_eq(verdict, STR("dead")))
        return REFRESH_DEAD;
    if (str_eq(verdict, STR("unproven")))
        return REFRESH_UNPROVEN;
    if (!str_eq(verdict, STR("reuse")))
        return REFRESH_ROTATED;
    store_session_revoked(f, out->session);
    return REFRESH_REUSED;
}

/* ---- revocation
 * ------------------------------------------------------------------------------ */

struct pg_query *store_session_revoke(struct flow *f, struct uuid session)
{
    struct pg_query *q = query(f, &sql_session_revoke);

    pg_uuid(q, session);
    pg_start(f, q, true);
    return q;
}

void store_session_revoked(const struct flow *f, struct uuid session)
{
    const struct users_env *env = f->env;
    char text[UUID_TEXT_LEN + 24];
    int n;

    uuid_format(session, text);
    n = snprintf(text + UUID_TEXT_LEN, sizeof text - UUID_TEXT_LEN, " %" PRId64,
                 clock_wall_us() / 1000000 + (env->access_s > API_KEY_REVOKED_S
                                                  ? env->access_s
                                                  : API_KEY_REVOKED_S));
    redis_send(env->redis,
               (struct str[]){STR("PUBLISH"),
                              STR(REVOKED_CHANNEL),
                              {text, UUID_TEXT_LEN + (size_t)n}},
               3);
}

struct pg_query *store_revoked(struct flow *f)
{
    const struct users_env *env = f->env;
    struct pg_query *q = query(f, &sql_sessions_revoked);

    pg_i64(q, env->access_s);
    pg_i64(q, API_KEY_REVOKED_S);
    pg_start(f, q, true);
    return q;
}

void store_revoked_read(struct flow *f, const struct pg_query *q, struct revoked *out)
{
    size_t n = (size_t)q->rows.count;
    struct revoked_session *v = ARENA_ARRAY(&f->arena, struct revoked_session, n);

    for (int i = 0; i < q->rows.count; i++) {
        WIRE_SET(&v[i], session_id, pg_get_uuid(&q->rows, i, 0));
        WIRE_SET(&v[i], until, pg_get_time(&q->rows, i, 1));
    }
    WIRE_SET(out, sessions, ((struct revoked_session_list){v, n}));
}

struct pg_query *store_sessions_sweep(struct flow *f)
{
    struct pg_query *q = query(f, &sql_sessions_sweep);

    pg_start(f, q, true);
    return q;
}
