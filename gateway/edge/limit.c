// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/limit.h: what is done for a call. */
#include "gateway/edge/limiter.h"

#include "gateway/edge/limit_script.h"
#include "kit/base/clock.h"
#include "proto/errors.h"

#define KEY_PREFIX "viaduct:calls:"

/* ---- who is counted ---- */

typedef struct str (*identity_of)(const struct limit_who *who);

static struct str by_ip(const struct limit_who *who)
{
    return who->ip;
}

static struct str by_id(const struct uuid *id)
{
    if (!id || uuid_is_nil(*id))
        return (struct str){NULL, 0};
    return (struct str){(const char *)id->b, sizeof id->b};
}

static struct str by_user(const struct limit_who *who)
{
    return by_id(who->caller ? &who->caller->user : NULL);
}

static struct str by_key(const struct limit_who *who)
{
    return who->caller ? who->caller->key_id : (struct str){NULL, 0};
}

static struct str by_tenant(const struct limit_who *who)
{
    return by_id(who->caller ? &who->caller->tenant : NULL);
}

static const identity_of identities[] = {
#define LIMIT_POLICY_ROW(X, symbol, member, env, name, by, ...) [symbol] = by_##by,
    LIMIT_POLICIES(LIMIT_POLICY_ROW, )
#undef LIMIT_POLICY_ROW
};

/* ---- permits that are held ---- */

static bool may_lease(const struct limiter *l, const struct limit_take *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (!limit_policies[t->asks[i].policy].leases ||
            l->conf.rules[t->asks[i].policy].window_s < LEASE_WINDOW_S)
            return false;
    return !l->draining;
}

static int64_t cost_for(const struct limit_take *t, enum limit_policy p)
{
    int64_t limit = t->limiter->conf.rules[p].calls;

    return t->cost < limit ? t->cost : limit;
}

static void use_lease(struct limit_take *t, const struct limit_ask *ask,
                      struct lease *lease, int64_t now_us)
{
    struct limit_answer *a = &t->answers[ask->policy];

    lease_use(lease, cost_for(t, ask->policy));
    a->refused = false;
    a->remaining = lease->terms.remaining + lease->left;
    a->reset_ms =
        lease->terms.reset_us > now_us ? (lease->terms.reset_us - now_us) / 1000 : 0;
}

/* True when all that are asked hold permits: then one of each is used. */
static bool covered(struct limit_take *t, struct lease *const *leases, int64_t now_us)
{
    for (size_t i = 0; i < t->n; i++)
        if (!leases[i] ||
            !lease_covers(leases[i], cost_for(t, t->asks[i].policy), now_us))
            return false;
    for (size_t i = 0; i < t->n; i++)
        use_lease(t, &t->asks[i], leases[i], now_us);
    return true;
}

/* What the script is told of a lease: "" for nothing. One that does not cover the call
 * is given back; what is asked for takes its place. */
static struct str speak_of_lease(struct flow *f, struct limit_take *t,
                                 struct limit_ask *ask, struct lease *lease,
                                 int64_t now_us)
{
    int64_t wanted, used = 0;
    unsigned long long old = 0;

    if (!lease || lease_covers(lease, cost_for(t, ask->policy), now_us))
        return STR("");
    if (lease->id) {
        old = lease->id;
        used = lease_end(lease);
    }
    wanted = lease_wanted(lease, now_us);
    if (wanted > 0) {
        ask->lease = ++t->limiter->last_id;
        lease_asked(lease, ask->lease, now_us);
    }
    if (wanted == 0 && old == 0)
        return STR("");
    return arena_printf(&f->arena, "%lld %llu %llu %lld", (long long)wanted,
                        (unsigned long long)ask->lease, old, (long long)used);
}

/* ---- asking ---- */

static struct str key_of(struct arena *a, enum limit_policy p, struct str identity)
{
    const char *name = limit_policies[p].name;
    size_t n = strlen(name);
    char *key = arena_alloc(a, sizeof KEY_PREFIX + n + 1 + 2 * identity.n), *at = key;

    memcpy(at, KEY_PREFIX, sizeof KEY_PREFIX - 1);
    at += sizeof KEY_PREFIX - 1;
    memcpy(at, name, n);
    at += n;
    *at++ = ':';
    if (identities[p] == by_user || identities[p] == by_tenant) {
        hex_encode(identity.p, identity.n, at);
        return (struct str){key, (size_t)(at - key) + 2 * identity.n};
    }
    memcpy(at, identity.p, identity.n);
    return (struct str){key, (size_t)(at - key) + identity.n};
}

static void collect(struct limit_take *t, enum route_class class,
                    const struct limit_who *who)
{
    t->n = 0;
    for (unsigned p = 0; p < LIMIT_POLICY_COUNT; p++) {
        struct str identity = identities[p](who);

        if (!identity.p || t->limiter->conf.rules[p].calls <= 0 ||
            !(limit_policies[p].classes & 1u << class))
            continue;
        t->asks[t->n++] = (struct limit_ask){
            .policy = p,
            .identity = identity,
            .hash = hash_bytes(identity.p, identity.n) + p,
        };
        t->answers[p].asked = true;
    }
}

static void send(struct flow *f, struct limit_take *t, struct lease *const *leases,
                 int64_t now_us)
{
    struct limiter *l = t->limiter;
    struct str keys[LIMIT_POLICY_COUNT];
    struct str args[LIMIT_ARGS_FIRST + LIMIT_POLICY_COUNT * LIMIT_ARGS_EACH];
    char cost[STR_I64_MAX];
    size_t n = 0;

    args[n++] = (struct str){cost, str_from_i64(t->cost, cost)};
    for (size_t i = 0; i < t->n; i++) {
        struct limit_ask *ask = &t->asks[i];

        keys[i] = ask->key = key_of(&f->arena, ask->policy, ask->identity);
        args[n++] = l->fixed[ask->policy].limit;
        args[n++] = l->fixed[ask->policy].window;
        args[n++] = speak_of_lease(f, t, ask, leases[i], now_us);
    }
    t->cmd = (struct redis_cmd){0};
    redis_start_script(f, &t->cmd, l->redis, &limit_script, keys, t->n, args, n, false);
}

