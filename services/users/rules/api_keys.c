// SPDX-License-Identifier: Apache-2.0
/* API keys: a person makes them, sees the key once, and ends them. */
#include "users/rules/api_keys.h"

#include "users/store/api_keys.h"

#include "kit/apikey/apikey.h"
#include "kit/base/clock.h"
#include "proto/errors.h"

static bool is_person(const struct flow *f)
{
    return !uuid_is_nil(f->caller.session);
}

/* ---- make ---- */

struct making {
    struct str key;
    struct pg_query *inserted;
};

static struct err *unacceptable(struct flow *f)
{
    return err_new(&f->arena, &ERR_CODE_INVALID_FIELDS, "Some fields are not acceptable");
}

/* Every name a scope that the account reaches to. */
static const struct err *read_scopes(struct flow *f, const struct str_list *names,
                                     uint32_t *scopes)
{
    struct err *err = NULL;
    uint32_t beyond;

    *scopes = 0;
    for (size_t i = 0; i < names->n; i++)
        *scopes |= scope_of(names->v[i]);
    beyond = scopes_beyond(*scopes, f->caller.roles);
    for (size_t i = 0; i < names->n; i++) {
        uint32_t scope = scope_of(names->v[i]);

        if (scope && !(scope & beyond))
            continue;
        err = err ? err : unacceptable(f);
        err_add_field(&f->arena, err, arena_printf(&f->arena, "/scopes/%zu", i),
                      scope ? "takes the scope admin, of an administrator"
                            : "is no scope");
    }
    return err;
}

static const struct err *check_expiry(struct flow *f, const struct api_key_create *in)
{
    struct err *err;

    if (!in->has_expires_at || in->expires_at > clock_wall_us())
        return NULL;
    err = unacceptable(f);
    err_add_field(&f->arena, err, STR("/expires_at"), "must be in the future");
    return err;
}

static enum step key_stored(struct flow *f)
{
    const struct making *m = f->state;
    struct api_key_made *out = f->out;

    if (!store_api_key_insert_read(f, m->inserted, out))
        return flow_fail_code(f, &ERR_CODE_API_KEYS_TOO_MANY,
                              "Revoke one first: %d is the most", API_KEYS_MAX);
    WIRE_SET(out, key, m->key);
    return flow_done(f);
}

enum step api_key_create(struct flow *f)
{
    const struct api_key_create *in = f->in;
    struct making *m = f->state = ARENA_NEW(&f->arena, struct making);
    struct new_api_key fresh = {.name = in->name,
                                .has_expires_at = in->has_expires_at,
                                .expires_at = in->expires_at};
    const struct err *err = read_scopes(f, &in->scopes, &fresh.scopes);

    if (!is_person(f))
        return flow_fail(f, ERR_STATIC(KEY_NOT_ALLOWED));
    if (!err)
        err = check_expiry(f, in);
    if (err)
        return flow_fail(f, err);
    m->key = apikey_new(&f->arena, &fresh.digest);
    fresh.start = (struct str){m->key.p, APIKEY_START_LEN};
    m->inserted = store_api_key_insert(f, &fresh);
    return flow_await(f, key_stored);
}

/* ---- look ---- */

static enum step keys_listed(struct flow *f)
{
    store_api_keys_read(f, f->state, f->out);
    return flow_done(f);
}

enum step api_key_list(struct flow *f)
{
    if (!is_person(f))
        return flow_fail(f, ERR_STATIC(KEY_NOT_ALLOWED));
    f->state = store_api_keys(f, NULL);
    return flow_await(f, keys_listed);
}

static enum step key_found(struct flow *f)
{
    return store_api_key_read(f, f->state, f->out)
               ? flow_done(f)
               : flow_fail(f, ERR_STATIC(API_KEY_NOT_FOUND));
}

enum step api_key_get(struct flow *f)
{
    const struct by_id *in = f->in;

    if (!is_person(f))
        return flow_fail(f, ERR_STATIC(KEY_NOT_ALLOWED));
    f->state = store_api_keys(f, &in->id);
    return flow_await(f, key_found);
}

/* ---- end ---- */

static enum step key_revoked(struct flow *f)
{
    const struct by_id *in = f->in;

    return store_api_key_revoke_read(f, f->state, in->id)
               ? flow_done(f)
               : flow_fail(f, ERR_STATIC(API_KEY_NOT_FOUND));
}

enum step api_key_revoke(struct flow *f)
{
    const struct by_id *in = f->in;

    if (!is_person(f))
        return flow_fail(f, ERR_STATIC(KEY_NOT_ALLOWED));
    f->state = store_api_key_revoke(f, in->id);
    return flow_await(f, key_revoked);
}

/* ---- for gateways ---- */

static enum step key_judged(struct flow *f)
{
    return store_api_key_check_read(f->state, f->out)
               ? flow_done(f)
               : flow_fail(f, ERR_STATIC(KEY_INVALID));
}

enum step api_key_check(struct flow *f)
{
    const struct api_key_check *in = f->in;

    f->state = store_api_key_check(f, in->digest);
    return flow_await(f, key_judged);
}
