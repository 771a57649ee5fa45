// SPDX-License-Identifier: Apache-2.0
/* One thread, one question a second. */
#include "kit/kafka/probe.h"

#include "kit/base/log.h"
#include "kit/base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { EVERY_S = 1, ANSWER_MS = 2000, STACK_BYTES = 128 * 1024 };

struct kafka_probe {
    rd_kafka_t *rk;
    pthread_t thread;
    pthread_mutex_t mutex; /* of stopped and of writing *up */
    pthread_cond_t stop;
    bool stopped;
    atomic_bool *up;
};

static void set_up(struct kafka_probe *p, bool up)
{
    pthread_mutex_lock(&p->mutex);
    if (!p->stopped && atomic_exchange(p->up, up) != up)
        LOG_INFO(NULL, "kafka.state", KV("client", rd_kafka_name(p->rk)), KV("up", up));
    pthread_mutex_unlock(&p->mutex);
}

static bool ask(struct kafka_probe *p)
{
    const struct rd_kafka_metadata *answer = NULL;
    rd_kafka_resp_err_t err = rd_kafka_metadata(p->rk, 0, NULL, &answer, ANSWER_MS);

    if (answer)
        rd_kafka_metadata_destroy(answer);
    return !err;
}

/* false: the time was over before it was told to stop. */
static bool stopped_within(struct kafka_probe *p, int seconds)
{
    struct timespec until;
    bool stopped;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&p->mutex);
    while (!p->stopped && !pthread_cond_timedwait(&p->stop, &p->mutex, &until))
        ;
    stopped = p->stopped;
    pthread_mutex_unlock(&p->mutex);
    return stopped;
}

static void *probe_thread(void *arg)
{
    struct kafka_probe *p = arg;

    do {
        set_up(p, ask(p));
    } while (!stopped_within(p, EVERY_S));
    return NULL;
}

struct kafka_probe *kafka_probe_start(rd_kafka_t *rk, atomic_bool *up)
{
    struct kafka_probe *p = MEM_NEW(struct kafka_probe);
    pthread_condattr_t monotonic;
    pthread_attr_t small;

    p->rk = rk;
    p->up = up;
    pthread_mutex_init(&p->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&p->stop, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_BYTES);
    if (pthread_create(&p->thread, &small, probe_thread, p))
        mem_die("kafka: no thread for the probe");
    pthread_attr_destroy(&small);
    return p;
}

void kafka_probe_down(struct kafka_probe *p)
{
    set_up(p, false);
}

void kafka_probe_stop(struct kafka_probe *p)
{
    pthread_mutex_lock(&p->mutex);
    p->stopped = true;
    pthread_cond_signal(&p->stop);
    pthread_mutex_unlock(&p->mutex);
}

void kafka_probe_join(struct kafka_probe *p)
{
    pthread_join(p->thread, NULL);
    pthread_cond_destroy(&p->stop);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}
