// SPDX-License-Identifier: Apache-2.0
/*
 * Looking handles up and making them. The key of a series is its rendered label text, so
 * what is compared is what will be exposed: two series can never show the same line.
 */
#include "kit/obs/registry.h"

#include "kit/base/id.h"
#include "kit/base/mem.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>

enum { SLOTS = 4096, LABELS_CAP = 2048 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct metric_family **families; /* sorted by name */
static unsigned family_count;
static struct metric *slots[SLOTS];

struct label {
    const char *name, *value;
};
struct labels {
    struct label v[METRICS_LABELS_MAX];
    unsigned n;
};

/* Sorted by name, so that the order of a call's pairs does not matter. */
static struct labels read_labels(va_list ap)
{
    struct labels l = {0};
    const char *name;

    while ((name = va_arg(ap, const char *)) != NULL) {
        const char *value = va_arg(ap, const char *);
        unsigned at = l.n;

        if (!value || l.n == METRICS_LABELS_MAX)
            mem_die("metrics: label '%s' has no value or is one too many", name);
        for (; at > 0 && strcmp(l.v[at - 1].name, name) > 0; at--)
            l.v[at] = l.v[at - 1];
        l.v[at] = (struct label){name, value};
        l.n++;
    }
    return l;
}

static void put_escaped(struct buf *b, const char *value)
{
    for (; *value; value++) {
        if (*value == '\n') {
            buf_str(b, STR("\\n"));
            continue;
        }
        if (*value == '"' || *value == '\\')
            buf_byte(b, '\\');
        buf_byte(b, (uint8_t)*value);
    }
}

/* value == NULL: each label's own. */
static void put_labels(struct buf *b, const struct labels *l, const char *value)
{
    for (unsigned i = 0; i < l->n; i++) {
        const char *v = value ? value : l->v[i].value;

        buf_printf(b, "%s%s=\"", i > 0 ? "," : "", l->v[i].name);
        put_escaped(b, str_is_utf8(str_of(v)) ? v : "other");
        buf_byte(b, '"');
    }
}

/* Where `name` is, or where it would go. */
static unsigned family_index(const char *name)
{
    unsigned low = 0, high = family_count;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (strcmp(families[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct metric_family *family_make(unsigned at, enum metric_kind kind,
                                         const char *name, const char *help)
{
    struct metric_family *f = MEM_NEW(struct metric_family);

    *f = (struct metric_family){.name = name, .help = help, .kind = kind};
    families = mem_realloc(families, sizeof(struct metric_family *) * (family_count + 1));
    memmove(&families[at + 1], &families[at],
            sizeof(struct metric_family *) * (family_count - at));
    families[at] = f;
    family_count++;
    return f;
}

static struct metric_family *family_of(enum metric_kind kind, const char *name,
                                       const char *help)
{
    unsigned at = family_index(name);

    if (at == family_count || strcmp(families[at]->name, name) != 0)
        return family_make(at, kind, name, help);
    if (families[at]->kind != kind)
        mem_die("metrics: '%s' is used as two kinds", name);
    return families[at];
}

static uint64_t series_key(const struct metric_family *f, struct str labels)
{
    return hash_bytes(labels.p, labels.n) ^ hash_bytes(f->name, strlen(f->name));
}

static struct metric *series_find(const struct metric_family *f, struct str labels,
                                  uint64_t key)
{
    for (struct metric *m = slots[key % SLOTS]; m; m = m->next_hash)
        if (m->key == key && m->family == f && str_eq(str_of(m->labels), labels))
            return m;
    return NULL;
}

static struct metric *series_make(struct metric_family *f, const char *labels,
                                  uint64_t key)
{
    struct metric *m = MEM_NEW(struct metric);

    m->kind = f->kind;
    m->family = f;
    m->labels = mem_strdup(labels);
    if (f->kind == METRIC_HISTOGRAM)
        m->histogram = MEM_NEW(struct metric_histogram);
    m->key = key;
    m->next_hash = slots[key % SLOTS];
    slots[key % SLOTS] = m;
    *(f->last ? &f->last->next : &f->first) = m;
    f->last = m;
    f->count++;
    return m;
}

/* Renders the labels into b; NULL when there are too many series to add one. */
static struct metric *series_of(struct metric_family *f, struct buf *b,
                                const struct labels *l, const char *value, unsigned max)
{
    struct metric *m;
    uint64_t key;

    buf_reset(b);
    put_labels(b, l, value);
    if (b->failed)
        return NULL;
    key = series_key(f, buf_view(b));
    m = series_find(f, buf_view(b), key);
    if (m || f->count >= max)
        return m;
    buf_byte(b, '\0');
    return series_make(f, b->p, key);
}

static struct metric *look_up(enum metric_kind kind, const char *name, const char *help,
                              va_list ap)
{
    struct labels l = read_labels(ap);
    struct metric_family *f;
    struct metric *m;
    struct buf b;

    buf_init(&b, LABELS_CAP);
    pthread_mutex_lock(&lock);
    f = family_of(kind, name, help);
    m = series_of(f, &b, &l, NULL, METRICS_SERIES_MAX);
    if (!m)
        m = series_of(f, &b, &l, "other", UINT32_MAX);
    pthread_mutex_unlock(&lock);
    buf_fini(&b);
    if (!m)
        mem_die("metrics: the label names of '%s' are too long", name);
    return m;
}

#define DEFINE_LOOKUP(function, kind)                                \
    struct metric *function(const char *name, const char *help, ...) \
    {                                                                \
        struct metric *m;                                            \
        va_list ap;                                                  \
                                                                     \
        va_start(ap, help);                                          \
        m = look_up(kind, name, help, ap);                           \
        va_end(ap);                                                  \
        return m;                                                    \
    }
DEFINE_LOOKUP(metrics_counter, METRIC_COUNTER)
DEFINE_LOOKUP(metrics_gauge, METRIC_GAUGE)
DEFINE_LOOKUP(metrics_histogram, METRIC_HISTOGRAM)

struct metric_snapshot *registry_snapshot(unsigned *count)
{
    struct metric_snapshot *s;

    pthread_mutex_lock(&lock);
    *count = family_count;
    s = mem_alloc(sizeof *s * (family_count + 1));
    for (unsigned i = 0; i < family_count; i++) {
        const struct metric_family *f = families[i];

        s[i] = (struct metric_snapshot){f, f->first, f->count};
    }
    pthread_mutex_unlock(&lock);
    return s;
}
