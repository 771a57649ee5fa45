// SPDX-License-Identifier: Apache-2.0
/* Making tokens. */
#include "users/rules/tokens.h"

#include "users/store/env.h"

#include "kit/base/clock.h"
#include "kit/jwt/jwt.h"

#include <sodium.h>

enum { REFRESH_BYTES = 32 };

struct digest token_digest(struct str token)
{
    struct digest d;

    crypto_generichash(d.b, sizeof d.b, (const uint8_t *)token.p, token.n, NULL, 0);
    return d;
}

struct digest address_digest(struct str email)
{
    crypto_generichash_state state;
    struct digest d;

    crypto_generichash_init(&state, NULL, 0, sizeof d.b);
    for (size_t i = 0; i < email.n; i++) {
        uint8_t c = (uint8_t)email.p[i];

        c = c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
        crypto_generichash_update(&state, &c, 1);
    }
    crypto_generichash_final(&state, d.b, sizeof d.b);
    return d;
}

struct str refresh_token_new(struct arena *a, struct digest *digest)
{
    uint8_t secret[REFRESH_BYTES];
    struct str token;

    random_bytes(secret, sizeof secret);
    token = base64url_encode(a, secret, sizeof secret);
    sodium_memzero(secret, sizeof secret);
    *digest = token_digest(token);
    return token;
}

const struct err *tokens_issue(struct flow *f, const struct refreshed *session,
                               struct str refresh_token, struct str jkt,
                               struct tokens *out)
{
    const struct users_env *env = f->env;
    int64_t now_s = clock_wall_us() / 1000000;
    const struct jwt_claims claims = {
        .iss = env->issuer,
        .aud = env->audience,
        .sub = session->user,
        .sid = session->session,
        .jti = uuid_new(),
        .roles = session->roles,
        .tenant = session->tenant,
        .iat = now_s,
        .nbf = now_s,
        .exp = now_s + env->access_s,
        .jkt = jkt,
    };
    struct str access_token;
    const struct err *err = jwt_sign(env->keys, &f->arena, &claims, &access_token);

    if (err)
        return err;
    WIRE_SET(out, access_token, access_token);
    WIRE_SET(out, token_type, jkt.p ? STR("DPoP") : STR("Bearer"));
    WIRE_SET(out, expires_in, env->access_s);
    WIRE_SET(out, refresh_token, refresh_token);
    WIRE_SET(out, refresh_expires_in, session->expires_us / 1000000 - now_s);
    WIRE_SET(out, session_id, session->session);
    return NULL;
}
