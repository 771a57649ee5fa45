// SPDX-License-Identifier: Apache-2.0
/* What outlives a call: settings, tables, and leases that are given back. */
#include "gateway/edge/limiter.h"

#include "gateway/edge/limit_script.h"
#include "kit/base/clock.h"
#include "kit/base/mem.h"

#include <stdlib.h>

enum { IDENTITIES_MAX = 20000, GIVE_BACK_MAX = 16, GIVE_BACK_MS = 1000 };

const struct limit_policy_info limit_policies[] = {
#define LIMIT_POLICY_ROW(X, symbol, member, env, name, by, classes, leases, ...) \
    [symbol] = {name, classes, leases},
    LIMIT_POLICIES(LIMIT_POLICY_ROW, )
#undef LIMIT_POLICY_ROW
};

/* ---- life ---- */

static void give_back(struct limiter *l, bool all);

static void sweep(struct loop_timer *t)
{
    give_back(CONTAINER_OF(t, struct limiter, sweep), false);
}

static struct metric *judged(const char *by)
{
    return metrics_counter("viaduct_limit_calls_total", "Calls that were counted", "by",
                           by, NULL);
}

static void make_metrics(struct limiter *l)
{
    l->by_lease = judged("lease");
    l->by_redis = judged("redis");
    l->by_loop = judged("loop");
    for (unsigned p = 0; p < LIMIT_POLICY_COUNT; p++)
        l->refused[p] =
            metrics_counter("viaduct_limit_refused_total", "Calls that a limit refused",
                            "policy", limit_policies[p].name, NULL);
}

static void fix(struct limiter *l)
{
    arena_init(&l->arena);
    for (unsigned p = 0; p < LIMIT_POLICY_COUNT; p++) {
        const struct limit_rule *r = &l->conf.rules[p];
        long long calls = r->calls, s = r->window_s;

        l->fixed[p] = (struct fixed){
            .limit = arena_printf(&l->arena, "%lld", calls),
            .window = arena_printf(&l->arena, "%lld000000", s),
            .header = arena_printf(&l->arena, "\"%s\";q=%lld;w=%lld",
                                   limit_policies[p].name, calls, s),
        };
    }
}

struct limiter *limiter_create(struct loop *loop, struct redis *redis,
                               const struct limiter_conf *conf)
{
    struct limiter *l = MEM_NEW(struct limiter);

    l->loop = loop;
    l->redis = redis;
    l->conf = *conf;
    l->local = window_table_create(IDENTITIES_MAX);
    l->leases = lease_table_create();
    random_bytes(&l->last_id, sizeof l->last_id);
    loop_timer_init(&l->sweep, loop, sweep);
    make_metrics(l);
    fix(l);
    return l;
}

void limiter_destroy(struct limiter *l)
{
    if (!l)
        return;
    loop_timer_clear(&l->sweep);
    lease_table_destroy(l->leases);
    window_table_destroy(l->local);
    arena_fini(&l->arena);
    free(l);
}

void limiter_set(struct limiter *l, const struct limiter_conf *conf)
{
    give_back(l, true);
    l->conf = *conf;
    arena_fini(&l->arena);
    fix(l);
}

void limiter_drain(struct limiter *l)
{
    l->draining = true;
    give_back(l, true);
}

struct str limiter_policy_text(const struct limiter *l, enum limit_policy p)
{
    return l->fixed[p].header;
}

/* ---- leases that are over ---- */

void limiter_set_sweep(struct limiter *l)
{
    int64_t next_us = lease_next_us(l->leases);

    if (next_us > 0)
        loop_timer_set_at(&l->sweep, next_us);
}

static void given_back(struct flow *f, const struct err *e)
{
    (void)f;
    (void)e; /* then they count as used */
}

static enum step told(struct flow *f)
{
    return flow_done(f);
}

static void tell_of_leases(struct flow *f, struct redis *redis, const struct str *keys,
                           size_t n, const struct str *args)
{
    struct redis_cmd *cmd = ARENA_NEW(&f->arena, struct redis_cmd);

    redis_start_script(f, cmd, redis, &limit_script, keys, n, args,
                       LIMIT_ARGS_FIRST + n * LIMIT_ARGS_EACH, false);
}

static enum step tell(struct flow *f, bool all)
{
    struct limiter *l = f->state;
    struct str keys[GIVE_BACK_MAX];
    struct str args[LIMIT_ARGS_FIRST + GIVE_BACK_MAX * LIMIT_ARGS_EACH] = {STR("0")};
    struct lease *lease;
    size_t n = 0;

    while (n < GIVE_BACK_MAX && (lease = lease_over(l->leases, all, clock_mono_us()))) {
        struct str *arg = &args[LIMIT_ARGS_FIRST + n * LIMIT_ARGS_EACH];
        unsigned long long id = lease->id;

        keys[n++] = arena_str(&f->arena, (struct str){lease->key, lease->key_n});
        arg[0] = l->fixed[lease->policy].limit;
        arg[1] = l->fixed[lease->policy].window;
        arg[2] =
            arena_printf(&f->arena, "0 0 %llu %lld", id, (long long)lease_end(lease));
    }
    if (n > 0)
        tell_of_leases(f, l->redis, keys, n, args);
    return flow_await(f, told);
}

static enum step tell_over(struct flow *f)
{
    return tell(f, false);
}

static enum step tell_all(struct flow *f)
{
    return tell(f, true);
}

/* Those that are over, or all of them. */
static void give_back(struct limiter *l, bool all)
{
    while (lease_over(l->leases, all, clock_mono_us())) {
        struct flow *f = flow_create(l->loop, GIVE_BACK_MS, given_back, NULL);

        f->state = l;
        flow_start(f, all ? tell_all : tell_over);
    }
    limiter_set_sweep(l);
}
