// SPDX-License-Identifier: Apache-2.0
/* Updating handles: relaxed atomics, no locks. A scrape may see one counter of a moment
 * later than another; each value by itself is exact. */
#include "kit/obs/registry.h"

static int64_t bits_of(double v)
{
    int64_t bits;

    memcpy(&bits, &v, sizeof bits);
    return bits;
}

void metric_add(struct metric *m, int64_t n)
{
    atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
}

void metric_set(struct metric *m, int64_t v)
{
    atomic_store_explicit(&m->is_double, false, memory_order_relaxed);
    atomic_store_explicit(&m->value, v, memory_order_relaxed);
}

void metric_set_double(struct metric *m, double v)
{
    atomic_store_explicit(&m->is_double, true, memory_order_relaxed);
    atomic_store_explicit(&m->value, bits_of(v), memory_order_relaxed);
}

/* The first bucket whose bound is not below us. */
static unsigned bucket_of(int64_t us)
{
#define BOUND(us, seconds) us,
    static const int64_t BOUNDS[] = {METRIC_BUCKETS(BOUND)};
    unsigned low = 0, high = METRIC_BUCKET_COUNT;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (BOUNDS[middle] < us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void metric_observe_us(struct metric *m, int64_t us)
{
    struct metric_histogram *h = m->histogram;

    if (!h)
        return;
    us = us > 0 ? us : 0;
    atomic_fetch_add_explicit(&h->counts[bucket_of(us)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_us, us, memory_order_relaxed);
}

static int64_t observations(const struct metric_histogram *h)
{
    uint64_t n = 0;

    for (unsigned i = 0; i <= METRIC_BUCKET_COUNT; i++)
        n += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
    return (int64_t)n;
}

int64_t metric_value(const struct metric *m)
{
    int64_t v = atomic_load_explicit(&m->value, memory_order_relaxed);
    double d;

    if (m->histogram)
        return observations(m->histogram);
    if (!atomic_load_explicit(&m->is_double, memory_order_relaxed))
        return v;
    memcpy(&d, &v, sizeof d);
    return (int64_t)d;
}
