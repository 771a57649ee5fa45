// SPDX-License-Identifier: Apache-2.0
/* Gradient2, by classes of calls. A decision is two comparisons; the arithmetic is once
 * a window. */
#include "kit/guard/gradient.h"

static const double TOLERANCE = 1.5; /* of latency, before it counts as congestion */
static const double SMOOTHING = 0.2; /* of the limit, per window */

/* The long average forgets in about 600 windows, a minute of steady calls; quickly at
 * first, and when the latency has come down for good. */
enum { LONG_WINDOWS = 600, WARM_UP_WINDOWS = 10, RECOVERY_WINDOWS = 20 };

static const unsigned PERCENT[] = {
#define PERCENT_ROW(priority, name, percent) [PRIORITY_##priority] = percent,
    PRIORITIES(PERCENT_ROW)
#undef PERCENT_ROW
};

void gradient_init(struct gradient *l, const struct gradient_conf *conf, int64_t now_us)
{
    *l = (struct gradient){.conf = *conf, .limit = conf->max, .window_us = now_us};
}

/* ---- admission -------------------------------------------------------------- */

bool gradient_enter(struct gradient *l, enum priority p)
{
    if (l->in_flight * 100.0 >= l->limit * PERCENT[p])
        return false;
    if (++l->in_flight > l->peak)
        l->peak = l->peak * 9 / 10; /* a burst is remembered for a second or two */
    if (l->peak < l->in_flight)
        l->peak = l->in_flight;
    return true;
}

void gradient_leave(struct gradient *l)
{
    l->in_flight -= l->in_flight > 0;
}

/* ---- the end of a window ---------------------------------------------------- */

static void learn(struct gradient_class *c, double short_us)
{
    unsigned span = LONG_WINDOWS;

    if (c->windows < WARM_UP_WINDOWS)
        span = ++c->windows;
    else if (short_us * 2 < c->long_us)
        span = RECOVERY_WINDOWS;
    c->long_us += (short_us - c->long_us) / span;
}

/* How many times its usual latency a class has shown; 1 when that is no matter. */
static double slowness(const struct gradient *l, struct gradient_class *c)
{
    double short_us = c->sum_us / c->n;
    double times = c->long_us > 0 ? short_us / c->long_us : 1;

    learn(c, short_us);
    c->sum_us = c->n = 0;
    return short_us < l->conf.calm_ms * 1000.0 ? 1 : times;
}

static double average_slowness(struct gradient *l)
{
    double sum = 0;

    for (unsigned i = 0; i < GRADIENT_CLASSES; i++) {
        unsigned n = l->classes[i].n;

        if (n > 0)
            sum += slowness(l, &l->classes[i]) * n;
    }
    return sum / l->samples;
}

static double between(double low, double x, double high)
{
    return x < low ? low : x > high ? high : x;
}

static void adapt(struct gradient *l)
{
    double gradient = between(0.5, TOLERANCE / average_slowness(l), 1);
    double from = l->limit, next;

    /* a limit that nobody comes near says nothing about where the right one is */
    if (gradient < 1 && from > 2.0 * l->peak)
        from = 2.0 * l->peak;
    else if (gradient >= 1 && l->peak < from / 2)
        return;
    next = from * gradient + 4 + from / 8;
    next = from + (next - from) * SMOOTHING;
    l->limit = between(l->conf.min, next, l->conf.max);
}

void gradient_sample(struct gradient *l, unsigned class, int64_t now_us, int64_t took_us)
{
    struct gradient_class *c = &l->classes[class % GRADIENT_CLASSES];

    c->sum_us += (double)(took_us > 0 ? took_us : 1);
    c->n++;
    l->samples++;
    if (l->samples < GRADIENT_WINDOW_CALLS ||
        now_us - l->window_us < GRADIENT_WINDOW_MS * INT64_C(1000))
        return;
    adapt(l);
    l->samples = 0;
    l->peak = l->in_flight;
    l->window_us = now_us;
}

unsigned gradient_limit(const struct gradient *l)
{
    return (unsigned)l->limit;
}
