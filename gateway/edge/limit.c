// SPDX-License-Identifier: Apache-2.0
/* See gateway/edge/limit.h. */
#include "gateway/edge/limit.h"

#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/guard/window.h"
#include "proto/errors.h"

#include <stdlib.h>

enum { IDENTITIES_MAX = 20000, ARGS_PER_POLICY = 2 };

#define WINDOW_US "60000000"
_Static_assert(LIMIT_WINDOW_S == 60, "WINDOW_US says the same");

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
    [ROUTE_API] = 1u << LIMIT_IP | 1u << LIMIT_USER,
    [ROUTE_OPEN] = 1u << LIMIT_IP | 1u << LIMIT_USER,
    [ROUTE_SIGN_IN] = 1u << LIMIT_IP | 1u << LIMIT_SIGN_IN | 1u << LIMIT_USER,
    [ROUTE_ADMIN] = 1u << LIMIT_IP | 1u << LIMIT_USER,
};

/*
 * KEYS: one list of call times per policy, the oldest first. ARGV: limit and window in
 * microseconds of each. Answers: refused (0, 1), then per policy how many calls there
 * were and in how many microseconds the oldest leaves the window. A call is counted
 * before it is judged and taken back when it is refused, as the length of the list comes
 * with counting it; nobody sees the moment between.
 */
static const struct redis_script script = {
    "local t = redis.call('TIME')\n"
    "local now = t[1] * 1000000 + t[2]\n"
    "local answer = {0}\n"
    "for i, key in ipairs(KEYS) do\n"
    "  local limit, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])\n"
    "  local oldest = redis.call('LINDEX', key, 0)\n"
    "  while oldest and oldest + window <= now do\n"
    "    redis.call('LPOP', key)\n"
    "    oldest = redis.call('LINDEX', key, 0)\n"
    "  end\n"
    "  local n = redis.call('RPUSH', key, now) - 1\n"
    "  redis.call('PEXPIRE', key, window / 1000)\n"
    "  if n >= limit then answer[1] = 1 end\n"
    "  answer[2 * i] = n\n"
    "  answer[2 * i + 1] = oldest and oldest + window - now or window\n"
    "end\n"
    "if answer[1] == 1 then\n"
    "  for _, key in ipairs(KEYS) do redis.call('RPOP', key) end\n"
    "end\n"
    "return answer\n",
};

/* Of a policy, what never changes: as arguments of the script and as a header field. */
struct fixed {
    char limit[STR_I64_MAX];
    size_t limit_n;
    struct str header; /* "ip";q=100;w=60 */
};

struct limiter {
    struct redis *redis;
    struct limiter_conf conf;
    struct window_table *local;
    struct arena arena;
    struct fixed fixed[LIMIT_POLICY_COUNT];
};

struct limiter *limiter_create(struct redis *redis, const struct limiter_conf *conf)
{
    struct limiter *l = MEM_NEW(struct limiter);

    l->redis = redis;
    l->conf = *conf;
    l->local = window_table_create(IDENTITIES_MAX);
    arena_init(&l->arena);
    for (int p = 0; p < LIMIT_POLICY_COUNT; p++) {
        struct fixed *x = &l->fixed[p];

        x->limit_n = str_from_i64(conf->limits[p], x->limit);
        x->header = arena_printf(&l->arena, "\"%s\";q=%lld;w=%d", policies[p].name,
                                 (long long)conf->limits[p], LIMIT_WINDOW_S);
    }
    return l;
}

void limiter_destroy(struct limiter *l)
{
    if (!l)
        return;
    window_table_destroy(l->local);
    arena_fini(&l->arena);
    free(l);
}

/* "viaduct:limit:user:" and the identity. */
static struct str key_of(struct arena *a, enum limit_policy p, struct str identity)
{
    static const char prefix[] = "viaduct:limit:";
    size_t name = strlen(policies[p].name);
    char *key = arena_alloc(a, sizeof prefix + name + 1 + identity.n);
    char *at = key;

    memcpy(at, prefix, sizeof prefix - 1);
    at += sizeof prefix - 1;
    memcpy(at, policies[p].name, name);
    at += name;
    *at++ = ':';
    memcpy(at, identity.p, identity.n);
    return (struct str){key, (size_t)(at - key) + identity.n};
}

static void ask(struct flow *f, struct limit_take *t, enum limit_policy p,
                struct str identity)
{
    if (t->limiter->conf.limits[p] <= 0)
        return;
    t->keys[t->n] = key_of(&f->arena, p, identity);
    t->asked[t->n++] = p;
    t->answers[p].asked = true;
}

static void send(struct flow *f, struct limit_take *t)
{
    struct str args[ARGS_PER_POLICY * LIMIT_POLICY_COUNT];
    size_t n = 0;

    if (t->n == 0)
        return;
    for (size_t i = 0; i < t->n; i++) {
        const struct fixed *x = &t->limiter->fixed[t->asked[i]];

        args[n++] = (struct str){x->limit, x->limit_n};
        args[n++] = STR(WINDOW_US);
    }
    t->cmd = (struct redis_cmd){0};
    redis_start_script(f, &t->cmd, t->limiter->redis, &script, t->keys, t->n, args, n,
                       false);
}

void limit_start(struct flow *f, struct limit_take *t, struct limiter *l,
                 enum route_class class, struct str ip, const struct uuid *user)
{
    struct str user_text = user ? uuid_str(&f->arena, *user) : (struct str){NULL, 0};

    t->limiter = l;
    t->n = 0;
    for (unsigned p = 0; p < LIMIT_POLICY_COUNT; p++) {
        struct str identity = policies[p].by == IDENTITY_ip ? ip : user_text;

        if (classes[class] & 1u << p && identity.p)
            ask(f, t, (enum limit_policy)p, identity);
    }
    send(f, t);
}

void limit_start_user(struct flow *f, struct limit_take *t, struct limiter *l,
                      enum route_class class, struct uuid user)
{
    const struct str nobody = {NULL, 0};

    limit_start(f, t, l, class, nobody, &user);
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

enum { ITEM_MAX = 128, LIST_MAX = LIMIT_POLICY_COUNT * ITEM_MAX };

static char *put(char *at, struct str s)
{
    memcpy(at, s.p, s.n);
    return at + s.n;
}

static char *put_separator(char *at, const char *begin)
{
    return at == begin ? at : put(at, STR(", "));
}

static struct str made(const char *begin, const char *end)
{
    return (struct str){end == begin ? NULL : begin, (size_t)(end - begin)};
}

struct str limit_policy_header(struct arena *a, const struct limit_take *t)
{
    char *begin = arena_alloc(a, LIST_MAX), *at = begin;

    for (unsigned p = 0; p < LIMIT_POLICY_COUNT; p++)
        if (t->answers[p].asked)
            at = put(put_separator(at, begin), t->limiter->fixed[p].header);
    return made(begin, at);
}

struct str limit_header(struct arena *a, const struct limit_take *t)
{
    char *begin = arena_alloc(a, LIST_MAX), *at = begin;

    for (unsigned p = 0; p < LIMIT_POLICY_COUNT; p++) {
        const struct limit_answer *answer = &t->answers[p];

        if (!answer->asked)
            continue;
        at = put(put_separator(at, begin), STR("\""));
        at = put(at, str_of(policies[p].name));
        at = put(at, STR("\";r="));
        at += str_from_i64(answer->remaining, at);
        at = put(at, STR(";t="));
        at += str_from_i64((answer->reset_ms + 999) / 1000, at);
    }
    return made(begin, at);
}