void limit_start(struct flow *f, struct limit_take *t, struct limiter *l,
                 enum route_class class, unsigned cost, const struct limit_who *who)
{
    struct lease *leases[LIMIT_POLICY_COUNT] = {NULL};
    int64_t now_us = clock_mono_us();

    t->limiter = l;
    t->cost = cost > 0 ? cost : 1;
    collect(t, class, who);
    if (t->n == 0)
        return;
    if (may_lease(l, t))
        for (size_t i = 0; i < t->n; i++)
            leases[i] = lease_seen(l->leases, t->asks[i].hash, t->cost, now_us);
    t->told = covered(t, leases, now_us);
    if (t->told)
        metric_add(l->by_lease, 1);
    else
        send(f, t, leases, now_us);
}

/* ---- answers ---- */

static bool reply_fits(const struct limit_take *t)
{
    const struct redis_reply *r = &t->cmd.reply;

    if (t->cmd.wait.err || r->type != REDIS_ARRAY ||
        r->n != LIMIT_ANSWERS_FIRST + LIMIT_ANSWERS_EACH * t->n)
        return false;
    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].type != REDIS_INT)
            return false;
    return true;
}

static void take_lease(struct limit_take *t, const struct limit_ask *ask, int64_t permits,
                       const struct limit_answer *a)
{
    struct limiter *l = t->limiter;
    struct lease *lease = lease_find(l->leases, ask->hash);
    const struct lease_terms terms = {permits, a->remaining - permits,
                                      clock_mono_us() + a->reset_ms * 1000};

    if (lease &&
        lease_granted(l->leases, lease, ask->lease, &terms, ask->policy, ask->key) &&
        !loop_timer_is_set(&l->sweep))
        limiter_set_sweep(l);
}

/* Exact: what the script counted, for all gateways together. */
static void read_reply(struct limit_take *t)
{
    const struct redis_reply *v = t->cmd.reply.v;
    bool refused = v[0].i != 0;

    for (size_t i = 0; i < t->n; i++, v += LIMIT_ANSWERS_EACH) {
        const struct limit_ask *ask = &t->asks[i];
        struct limit_answer *a = &t->answers[ask->policy];
        int64_t limit = t->limiter->conf.rules[ask->policy].calls;
        int64_t cost = cost_for(t, ask->policy);
        int64_t left = limit - v[1].i - (refused ? 0 : cost);

        a->remaining = left > 0 ? left : 0;
        a->refused = refused && v[1].i + cost > limit;
        a->reset_ms = v[2].i / 1000;
        if (v[3].i > 0)
            take_lease(t, ask, v[3].i, a);
    }
    metric_add(t->limiter->by_redis, 1);
}

/* Redis is away: this loop's share. */
static void count_here(struct limit_take *t)
{
    const struct limiter_conf *conf = &t->limiter->conf;
    int64_t now_us = clock_mono_us();
    bool refused = false;

    for (size_t i = 0; i < t->n; i++) {
        const struct limit_ask *ask = &t->asks[i];
        const struct limit_rule *r = &conf->rules[ask->policy];
        int64_t share = (r->calls + conf->loops - 1) / conf->loops;
        int64_t cost = t->cost < share ? t->cost : share;
        struct window_answer w = window_take(t->limiter->local, ask->key, share, cost,
                                             r->window_s * 1000, now_us);

        t->answers[ask->policy] =
            (struct limit_answer){true, !w.allowed, w.remaining, w.reset_ms};
        refused |= !w.allowed;
    }
    for (size_t i = 0; refused && i < t->n; i++)
        if (!t->answers[t->asks[i].policy].refused)
            window_undo(t->limiter->local, t->asks[i].key, t->cost);
    metric_add(t->limiter->by_loop, 1);
}

static const struct err *refusal(struct flow *f, const struct limiter *l,
                                 enum limit_policy p, int64_t reset_ms)
{
    const struct limit_rule *r = &l->conf.rules[p];
    struct err *e = err_new(
        &f->arena, &ERR_CODE_RATE_LIMITED, "The limit '%s' is %lld calls in %lld s",
        limit_policies[p].name, (long long)r->calls, (long long)r->window_s);

    e->retry_after_ms = reset_ms > 0 ? reset_ms : 1;
    metric_add(l->refused[p], 1);
    return e;
}

const struct err *limit_judge(struct flow *f, struct limit_take *t)
{
    if (t->n == 0 || t->told)
        return NULL;
    if (reply_fits(t))
        read_reply(t);
    else
        count_here(t);
    for (size_t i = 0; i < t->n; i++)
        if (t->answers[t->asks[i].policy].refused)
            return refusal(f, t->limiter, t->asks[i].policy,
                           t->answers[t->asks[i].policy].reset_ms);
    return NULL;
}

/* ---- before anybody is asked ---- */

const struct err *limit_may_ask(struct flow *f, struct limiter *l, struct str ip)
{
    const struct limit_rule *r = &l->conf.rules[LIMIT_IP];
    struct window_answer w;

    if (r->calls <= 0)
        return NULL;
    w = window_take(l->local, arena_printf(&f->arena, "asks:%.*s", STR_FMT(ip)),
                    2 * r->calls, 1, r->window_s * 1000, clock_mono_us());
    return w.allowed ? NULL : refusal(f, l, LIMIT_IP, w.reset_ms);
}
