// SPDX-License-Identifier: Apache-2.0
/*
 * Inside of kit/obs: families (one per metric name) and their series (one per label set).
 * Both are only ever added, under the registry's mutex, and never freed; so a reader that
 * took a snapshot under the mutex may walk it without.
 */
#ifndef KIT_OBS_REGISTRY_H
#define KIT_OBS_REGISTRY_H

#include "kit/obs/metrics.h"

#include <stdatomic.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/*    upper bound in us, the same in seconds */
#define METRIC_BUCKETS(B) \
    B(100, "0.0001")      \
    B(250, "0.00025")     \
    B(500, "0.0005")      \
    B(1000, "0.001")      \
    B(2500, "0.0025")     \
    B(5000, "0.005")      \
    B(10000, "0.01")      \
    B(25000, "0.025")     \
    B(50000, "0.05")      \
    B(100000, "0.1")      \
    B(250000, "0.25")     \
    B(500000, "0.5")      \
    B(1000000, "1")       \
    B(2500000, "2.5")     \
    B(5000000, "5")       \
    B(10000000, "10")

#define METRIC_BUCKET_ONE(us, seconds) +1
enum { METRIC_BUCKET_COUNT = 0 METRIC_BUCKETS(METRIC_BUCKET_ONE) };

struct metric_histogram {
    _Atomic uint64_t counts[METRIC_BUCKET_COUNT + 1]; /* the last one: over 10 s */
    _Atomic int64_t sum_us;
};

struct metric {
    enum metric_kind kind;
    _Atomic bool is_double;
    _Atomic int64_t value; /* or the bits of a double */
    struct metric_histogram *histogram;
    const char *labels;       /* a="b",c="d" */
    struct metric *next;      /* of the family, in the order made */
    uint64_t key;             /* hash of family and labels */
    struct metric *next_hash; /* same slot of the table */
    const struct metric_family *family;
};

struct metric_family {
    const char *name, *help;
    enum metric_kind kind;
    unsigned count;
    struct metric *first, *last;
};

struct metric_snapshot {
    const struct metric_family *family;
    const struct metric *first;
    unsigned count;
};

/* All families by name. free() the array. */
struct metric_snapshot *registry_snapshot(unsigned *count);

/* Calls what metrics_collect() registered. */
void registry_collect(void);

/* Brings the process_* metrics up to date. */
void process_metrics_update(void);

#endif
