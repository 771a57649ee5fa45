// SPDX-License-Identifier: Apache-2.0
/* Accounts: one statement per operation. */
#include "users/store/users.h"

#include "sql.h"
#include "users/store/env.h"
#include "users/store/sessions.h"

#include "kit/cache/cache.h"
#include "kit/outbox/event.h"
#include "kit/outbox/outbox.h"
#include "kit/pg/pg.h"
#include "proto/events.h"
#include "proto/roles.h"

enum { USER_BYTES_MAX = 4096, ROLE_BITS_COLUMN = 3, ROLES_MAX = 8 };

static struct str_list role_names(struct arena *a, int64_t bits)
{
    struct str_list list = {ARENA_ARRAY(a, struct str, ROLES_MAX), 0};

    for (unsigned i = 0; ROLE_NAMES[i]; i++)
        if (bits >> i & 1)
            list.v[list.n++] = str_of(ROLE_NAMES[i]);
    return list;
}

static void read_user(struct flow *f, const struct pg_rows *r, int row, struct user *out)
{
    pg_get_msg(&f->arena, r, row, &user_msg, out);
    WIRE_SET(out, roles, role_names(&f->arena, pg_get_i64(r, row, ROLE_BITS_COLUMN)));
}

/* ---- one account, through the cache
 * ---------------------------------------------------- */

static void free_buf(void *b)
{
    buf_fini(b);
}

static enum step user_loaded(struct flow *f)
{
    const struct pg_query *q = f->state;
    struct user *u = ARENA_NEW(&f->arena, struct user);
    struct buf *b = ARENA_NEW(&f->arena, struct buf);

    if (q->rows.count == 0)
        return flow_done(f);
    read_user(f, &q->rows, 0, u);
    buf_init(b, USER_BYTES_MAX);
    arena_defer(&f->arena, free_buf, b);
    wire_to_msgpack(b, &user_msg, u);
    *(struct str *)f->out = buf_view(b);
    return flow_done(f);
}

static enum step load_user(struct flow *f)
{
    const struct users_env *env = f->env;
    const struct str *key = f->in;
    struct pg_query *q = pg_query(f, env->pg, &sql_user_get);
    struct uuid id;

    if (!uuid_parse(*key, &id))
        return flow_done(f);
    pg_uuid(q, id);
    f->state = q;
    return pg_await(f, q, user_loaded);
}

struct cache_get *store_user_get(struct flow *f, struct uuid id)
{
    const struct users_env *env = f->env;
    struct cache_get *g = ARENA_NEW(&f->arena, struct cache_get);

    cache_start(f, g, env->users, uuid_str(&f->arena, id), load_user, true);
    return g;
}

const struct err *store_user_get_read(struct flow *f, const struct cache_get *g,
                                      struct user *out, bool *found)
{
    *found = g->found;
    return g->found ? wire_from_msgpack(&f->arena, &user_msg, g->value, out) : NULL;
}

/* ---- writing
 * --------------------------------------------------------------------------- */

struct pg_query *store_user_insert(struct flow *f, struct uuid id,
                                   const struct user_create *in, struct str password_hash)
{
    const struct users_env *env = f->env;
    struct pg_query *q = pg_query(f, env->pg, &sql_user_insert);
    struct user_registered event = {0};

    WIRE_SET(&event, user_id, id);
    pg_uuid(q, id);
    pg_str(q, in->email);
    pg_str(q, in->name);
    pg_str(q, password_hash);
    outbox_params(f, q, EVENT_USER_REGISTERED, &user_registered_msg, &event);
    pg_start(f, q, true);
    return q;
}

bool store_user_insert_read(struct flow *f, const struct pg_query *q, struct user *out)
{
    const struct users_env *env = f->env;

    if (q->violated.p || q->rows.count == 0)
        return false;
    read_user(f, &q->rows, 0, out);
    if (env->relay)
        outbox_relay_nudge(env->relay);
    return true;
}

/* `ids`: uuids with spaces between. */
static void tell_ended(const struct flow *f, struct str ids)
{
    while (ids.p && ids.n > 0) {
        struct str rest, one = str_split(ids, ' ', &rest);
        struct uuid session;

        if (uuid_parse(one, &session))
            store_session_revoked(f, session);
        ids = rest;
    }
}

static void forget(struct flow *f, struct uuid id)
{
    const struct users_env *env = f->env;

    cache_invalidate(env->users, uuid_str(&f->arena, id));
}

struct pg_query *store_user_update(struct flow *f, const struct user_patch *in)
{
    const struct users_env *env = f->env;
    struct pg_query *q = pg_query(f, env->pg, &sql_user_update);

    pg_uuid(q, in->id);
    pg_i64_opt(q, in->has_if_version, in->if_version);
    pg_str(q, in->name);
    pg_str(q, in->has_status ? str_of(wire_enum_label(&user_status_enum, in->status))
                             : (struct str){0});
    pg_uuid_opt(q, in->has_tenant, in->tenant);
    pg_start(f, q, true);
    return q;
}

enum user_updated store_user_update_read(struct flow *f, const struct pg_query *q,
                                         struct uuid id, struct user *out)
{
    enum { ENDED_COLUMN = 9 };

    if (q->rows.count == 0)
        return USER_NONE;
    if (pg_is_null(&q->rows, 0, 0))
        return USER_OTHER_VERSION;
    read_user(f, &q->rows, 0, out);
    forget(f, id);
    tell_ended(f, pg_get_str(&q->rows, 0, ENDED_COLUMN));
    return USER_UPDATED;
}

struct pg_query *store_user_delete(struct flow *f, struct uuid id)
{
    const struct users_env *env = f->env;
    struct pg_query *q = pg_query(f, env->pg, &sql_user_delete);

    pg_uuid(q, id);
    pg_start(f, q, true);
    return q;
}

void store_user_delete_read(struct flow *f, const struct pg_query *q, struct uuid id)
{
    if (q->rows.count == 0)
        return;
    forget(f, id);
    tell_ended(f, pg_get_str(&q->rows, 0, 0));
}

/* ---- the list
 * ---------------------------------------------------------------------------- */

struct pg_query *store_user_list(struct flow *f, const struct user_filter *filter,
                                 const struct page *page)
{
    const struct users_env *env = f->env;
    struct pg_query *q =
        pg_query(f, env->pg, filter->descending ? &sql_users_desc : &sql_users_asc);

    pg_str(q, filter->has_status
                  ? str_of(wire_enum_label(&user_status_enum, filter->status))
                  : (struct str){0});
    pg_str(q, filter->email);
    pg_time(q, page->after.key);
    pg_uuid(q, page->after.id);
    pg_i64(q, page->limit + 1);
    pg_start(f, q, true);
    return q;
}

void store_user_list_read(struct flow *f, const struct pg_query *q,
                          const struct page *page, struct user_page *out)
{
    int64_t n = q->rows.count > page->limit ? page->limit : q->rows.count;
    struct user *v = ARENA_ARRAY(&f->arena, struct user, (size_t)n);

    for (int i = 0; i < n; i++)
        read_user(f, &q->rows, i, &v[i]);
    WIRE_SET(out, items, ((struct user_list){v, (size_t)n}));
    if (q->rows.count > n)
        WIRE_SET(out, next_cursor,
                 page_next(&f->arena, page,
                           (struct cursor){v[n - 1].created_at, v[n - 1].id}));
}
