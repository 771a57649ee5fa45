// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/api_keys.h. The cache has one place per hash of a digest: another key
 * takes it over. */
#include "gateway/edge/api_keys.h"

#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/obs/metrics.h"
#include "proto/errors.h"

#include <stdlib.h>

struct entry {
    struct sha256 digest;
    bool good; /* false: users knows no such key */
    struct auth_claims claims;
    int64_t told_us; /* monotonic */
};

struct api_key_cache {
    struct rpc_client *rpc;
    const struct revocations *revocations;
    struct entry *slots[API_KEYS_SLOTS];
    int64_t fresh_ms;
    struct metric *hits, *asked, *refused, *stale;
};

static struct metric *counter(const char *outcome)
{
    return metrics_counter("viaduct_auth_api_keys_total", "API keys that were checked",
                           "outcome", outcome, NULL);
}

struct api_key_cache *api_keys_create(struct rpc_client *rpc,
                                      const struct revocations *revocations,
                                      int64_t fresh_ms)
{
    struct api_key_cache *k = MEM_NEW(struct api_key_cache);

    k->rpc = rpc;
    k->revocations = revocations;
    k->fresh_ms = fresh_ms;
    k->hits = counter("cached");
    k->asked = counter("asked");
    k->refused = counter("refused");
    k->stale = counter("stale");
    return k;
}

void api_keys_destroy(struct api_key_cache *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < API_KEYS_SLOTS; i++)
        free(k->slots[i]);
    free(k);
}

void api_key_read(struct api_key_use *use, struct arena *a, struct str key)
{
    use->well_formed = apikey_digest(a, key, &use->digest);
}

/* ---- what is known ---- */

static struct entry **slot(struct api_key_cache *k, const struct sha256 *digest)
{
    return &k->slots[hash_bytes(digest, sizeof *digest) % API_KEYS_SLOTS];
}

/* Of this key and not older than that; NULL: nothing. */
static const struct entry *known(struct api_key_cache *k, const struct api_key_use *use,
                                 int64_t age_ms)
{
    const struct entry *e = use->well_formed ? *slot(k, &use->digest) : NULL;

    if (!e || !sha256_eq(&e->digest, &use->digest) ||
        clock_mono_us() - e->told_us >= age_ms * 1000)
        return NULL;
    return e;
}

static bool is_live(const struct api_key_cache *k, const struct auth_claims *c)
{
    int64_t now_s = clock_wall_us() / 1000000;

    return c->exp_s > now_s && !revocations_have(k->revocations, c->api_key, now_s);
}

static const struct auth_claims *known_good(struct api_key_cache *k,
                                            const struct api_key_use *use, int64_t age_ms)
{
    const struct entry *e = known(k, use, age_ms);

    return e && e->good && is_live(k, &e->claims) ? &e->claims : NULL;
}

static void remember(struct api_key_cache *k, const struct sha256 *digest, bool good,
                     const struct auth_claims *claims)
{
    struct entry **at = slot(k, digest);

    if (!*at)
        *at = MEM_NEW(struct entry);
    **at = (struct entry){*digest, good, *claims, clock_mono_us()};
}

const struct auth_claims *api_keys_peek(struct api_key_cache *k,
                                        const struct api_key_use *use)
{
    const struct auth_claims *claims = known_good(k, use, k->fresh_ms);

    if (claims)
        metric_add(k->hits, 1);
    return claims;
}

/* ---- asking ---- */

static bool is_known_as_none(struct api_key_cache *k, const struct api_key_use *use)
{
    const struct entry *e = known(k, use, API_KEY_NONE_MS);

    return e && !e->good;
}

void api_keys_ask(struct flow *f, struct api_key_cache *k, struct api_key_use *use)
{
    if (!use->well_formed || is_known_as_none(k, use))
        return;
    use->asked = true;
    f->priority = PRIORITY_VITAL; /* until the route's own work begins */
    WIRE_SET(&use->in, digest, sha256_view(&use->digest));
    rpc_start(f, &use->call, k->rpc, &USERS_KEY_CHECK, &use->in, &use->out, false);
}

static const struct err *refuse(struct flow *f, struct api_key_cache *k)
{
    metric_add(k->refused, 1);
    return err_new(&f->arena, &ERR_CODE_KEY_INVALID,
                   "It was mistyped, has expired or was revoked");
}

/* users did not answer; err may be of any kind. */
static const struct err *judge_without(struct api_key_cache *k,
                                       const struct api_key_use *use,
                                       const struct err *err, struct auth_claims *out)
{
    const struct auth_claims *last = known_good(k, use, API_KEY_STALE_S * 1000LL);

    if (!last)
        return err;
    metric_add(k->stale, 1);
    *out = *last;
    return NULL;
}

static struct auth_claims claims_of(const struct api_key_owner *o)
{
    return (struct auth_claims){
        .user = o->user_id,
        .tenant = o->tenant,
        .roles = (uint32_t)o->roles,
        .exp_s = o->has_expires_at ? o->expires_at / 1000000 : INT64_MAX,
        .api_key = o->key_id,
        .scopes = (uint32_t)o->scopes,
    };
}

const struct err *api_keys_judge(struct flow *f, struct api_key_cache *k,
                                 const struct api_key_use *use, struct auth_claims *out)
{
    const struct err *err = use->call.wait.err;

    *out = (struct auth_claims){0};
    if (!use->asked)
        return refuse(f, k);
    metric_add(k->asked, 1);
    if (err && err->code == &ERR_CODE_KEY_INVALID) {
        remember(k, &use->digest, false, out);
        return refuse(f, k);
    }
    if (err)
        return judge_without(k, use, err, out);
    *out = claims_of(&use->out);
    remember(k, &use->digest, true, out);
    return is_live(k, out) ? NULL : refuse(f, k);
}
