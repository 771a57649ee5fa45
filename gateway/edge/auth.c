// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/auth.h. The cache has one place per hash: a newer token takes it over.
 */
#include "gateway/edge/auth.h"

#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/obs/metrics.h"

#include <stdlib.h>

enum { SLOT_BYTES = 24 };

struct entry {
    struct auth_claims claims;
    size_t n;
    char token[];
};

struct auth {
    const struct keys *keys;
    const struct revocations *revocations;
    struct str issuer, audience;
    struct entry *slots[AUTH_CACHE_SLOTS];
    struct metric *hits, *verified, *refused;
};

static struct metric *counter(const char *outcome)
{
    return metrics_counter("viaduct_auth_tokens_total", "Access tokens that were checked",
                           "outcome", outcome, NULL);
}

struct auth *auth_create(const struct keys *keys, const struct revocations *revocations,
                         const char *issuer, const char *audience)
{
    struct auth *a = MEM_NEW(struct auth);

    a->keys = keys;
    a->revocations = revocations;
    a->issuer = str_of(issuer);
    a->audience = str_of(audience);
    a->hits = counter("cached");
    a->verified = counter("verified");
    a->refused = counter("refused");
    return a;
}

void auth_destroy(struct auth *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < AUTH_CACHE_SLOTS; i++)
        free(a->slots[i]);
    free(a);
}

struct str auth_token(struct str authorization, bool *by_proof)
{
    struct str token;
    struct str scheme = str_split(authorization, ' ', &token);

    *by_proof = str_eq_nocase(scheme, STR("dpop"));
    if (!token.p || !(*by_proof || str_eq_nocase(scheme, STR("bearer"))))
        return (struct str){NULL, 0};
    return str_trim(token);
}

/* By its end, which is of the signature and as good as random; all of it is compared. */
static struct entry **slot(struct auth *a, struct str token)
{
    size_t n = token.n < SLOT_BYTES ? token.n : SLOT_BYTES;

    return &a->slots[hash_bytes(token.p + token.n - n, n) % AUTH_CACHE_SLOTS];
}

static bool is_live(const struct auth *a, const struct auth_claims *c)
{
    int64_t now_s = clock_wall_us() / 1000000;

    return c->exp_s > now_s && !revocations_have(a->revocations, c->session, now_s);
}

const struct auth_claims *auth_peek(struct auth *a, struct str token)
{
    struct entry **at;

    if (token.p == NULL)
        return NULL;
    at = slot(a, token);
    if (!*at || !str_eq((struct str){(*at)->token, (*at)->n}, token))
        return NULL;
    if (!is_live(a, &(*at)->claims)) {
        free(*at);
        *at = NULL;
        return NULL;
    }
    metric_add(a->hits, 1);
    return &(*at)->claims;
}

static void remember(struct auth *a, struct str token, const struct auth_claims *claims)
{
    struct entry **at = slot(a, token);

    free(*at);
    *at = mem_alloc(sizeof **at + token.n);
    (*at)->claims = *claims;
    (*at)->n = token.n;
    memcpy((*at)->token, token.p, token.n);
}

enum auth_verdict auth_verify(struct auth *a, struct arena *arena, struct str token,
                              struct auth_claims *out)
{
    struct jwt_claims jwt = {0};
    enum jwt_verdict verdict = jwt_verify(keys_ring(a->keys), arena, token, a->issuer,
                                          a->audience, clock_wall_us() / 1000000, &jwt);

    bool fine;

    *out = (struct auth_claims){.user = jwt.sub,
                                .session = jwt.sid,
                                .tenant = jwt.tenant,
                                .roles = jwt.roles,
                                .exp_s = jwt.exp};
    out->bound = verdict == JWT_OK && jwt.jkt.p;
    fine = !out->bound || dpop_jkt_read(arena, jwt.jkt, &out->jkt);
    if (verdict == JWT_UNKNOWN_KEY)
        return AUTH_UNKNOWN_KEY;
    if (verdict != JWT_OK || !fine || !is_live(a, out)) {
        metric_add(a->refused, 1);
        return AUTH_INVALID;
    }
    metric_add(a->verified, 1);
    remember(a, token, out);
    return AUTH_OK;
}
