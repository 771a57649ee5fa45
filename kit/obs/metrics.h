// SPDX-License-Identifier: Apache-2.0
/*
 * Prometheus metrics. A handle is looked up once (at start, or when a label set is first
 * seen) and then updated without locks from any thread. A metric has at most
 * METRICS_SERIES_MAX label sets; further ones share the set whose labels are "other".
 * Label values are templates and codes, never raw paths, ids or user data.
 *
 *     struct metric *m = metrics_counter("viaduct_hop_calls_total", "Calls sent",
 *                                        "method", "users.get", "outcome", "ok", NULL);
 */
#ifndef KIT_OBS_METRICS_H
#define KIT_OBS_METRICS_H

#include "kit/base/buf.h"

#include <stdint.h>

enum { METRICS_SERIES_MAX = 1000, METRICS_LABELS_MAX = 8 };

struct metric;

/* Label names and values follow in pairs (at most METRICS_LABELS_MAX), then NULL; they
 * are copied, name and help are not: literals. The same name and labels in any order give
 * the same handle. Never NULL. Any thread. A name has one kind; two end the process. */
__attribute__((sentinel)) struct metric *metrics_counter(const char *name,
                                                         const char *help, ...);
__attribute__((sentinel)) struct metric *metrics_gauge(const char *name, const char *help,
                                                       ...);
/* Of durations: observed in microseconds, exposed in seconds; buckets from 100 us to 10
 * s. */
__attribute__((sentinel)) struct metric *metrics_histogram(const char *name,
                                                           const char *help, ...);

void metric_add(struct metric *m, int64_t n);       /* counter, gauge */
void metric_set(struct metric *m, int64_t v);       /* gauge */
void metric_set_double(struct metric *m, double v); /* gauge */
void metric_observe_us(struct metric *m, int64_t us);
/* For tests and /health; of a histogram the number of observations. */
int64_t metric_value(const struct metric *m);

/* fn(arg) is called before each rendering, in the rendering thread, to set gauges; it
 * must not call these two itself. After metrics_uncollect it is not called again. */
void metrics_collect(void (*fn)(void *arg), void *arg);
void metrics_uncollect(void (*fn)(void *arg), void *arg);

/* Text exposition format 0.0.4, process metrics (RSS, CPU, fds, start time) included. */
void metrics_render(struct buf *out);

#endif
