// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/authenticate.h. */
#include "gateway/edge/authenticate.h"

#include "gateway/edge/internal.h"
#include "gateway/edge/prove.h"
#include "proto/errors.h"

static void take_identity(struct flow *f, const struct auth_claims *claims)
{
    struct request *rq = request_of(f);

    f->caller = (struct caller){.user = claims->user,
                                .session = claims->session,
                                .tenant = claims->tenant,
                                .roles = claims->roles};
    f->log.user_id = uuid_str(&f->arena, claims->user);
    if (!uuid_is_nil(claims->api_key))
        f->caller.key_id = uuid_str(&f->arena, claims->api_key);
    rq->scopes = claims->scopes;
}

bool authenticate_peek(struct flow *f)
{
    struct request *rq = request_of(f);
    const struct auth_claims *known;

    rq->token = auth_token(http_header(rq->http, "authorization"), &rq->by_proof);
    if (apikey_is(rq->token)) {
        rq->api_key = ARENA_NEW(&f->arena, struct api_key_use);
        api_key_read(rq->api_key, &f->arena, rq->token);
        known = api_keys_peek(rq->edge->api_keys, rq->api_key);
    } else {
        known = auth_peek(rq->edge->auth, rq->token);
    }
    if (!known || known->bound || rq->by_proof)
        return false;
    take_identity(f, known);
    return true;
}

/* ---- access tokens ---- */

static enum step refuse_token(struct flow *f)
{
    return flow_fail_code(f, &ERR_CODE_TOKEN_INVALID,
                          "Sign in again or refresh the token");
}

static enum step proven(struct flow *f)
{
    take_identity(f, f->state);
    f->state = NULL; /* the route's, from here on */
    return pipeline_identified(f);
}

/* The token is good. Is it in the hands it is for? */
static enum step settle(struct flow *f, const struct auth_claims *claims)
{
    struct request *rq = request_of(f);
    struct auth_claims *mine;

    if (claims->bound && !(rq->by_proof && prove_offered(rq)))
        return flow_fail(f, ERR_STATIC(PROOF_MISSING));
    if (!claims->bound && rq->by_proof)
        return flow_fail_code(f, &ERR_CODE_TOKEN_INVALID,
                              "It is bound to no key: send it as Bearer");
    if (!claims->bound) {
        take_identity(f, claims);
        return pipeline_identified(f);
    }
    mine = f->state = ARENA_NEW(&f->arena, struct auth_claims);
    *mine = *claims;
    return prove(f, mine, proven);
}

static enum step keys_fetched(struct flow *f)
{
    struct request *rq = request_of(f);
    struct auth_claims claims;

    if (!keys_loaded(rq->edge->keys))
        return flow_fail_code(f, &ERR_CODE_UNAVAILABLE,
                              "Tokens cannot be checked at the moment");
    if (auth_verify(rq->edge->auth, &f->arena, rq->token, &claims) != AUTH_OK)
        return refuse_token(f);
    return settle(f, &claims);
}

static enum step verify_token(struct flow *f)
{
    struct request *rq = request_of(f);
    const struct auth_claims *known = auth_peek(rq->edge->auth, rq->token);
    struct auth_claims claims;

    if (known)
        return settle(f, known);
    switch (auth_verify(rq->edge->auth, &f->arena, rq->token, &claims)) {
    case AUTH_OK: return settle(f, &claims);
    case AUTH_UNKNOWN_KEY:
        keys_wait(f, rq->edge->keys);
        return flow_await(f, keys_fetched);
    case AUTH_INVALID: break;
    }
    return refuse_token(f);
}

/* ---- API keys ---- */

static enum step key_asked(struct flow *f)
{
    struct request *rq = request_of(f);
    struct auth_claims claims;
    const struct err *err = api_keys_judge(f, rq->edge->api_keys, rq->api_key, &claims);

    if (err)
        return flow_fail(f, err);
    take_identity(f, &claims);
    return pipeline_identified(f);
}

enum step authenticate(struct flow *f)
{
    struct request *rq = request_of(f);

    if (rq->token.p == NULL)
        return flow_fail_code(f, &ERR_CODE_TOKEN_MISSING,
                              "Send Authorization: Bearer TOKEN");
    if (!uuid_is_nil(f->caller.user))
        return pipeline_identified(f);
    if (!rq->api_key)
        return verify_token(f);
    if (rq->by_proof)
        return flow_fail_code(f, &ERR_CODE_KEY_INVALID, "API keys are sent as Bearer");
    api_keys_ask(f, rq->edge->api_keys, rq->api_key);
    return flow_await(f, key_asked);
}
