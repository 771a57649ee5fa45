// SPDX-License-Identifier: Apache-2.0
/* The text exposition format 0.0.4, and the collectors that run before it is written. */
#include "kit/obs/registry.h"

#include "kit/base/list.h"
#include "kit/base/mem.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

struct collector {
    struct list link;
    void (*fn)(void *arg);
    void *arg;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list collectors = {&collectors, &collectors};

void metrics_collect(void (*fn)(void *arg), void *arg)
{
    struct collector *c = MEM_NEW(struct collector);

    c->fn = fn;
    c->arg = arg;
    pthread_mutex_lock(&lock);
    list_push(&collectors, &c->link);
    pthread_mutex_unlock(&lock);
}

static struct collector *collector_find(void (*fn)(void *arg), const void *arg)
{
    LIST_EACH (it, &collectors) {
        struct collector *c = CONTAINER_OF(it, struct collector, link);

        if (c->fn == fn && c->arg == arg)
            return c;
    }
    return NULL;
}

void metrics_uncollect(void (*fn)(void *arg), void *arg)
{
    struct collector *c;

    pthread_mutex_lock(&lock);
    c = collector_find(fn, arg);
    if (c)
        list_remove(&c->link);
    pthread_mutex_unlock(&lock);
    free(c);
}

void registry_collect(void)
{
    pthread_mutex_lock(&lock);
    LIST_EACH (it, &collectors) {
        const struct collector *c = CONTAINER_OF(it, struct collector, link);

        c->fn(c->arg);
    }
    pthread_mutex_unlock(&lock);
}

static void put_help(struct buf *b, const char *help)
{
    for (; *help; help++) {
        if (*help == '\n')
            buf_str(b, STR("\\n"));
        else if (*help == '\\')
            buf_str(b, STR("\\\\"));
        else
            buf_byte(b, (uint8_t)*help);
    }
}

static void put_head(struct buf *b, const struct metric_family *f)
{
    static const char *const KINDS[] = {
        [METRIC_COUNTER] = "counter",
        [METRIC_GAUGE] = "gauge",
        [METRIC_HISTOGRAM] = "histogram",
    };

    buf_printf(b, "# HELP %s ", f->name);
    put_help(b, f->help);
    buf_printf(b, "\n# TYPE %s %s\n", f->name, KINDS[f->kind]);
}

static void put_labels(struct buf *b, const struct metric *m)
{
    if (m->labels[0])
        buf_printf(b, "{%s}", m->labels);
}

static void put_plain(struct buf *b, const struct metric *m)
{
    int64_t v = atomic_load_explicit(&m->value, memory_order_relaxed);
    double d;

    buf_str(b, str_of(m->family->name));
    put_labels(b, m);
    memcpy(&d, &v, sizeof d);
    if (atomic_load_explicit(&m->is_double, memory_order_relaxed))
        buf_printf(b, " %.15g\n", d);
    else
        buf_printf(b, " %" PRId64 "\n", v);
}

static void put_bucket(struct buf *b, const struct metric *m, const char *le, uint64_t n)
{
    buf_printf(b, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", m->family->name, m->labels,
               m->labels[0] ? "," : "", le, n);
}

static void put_histogram(struct buf *b, const struct metric *m)
{
#define SECONDS(us, seconds) seconds,
    static const char *const BOUNDS[] = {METRIC_BUCKETS(SECONDS) "+Inf"};
    const struct metric_histogram *h = m->histogram;
    int64_t sum_us = atomic_load_explicit(&h->sum_us, memory_order_relaxed);
    uint64_t n = 0;

    for (unsigned i = 0; i <= METRIC_BUCKET_COUNT; i++) {
        n += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
        put_bucket(b, m, BOUNDS[i], n);
    }
    buf_printf(b, "%s_sum", m->family->name);
    put_labels(b, m);
    buf_printf(b, " %" PRId64 ".%06" PRId64 "\n%s_count", sum_us / 1000000,
               sum_us % 1000000, m->family->name);
    put_labels(b, m);
    buf_printf(b, " %" PRIu64 "\n", n);
}

static void put_family(struct buf *b, const struct metric_snapshot *s)
{
    const struct metric *m = s->first;

    put_head(b, s->family);
    for (unsigned i = 0; i < s->count; i++) {
        if (m->kind == METRIC_HISTOGRAM)
            put_histogram(b, m);
        else
            put_plain(b, m);
        m = i + 1 < s->count ? m->next : NULL; /* the last one's next may be being set */
    }
}

void metrics_render(struct buf *out)
{
    struct metric_snapshot *s;
    unsigned n;

    process_metrics_update();
    registry_collect();
    s = registry_snapshot(&n);
    for (unsigned i = 0; i < n; i++)
        put_family(out, &s[i]);
    free(s);
}
