// SPDX-License-Identifier: Apache-2.0
/* Refreshing and ending sessions, and what gateways ask about them. */
#include "users/rules/sessions.h"

#include "users/rules/tokens.h"
#include "users/store/env.h"

#include "kit/jwt/jwt.h"
#include "proto/errors.h"

/* ---- refresh
 * ------------------------------------------------------------------------------- */

struct rotation {
    struct str next;
    struct pg_query *query;
};

static enum step token_rotated(struct flow *f)
{
    const struct refresh *in = f->in;
    const struct rotation *r = f->state;
    struct refreshed session;
    const struct err *err;

    switch (store_session_refresh_read(f, r->query, &session)) {
    case REFRESH_REUSED:
        LOG_WARN(&f->log, "session.token_reused",
                 KV("session", uuid_str(&f->arena, session.session)));
        return flow_fail(f, ERR_STATIC(REFRESH_INVALID));
    case REFRESH_UNPROVEN: return flow_fail(f, ERR_STATIC(PROOF_MISSING));
    case REFRESH_DEAD:
    case REFRESH_UNKNOWN: return flow_fail(f, ERR_STATIC(REFRESH_INVALID));
    case REFRESH_ROTATED: break;
    }
    err = tokens_issue(f, &session, r->next, in->jkt, f->out);
    return err ? flow_fail(f, err) : flow_done(f);
}

enum step session_refresh(struct flow *f)
{
    const struct refresh *in = f->in;
    struct rotation *r = f->state = ARENA_NEW(&f->arena, struct rotation);
    struct digest presented = token_digest(in->refresh_token), next;

    r->next = refresh_token_new(&f->arena, &next);
    r->query = store_session_refresh(f, &presented, &next, REFRESH_GRACE_MS, in->jkt);
    return flow_await(f, token_rotated);
}

/* ---- sign out
 * ------------------------------------------------------------------------------- */

static enum step session_ended(struct flow *f)
{
    store_session_revoked(f, f->caller.session);
    return flow_done(f);
}

enum step sign_out(struct flow *f)
{
    store_session_revoke(f, f->caller.session);
    return flow_await(f, session_ended);
}

/* ---- for gateways
 * ----------------------------------------------------------------------------- */

enum step public_keys(struct flow *f)
{
    const struct users_env *env = f->env;
    const struct err *err = wire_from_json(
        &f->arena, &jwks_msg, jwt_keyring_jwks(env->keys, &f->arena), f->out);

    return err ? flow_fail(f, err) : flow_done(f);
}

static enum step revoked_listed(struct flow *f)
{
    store_revoked_read(f, f->state, f->out);
    return flow_done(f);
}

enum step revoked_sessions(struct flow *f)
{
    f->state = store_revoked(f);
    return flow_await(f, revoked_listed);
}

/* ---- housekeeping
 * ------------------------------------------------------------------------------ */

static enum step swept(struct flow *f)
{
    return flow_done(f);
}

enum step sessions_sweep(struct flow *f)
{
    store_sessions_sweep(f);
    return flow_await(f, swept);
}
