// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/limit.h. */
#include "gateway/edge/limit.h"

#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/guard/window.h"
#include "proto/errors.h"

#include <stdlib.h>

enum { IDENTITIES_MAX = 20000, ARGS_PER_POLICY = 2 };

enum identity { IDENTITY_ip, IDENTITY_user };

static const struct {
    const char *name;
    enum identity by;
} policies[] = {
#define LIMIT_POLICY_ROW(symbol, name, by) [symbol] = {name, IDENTITY_##by},
    LIMIT_POLICIES(LIMIT_POLICY_ROW)
#undef LIMIT_POLICY_ROW
};

/* Which policies count a call of a class. */
static const unsigned classes[] = {
    [ROUTE_LIMITS_API] = 1u << LIMIT_IP | 1u << LIMIT_USER,
    [ROUTE_LIMITS_SIGN_IN] = 1u << LIMIT_IP | 1u << LIMIT_SIGN_IN | 1u << LIMIT_USER,
};

/*
 * KEYS: one sorted set of call times per policy. ARGV: a name for this call, then limit
 * and window in microseconds of each. Answers: refused (0, 1), then per policy how many
 * calls there were and in how many microseconds the oldest leaves the window.
 */
static const struct redis_script script = {
    "local t = redis.call('TIME')\n"
    "local now = t[1] * 1000000 + t[2]\n"
    "local answer = {0}\n"
    "for i, key in ipairs(KEYS) do\n"
    "  local limit, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])\n"
    "  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window))\n"
    "  local n = redis.call('ZCARD', key)\n"
    "  local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]\n"
    "  if n >= limit then answer[1] = 1 end\n"
    "  answer[2 * i] = n\n"
    "  answer[2 * i + 1] = oldest and oldest + window - now or window\n"
    "end\n"
    "if answer[1] == 0 then\n"
    "  for i, key in ipairs(KEYS) do\n"
    "    redis.call('ZADD', key, string.format('%.0f', now), ARGV[1])\n"
    "    redis.call('PEXPIRE', key, math.ceil(ARGV[2 * i + 1] / 1000))\n"
    "  end\n"
    "end\n"
    "return answer\n",
};

struct limiter {
    struct redis *redis;
    struct limiter_conf conf;
    struct window_table *local;
};

struct limiter *limiter_create(struct redis *redis, const struct limiter_conf *conf)
{
    struct limiter *l = MEM_NEW(struct limiter);

    l->redis = redis;
    l->conf = *conf;
    l->local = window_table_create(IDENTITIES_MAX);
    return l;
}

void limiter_destroy(struct limiter *l)
{
    if (!l)
        return;
    window_table_destroy(l->local);
    free(l);
}

static void ask(struct flow *f, struct limit_take *t, enum limit_policy p,
                struct str identity)
{
    if (t->limiter->conf.limits[p] <= 0)
        return;
    t->keys[t->n] = arena_printf(&f->arena, "viaduct:limit:%s:%.*s", policies[p].name,
                                 STR_FMT(identity));
    t->asked[t->n++] = p;
    t->answers[p].asked = true;
}

static void send(struct flow *f, struct limit_take *t)
{
    struct str args[1 + ARGS_PER_POLICY * LIMIT_POLICY_COUNT];
    size_t n = 0;

    if (t->n == 0)
        return;
    args[n++] = uuid_str(&f->arena, uuid_new());
    for (size_t i = 0; i < t->n; i++) {
        args[n++] = arena_printf(&f->arena, "%lld",
                                 (long long)t->limiter->conf.limits[t->asked[i]]);
        args[n++] = arena_printf(&f->arena, "%lld", LIMIT_WINDOW_S * 1000000LL);
    }
    t->cmd = (struct redis_cmd){0};
    redis_start_script(f, &t->cmd, t->limiter->redis, &script, t->keys, t->n, args, n,
                       false);
}

void limit_start(struct flow *f, struct limit_take *t, struct limiter *l,
                 enum route_limits limits, struct str ip, const struct uuid *user)
{
    struct str user_text = user ? uuid_str(&f->arena, *user) : (struct str){NULL, 0};

