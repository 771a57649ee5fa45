// SPDX-License-Identifier: Apache-2.0
/* Whether the loops turn, and how long their turns take. */
#include "kit/base/clock.h"
#include "kit/svc/internal.h"

#include <stdio.h>

/* ---- liveness: a posted ping that the loop must answer; the answer is remembered ----
 */

static void answer(struct loop_post *p)
{
    atomic_store(&CONTAINER_OF(p, struct svc_loop, ping)->ping_out, false);
}

/* Loops that are ending must get no more posts. */
static void ping_all(struct loop_timer *t)
{
    struct svc *s = CONTAINER_OF(t, struct svc, ping_timer);

    if (svc_phase(s) == SVC_STOPPING)
        return;
    for (unsigned i = 0; i < s->loop_count && svc_phase(s) != SVC_STARTING; i++) {
        struct svc_loop *l = &s->loops[i];

        if (atomic_load(&l->ping_out))
            continue;
        atomic_store(&l->ping_out, true);
        l->ping_us = clock_mono_us();
        l->ping.fn = answer;
        loop_post(l->loop, &l->ping);
    }
    loop_timer_set(t, SVC_PING_MS);
}

unsigned svc_stuck_loops(const struct svc *s)
{
    int64_t since_us = clock_mono_us() - (int64_t)SVC_PING_LIMIT_MS * 1000;
    unsigned stuck = 0;

    for (unsigned i = 0; i < s->loop_count; i++) {
        const struct svc_loop *l = &s->loops[i];

        stuck += atomic_load(&l->ping_out) && l->ping_us < since_us;
    }
    return svc_phase(s) == SVC_STOPPING ? 0 : stuck;
}

/* ---- turn times ---- */

static struct svc_turns turns_of(const char *loop)
{
    return (struct svc_turns){
        .turns = metrics_counter("viaduct_loop_turns_total", "Turns of the event loop",
                                 "loop", loop, NULL),
        .longest = metrics_gauge("viaduct_loop_longest_turn_seconds",
                                 "Longest turn since start-up was over, by the clock",
                                 "loop", loop, NULL),
        .over_5ms = metrics_counter("viaduct_loop_turns_over_5ms_total",
                                    "Turns that took over 5 ms, by the clock", "loop",
                                    loop, NULL),
        .longest_own = metrics_gauge(
            "viaduct_loop_longest_own_turn_seconds",
            "Longest turn by what it computed and what blocked it", "loop", loop, NULL),
        .own_over_5ms =
            metrics_counter("viaduct_loop_own_turns_over_5ms_total",
                            "Turns over 5 ms by what they computed and what blocked them",
                            "loop", loop, NULL),
    };
}

static void set(const struct loop *l, const struct svc_turns *of)
{
    struct loop_turns t = loop_turns(l);

    metric_set(of->turns, (int64_t)t.turns);
    metric_set_double(of->longest, (double)t.longest_us / 1e6);
    metric_set(of->over_5ms, (int64_t)t.over_5ms);
    metric_set_double(of->longest_own, (double)t.longest_own_us / 1e6);
    metric_set(of->own_over_5ms, (int64_t)t.own_over_5ms);
}

/* Loops of a program that is starting may not be there yet. */
static void collect(void *arg)
{
    const struct svc *s = arg;

    metric_set(metrics_gauge("viaduct_ready", "Whether /readyz says yes", NULL),
               s->ready && svc_phase(s) == SVC_RUNNING);
    set(s->admin, &s->admin_turns);
    for (unsigned i = 0; i < s->loop_count && svc_phase(s) != SVC_STARTING; i++)
        set(s->loops[i].loop, &s->loops[i].turns);
}

void svc_watch_init(struct svc *s)
{
    char name[16];

    for (unsigned i = 0; i < s->loop_count; i++) {
        snprintf(name, sizeof name, "%u", i);
        s->loops[i].turns = turns_of(name);
    }
    s->admin_turns = turns_of("admin");
    metric_set(metrics_gauge("viaduct_build_info", "Always 1", "service", s->def->name,
                             "version", VIADUCT_VERSION, NULL),
               1);
    metrics_collect(collect, s);
    loop_timer_init(&s->ping_timer, s->admin, ping_all);
    loop_timer_set(&s->ping_timer, SVC_PING_MS);
}

void svc_watch_fini(struct svc *s)
{
    metrics_uncollect(collect, s);
    loop_timer_clear(&s->ping_timer);
}
