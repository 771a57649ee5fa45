// SPDX-License-Identifier: Apache-2.0
/* Signing in. Unknown user and wrong password take the same way, time and answer. */
#include "users/rules/sessions.h"

#include "users/rules/backoff.h"
#include "users/rules/password.h"
#include "users/rules/tokens.h"
#include "users/store/env.h"

#include "kit/base/clock.h"
#include "proto/errors.h"

struct sign_in_state {
    struct digest address;
    struct pg_query *query;
    struct sign_in found;
    struct password_work *checking;
    struct refreshed session;
    struct str refresh_token;
};

static enum step session_opened(struct flow *f)
{
    const struct login *in = f->in;
    const struct sign_in_state *s = f->state;
    const struct err *err =
        tokens_issue(f, &s->session, s->refresh_token, in->jkt, f->out);

    return err ? flow_fail(f, err) : flow_done(f);
}

static enum step failure_counted(struct flow *f)
{
    return flow_fail(f, ERR_STATIC(BAD_CREDENTIALS));
}

static enum step password_judged(struct flow *f)
{
    const struct users_env *env = f->env;
    const struct login *in = f->in;
    struct sign_in_state *s = f->state;
    struct digest token;

    if (!password_matched(s->checking)) {
        store_sign_in_failed(f, &s->address);
        return flow_await(f, failure_counted);
    }
    /* Who knows the password may know this. */
    if (!s->found.active)
        return flow_fail(f, ERR_STATIC(USER_INACTIVE));
    s->refresh_token = refresh_token_new(&f->arena, &token);
    s->session = (struct refreshed){
        .session = uuid_new(),
        .user = s->found.user,
        .roles = s->found.roles,
        .tenant = s->found.tenant,
        .expires_us = clock_wall_us() + env->refresh_s * 1000000,
    };
    store_session_open(f, s->session.session, s->found.user, &token, env->refresh_s,
                       &s->address, in->jkt);
    return flow_await(f, session_opened);
}

static enum step user_looked_up(struct flow *f)
{
    const struct login *in = f->in;
    struct sign_in_state *s = f->state;
    int64_t wait_ms;

    store_sign_in_read(s->query, &s->found);
    wait_ms =
        sign_in_wait_ms(s->found.failures, s->found.last_failure_us, clock_wall_us());
    if (wait_ms > 0) {
        struct err *err =
            err_new(&f->arena, &ERR_CODE_SIGN_IN_BACKOFF, "Try again in %lld seconds",
                    (long long)(wait_ms + 999) / 1000);

        err->retry_after_ms = wait_ms;
        return flow_fail(f, err);
    }
    return password_check(f, in->password,
                          s->found.found ? s->found.password_hash : (struct str){0},
                          &s->checking, password_judged);
}

enum step sign_in(struct flow *f)
{
    const struct login *in = f->in;
    struct sign_in_state *s = f->state = ARENA_NEW(&f->arena, struct sign_in_state);

    s->address = address_digest(in->email);
    s->query = store_sign_in(f, in->email, &s->address);
    return flow_await(f, user_looked_up);
}
