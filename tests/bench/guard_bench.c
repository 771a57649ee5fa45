// SPDX-License-Identifier: Apache-2.0
/*
 * Nanoseconds of what stands before every call over the hop: limit, choice of a replica
 * by latency and calls under way, breaker; and what its end tells them. Each figure is
 * the best of several rounds: the host's other load only ever adds. The reference is the
 * issue's bound of 300 ns, for the whole.
 */
#include "kit/base/clock.h"
#include "kit/base/id.h"
#include "kit/guard/breaker.h"
#include "kit/guard/gradient.h"
#include "kit/guard/latency.h"
#include "kit/rpc/budget.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 20, TURNS = 200000, REPLICAS = 8, BOUND_NS = 300 };

struct replica {
    struct breaker breaker;
    struct latency latency;
    unsigned outstanding;
};

static struct replica replicas[REPLICAS];
static struct gradient limit;
static struct rpc_budget budget;
static unsigned went;

static void admit(int64_t now_us)
{
    went += gradient_enter(&limit, PRIORITY_NORMAL);
    gradient_leave(&limit);
    (void)now_us;
}

static struct replica *choose(int64_t now_us)
{
    uint32_t random = random_u32();
    unsigned i = (random & 0xffff) % REPLICAS;
    unsigned j = (i + 1 + (random >> 16) % (REPLICAS - 1)) % REPLICAS;
    struct replica *a = &replicas[i], *b = &replicas[j];

    return latency_cheaper(&b->latency, b->outstanding, &a->latency, a->outstanding,
                           now_us)
               ? b
               : a;
}

static void balance(int64_t now_us)
{
    went += choose(now_us)->outstanding;
}

static void breaker(int64_t now_us)
{
    struct replica *r = &replicas[0];

    went += breaker_allow(&r->breaker, now_us);
    breaker_report(&r->breaker, now_us, false, 100);
}

static void whole(int64_t now_us)
{
    struct replica *r;

    if (!gradient_enter(&limit, PRIORITY_NORMAL))
        return;
    rpc_budget_call(&budget);
    r = choose(now_us);
    if (breaker_allow(&r->breaker, now_us)) {
        r->outstanding++;
        went++;
        r->outstanding--;
        breaker_report(&r->breaker, now_us, false, 100);
        latency_add(&r->latency, now_us, 100);
        gradient_sample(&limit, 3, now_us, 100);
    }
    gradient_leave(&limit);
}

static void clock_alone(int64_t now_us)
{
    went += (unsigned)now_us;
}

static double best_ns(void (*run)(int64_t now_us))
{
    double best = 1e9;

    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = clock_mono_us();
        double ns;

        for (int turn = 0; turn < TURNS; turn++)
            run(clock_mono_us());
        ns = (double)(clock_mono_us() - start) * 1000 / TURNS;
        if (ns < best)
            best = ns;
    }
    return best;
}

static void prepare(void)
{
    const struct gradient_conf conf = {.min = 32, .max = 2000, .calm_ms = 100};
    int64_t now_us = clock_mono_us();

    gradient_init(&limit, &conf, now_us);
    rpc_budget_init(&budget, now_us);
    for (int i = 0; i < REPLICAS; i++)
        breaker_init(&replicas[i].breaker, &BREAKER_DEFAULTS, now_us);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name, *about;
        void (*run)(int64_t now_us);
    } rows[] = {
        {"clock", "reading the clock, in all of these", clock_alone},
        {"limit", "limit: in and out", admit},
        {"balance", "two of eight replicas, the cheaper", balance},
        {"breaker", "breaker: may I, and how it went", breaker},
        {"decision", "all of it, and the samples at its end", whole},
    };
    const char *path = argc > 1 ? argv[1] : "build/bench/guard.json";
    FILE *json = fopen(path, "w");

    if (!json)
        perror(path);
    prepare();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double ns = best_ns(rows[i].run);

        printf("%-38s %6.1f ns\n", rows[i].about, ns);
        if (json)
            fprintf(json,
                    "{\"name\": \"guard_%s\", \"value\": %.1f, \"unit\": \"ns\", "
                    "\"reference\": %d, \"ratio\": %.3f}\n",
                    rows[i].name, ns, BOUND_NS, ns / BOUND_NS);
    }
    if (json)
        fclose(json);
    return went ? EXIT_SUCCESS : EXIT_FAILURE;
}
