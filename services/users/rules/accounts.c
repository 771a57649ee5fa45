// SPDX-License-Identifier: Apache-2.0
/* Accounts: anybody registers; one reads and changes one's own, administrators
 * everybody's. */
#include "users/rules/accounts.h"

#include "users/rules/password.h"
#include "users/store/env.h"
#include "users/store/users.h"

#include "proto/errors.h"
#include "proto/roles.h"

static bool is_self_or(const struct flow *f, struct uuid id, enum permission p)
{
    return uuid_eq(id, f->caller.user) || permission_granted(f->caller.roles, p);
}

/* ---- register
 * ------------------------------------------------------------------------------ */

struct create {
    struct password_work *hashing;
    struct pg_query *inserted;
};

static enum step account_stored(struct flow *f)
{
    const struct create *c = f->state;

    if (!store_user_insert_read(f, c->inserted, f->out))
        return flow_fail_code(f, &ERR_CODE_EMAIL_TAKEN,
                              "Sign in, or register with another address");
    return flow_done(f);
}

static enum step account_hashed(struct flow *f)
{
    struct create *c = f->state;
    struct str hash = password_hashed(f, c->hashing);

    if (!hash.p)
        return flow_fail(f, ERR_STATIC(INTERNAL));
    c->inserted = store_user_insert(f, uuid_new(), f->in, hash);
    return flow_await(f, account_stored);
}

enum step account_create(struct flow *f)
{
    const struct user_create *in = f->in;
    struct create *c = f->state = ARENA_NEW(&f->arena, struct create);

    return password_hash(f, in->password, &c->hashing, account_hashed);
}

/* ---- one account
 * ------------------------------------------------------------------------------ */

static enum step account_found(struct flow *f)
{
    bool found;
    const struct err *err = store_user_get_read(f, f->state, f->out, &found);

    if (err || !found)
        return flow_fail(f, err ? err : ERR_STATIC(USER_NOT_FOUND));
    return flow_done(f);
}

enum step account_get(struct flow *f)
{
    const struct by_id *in = f->in;

    /* Somebody else's account is not there: its id tells nothing. */
    if (!is_self_or(f, in->id, PERM_USERS_READ_ANY))
        return flow_fail(f, ERR_STATIC(USER_NOT_FOUND));
    f->state = store_user_get(f, in->id);
    return flow_await(f, account_found);
}

static enum step account_patched(struct flow *f)
{
    const struct user_patch *in = f->in;

    switch (store_user_update_read(f, f->state, in->id, f->out)) {
    case USER_NONE: return flow_fail(f, ERR_STATIC(USER_NOT_FOUND));
    case USER_OTHER_VERSION: return flow_fail(f, ERR_STATIC(VERSION_MISMATCH));
    case USER_UPDATED: break;
    }
    return flow_done(f);
}

enum step account_patch(struct flow *f)
{
    const struct user_patch *in = f->in;

    if (!is_self_or(f, in->id, PERM_USERS_WRITE_ANY))
        return flow_fail(f, ERR_STATIC(USER_NOT_FOUND));
    if ((in->has_status || in->has_tenant) &&
        !permission_granted(f->caller.roles, PERM_USERS_WRITE_ANY))
        return flow_fail_code(f, &ERR_CODE_INSUFFICIENT_SCOPE,
                              "Only administrators change status and tenant");
    if (in->has_status && in->status == USER_DELETED) {
        struct err *err = err_new(&f->arena, &ERR_CODE_INVALID_FIELDS,
                                  "Some fields are not acceptable");

        err_add_field(&f->arena, err, STR("/status"),
                      "cannot be set; delete the account instead");
        return flow_fail(f, err);
    }
    f->state = store_user_update(f, in);
    return flow_await(f, account_patched);
}

static enum step account_deleted(struct flow *f)
{
    const struct by_id *in = f->in;

    store_user_delete_read(f, f->state, in->id);
    return flow_done(f);
}

enum step account_delete(struct flow *f)
{
    const struct by_id *in = f->in;

    if (!is_self_or(f, in->id, PERM_USERS_WRITE_ANY))
        return flow_fail(f, ERR_STATIC(USER_NOT_FOUND));
    f->state = store_user_delete(f, in->id);
    return flow_await(f, account_deleted);
}

/* ---- all accounts
 * ----------------------------------------------------------------------------- */

struct listing {
    struct page page;
    struct pg_query *rows;
};

static enum step accounts_listed(struct flow *f)
{
    const struct listing *l = f->state;

    store_user_list_read(f, l->rows, &l->page, f->out);
    return flow_done(f);
}

enum step account_list(struct flow *f)
{
    const struct users_env *env = f->env;
    const struct user_query *in = f->in;
    const struct user_filter filter = {
        .has_status = in->has_filter_status,
        .status = in->filter_status,
        .email = in->filter_email,
        .descending = !in->has_sort || in->sort == USER_SORT_CREATED_AT_DESC,
    };
    struct listing *l = f->state = ARENA_NEW(&f->arena, struct listing);
    struct str name =
        arena_printf(&f->arena, "users:%d:%d:%.*s", filter.descending,
                     filter.has_status ? (int)filter.status : -1, STR_FMT(filter.email));

    if (!permission_granted(f->caller.roles, PERM_USERS_LIST))
        return flow_fail(f, ERR_STATIC(INSUFFICIENT_SCOPE));
    if (!page_open(&f->arena, env->cursor_secret, name, filter.descending,
                   in->has_limit ? in->limit : PAGE_LIMIT_DEFAULT, in->cursor, &l->page))
        return flow_fail(f, ERR_STATIC(BAD_CURSOR));
    l->rows = store_user_list(f, &filter, &l->page);
    return flow_await(f, accounts_listed);
}