    t->limiter = l;
    t->n = 0;
    for (unsigned p = 0; p < LIMIT_POLICY_COUNT; p++) {
        struct str identity = policies[p].by == IDENTITY_ip ? ip : user_text;

        if (classes[limits] & 1u << p && identity.p)
            ask(f, t, (enum limit_policy)p, identity);
    }
    send(f, t);
}

void limit_start_user(struct flow *f, struct limit_take *t, struct limiter *l,
                      enum route_limits limits, struct uuid user)
{
    const struct str nobody = {NULL, 0};

    limit_start(f, t, l, limits, nobody, &user);
}

/* ---- answers ---- */

static bool reply_fits(const struct limit_take *t)
{
    const struct redis_reply *r = &t->cmd.reply;

    if (t->cmd.wait.err || r->type != REDIS_ARRAY || r->n != 1 + 2 * t->n)
        return false;
    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].type != REDIS_INT)
            return false;
    return true;
}

/* Exact: what the script counted, for all gateways together. */
static void read_reply(struct limit_take *t)
{
    const struct redis_reply *v = t->cmd.reply.v;
    bool refused = v[0].i != 0;

    for (size_t i = 0; i < t->n; i++) {
        struct limit_answer *a = &t->answers[t->asked[i]];
        int64_t limit = t->limiter->conf.limits[t->asked[i]];
        int64_t used = v[1 + 2 * i].i + !refused;

        a->remaining = used < limit ? limit - used : 0;
        a->refused = v[1 + 2 * i].i >= limit;
        a->reset_ms = v[2 + 2 * i].i / 1000;
    }
}

/* Redis is away: this loop's share. */
static void count_here(struct limit_take *t)
{
    const struct limiter_conf *conf = &t->limiter->conf;
    int64_t now_us = clock_mono_us();

    for (size_t i = 0; i < t->n; i++) {
        struct limit_answer *a = &t->answers[t->asked[i]];
        int64_t share = (conf->limits[t->asked[i]] + conf->loops - 1) / conf->loops;
        struct window_answer w = window_take(t->limiter->local, t->keys[i], share,
                                             LIMIT_WINDOW_S * 1000, now_us);

        *a = (struct limit_answer){true, !w.allowed, w.remaining, w.reset_ms};
    }
}

const struct err *limit_judge(struct flow *f, struct limit_take *t)
{
    struct err *e;

    if (t->n == 0)
        return NULL;
    if (reply_fits(t))
        read_reply(t);
    else
        count_here(t);
    for (size_t i = 0; i < t->n; i++) {
        const struct limit_answer *a = &t->answers[t->asked[i]];

        if (!a->refused)
            continue;
        e = err_new(&f->arena, &ERR_CODE_RATE_LIMITED,
                    "The limit '%s' is %lld calls in %d s", policies[t->asked[i]].name,
                    (long long)t->limiter->conf.limits[t->asked[i]], LIMIT_WINDOW_S);
        e->retry_after_ms = a->reset_ms > 0 ? a->reset_ms : 1;
        return e;
    }
    return NULL;
}

/* ---- header fields ---- */

struct str limit_policy_header(struct arena *a, const struct limit_take *t)
{
    struct str list = {NULL, 0};

    for (unsigned p = 0; p < LIMIT_POLICY_COUNT; p++)
        if (t->answers[p].asked)
            list = arena_printf(a, "%.*s%s\"%s\";q=%lld;w=%d", STR_FMT(list),
                                list.n > 0 ? ", " : "", policies[p].name,
                                (long long)t->limiter->conf.limits[p], LIMIT_WINDOW_S);
    return list;
}

struct str limit_header(struct arena *a, const struct limit_take *t)
{
    struct str list = {NULL, 0};

    for (unsigned p = 0; p < LIMIT_POLICY_COUNT; p++)
        if (t->answers[p].asked)
            list = arena_printf(a, "%.*s%s\"%s\";r=%lld;t=%lld", STR_FMT(list),
                                list.n > 0 ? ", " : "", policies[p].name,
                                (long long)t->answers[p].remaining,
                                (long long)(t->answers[p].reset_ms + 999) / 1000);
    return list;
}
