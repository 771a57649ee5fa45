// SPDX-License-Identifier: Apache-2.0
/* Threads that look handles up, update them and render at once: no update is lost. */
#include "kit/obs/metrics.h"

#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, ROUNDS = 20000 };

static void *count(void *arg)
{
    char value[16];

    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(value, sizeof value, "%d", i % 50);
        metric_add(metrics_counter("c_total", "C", "k", value, NULL), 1);
        metric_observe_us(metrics_histogram("h_seconds", "H", NULL), i);
    }
    return NULL;
}

static void *render(void *arg)
{
    struct buf b;

    (void)arg;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 50; i++) {
        buf_reset(&b);
        metrics_render(&b);
    }
    buf_fini(&b);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS + 1];
    int64_t counted = 0;

    for (int i = 0; i < THREADS + 1; i++)
        pthread_create(&threads[i], NULL, i < THREADS ? count : render, NULL);
    for (int i = 0; i < THREADS + 1; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 50; i++) {
        char value[16];

        snprintf(value, sizeof value, "%d", i);
        counted += metric_value(metrics_counter("c_total", "C", "k", value, NULL));
    }
    counted += metric_value(metrics_histogram("h_seconds", "H", NULL));
    if (counted != 2LL * THREADS * ROUNDS) {
        fprintf(stderr, "counted %lld\n", (long long)counted);
        return 1;
    }
    return 0;
}
