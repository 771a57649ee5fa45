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
    if (!rq->token.p)
        return true;
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

static enum step refuse_token(struct flow *f, const char *why)
{
    return pipeline_identified(f, err_new(&f->arena, &ERR_CODE_TOKEN_INVALID, "%s", why));
}

/* The token is good. Is it in the hands it is for? */
static enum step settle(struct flow *f, const struct auth_claims *claims)
{
    struct request *rq = request_of(f);
    const struct err *err = NULL;

    if (claims->bound && !(rq->by_proof && prove_offered(rq)))
        return pipeline_identified(f, ERR_STATIC(PROOF_MISSING));
    if (!claims->bound && rq->by_proof)
        return refuse_token(f, "It is bound to no key: send it as Bearer");
    if (claims->bound)
        err = prove_start(f, claims);
    if (!err)
        take_identity(f, claims);
    return pipeline_identified(f, err);
}

static enum step keys_fetched(struct flow *f)
{
    struct request *rq = request_of(f);
    struct auth_claims claims;

    if (!keys_loaded(rq->edge->keys))
        return pipeline_identified(f, err_new(&f->arena, &ERR_CODE_UNAVAILABLE,
                                              "Tokens cannot be checked at the moment"));
    if (auth_verify(rq->edge->auth, &f->arena, rq->token, &claims) != AUTH_OK)
        return refuse_token(f, "Sign in again or refresh the token");
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
    return refuse_token(f, "Sign in again or refresh the token");
}

/* ---- API keys ---- */

static enum step key_asked(struct flow *f)
{
    struct request *rq = request_of(f);
    struct auth_claims claims;
    const struct err *err = api_keys_judge(f, rq->edge->api_keys, rq->api_key, &claims);

    if (!err)
        take_identity(f, &claims);
    return pipeline_identified(f, err);
}

enum step authenticate(struct flow *f)
{
    struct request *rq = request_of(f);

    if (!rq->api_key)
        return verify_token(f);
    if (rq->by_proof)
        return pipeline_identified(
            f, err_new(&f->arena, &ERR_CODE_KEY_INVALID, "API keys are sent as Bearer"));
    api_keys_ask(f, rq->edge->api_keys, rq->api_key);
    return flow_await(f, key_asked);
}
