// SPDX-License-Identifier: Apache-2.0
/*
 * Inside of kit/svc. Three sorts of threads: the main thread starts everything and waits;
 * one thread per loop; the admin thread, with a loop of its own, serves the admin port,
 * takes the signals, and is the only one that moves the phase. What others must know of
 * is atomic or under the lock.
 */
#ifndef KIT_SVC_INTERNAL_H
#define KIT_SVC_INTERNAL_H

#include "kit/base/arena.h"
#include "kit/base/buf.h"
#include "kit/http/http.h"
#include "kit/obs/metrics.h"
#include "kit/svc/svc.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    SVC_POLL_MS = 5,          /* gates, idle loops */
    SVC_SETTLE_MS = 1000,     /* from being ready to the end of all that starting does */
    SVC_PING_MS = 250,        /* how often loops are asked whether they turn */
    SVC_PING_LIMIT_MS = 1000, /* one that has not answered by then is stuck */
    SVC_STUCK_MS = 5000,      /* longest stop of loops that have nothing to do any more */
    SVC_PAGE_CAP = 16 << 20,
};

enum svc_phase {
    SVC_STARTING,
    SVC_RUNNING,
    SVC_DRAIN_DELAY, /* going on as usual, but not ready */
    SVC_DRAINING,    /* def->drain was called; waiting for idle loops */
    SVC_STOPPING,    /* loops end */
};

/* What is told of a loop's turns; watch.c has the names. */
struct svc_turns {
    struct metric *turns, *longest, *over_5ms, *longest_own, *own_over_5ms;
};

struct svc_loop {
    struct svc *svc;
    struct loop *loop;
    unsigned index;
    pthread_t thread;
    struct arena arena;
    const struct err *start_err;
    bool started; /* under svc->lock */
    struct list watches;
    bool ended; /* the thread's own: it turns no more */

    struct loop_post drain;
    struct loop_timer idle_timer;
    _Atomic bool idle;

    struct loop_post ping;
    _Atomic bool ping_out;
    int64_t ping_us; /* the admin thread's */

    struct svc_turns turns;
};

/* Of a reload; kept to the end, as anybody may have taken a part of them. */
struct svc_settings {
    struct list link;
    struct arena arena;
    void *conf;
};

struct svc {
    const struct svc_def *def;
    struct svc_base_conf *conf;
    struct arena arena;
    int64_t start_us;
    unsigned loop_count;
    struct svc_loop *loops;

    pthread_mutex_t lock;
    pthread_cond_t loop_started;
    struct arena rows; /* this and the lists: under the lock */
    struct list gates, dependencies;

    _Atomic enum svc_phase phase;
    _Atomic bool loops_begun;
    struct loop_post all_started;
    int exit_code;

    /* the admin thread's */
    struct loop *admin;
    pthread_t admin_thread;
    struct http_server *http;
    struct loop_signal *sigterm, *sigint, *sighup;
    struct list reloaded;
    struct loop_timer phase_timer, poll_timer, ping_timer;
    bool ready, stop_wanted;
    struct svc_turns admin_turns;
};

static inline enum svc_phase svc_phase(const struct svc *s)
{
    return atomic_load(&s->phase);
}

static inline int64_t svc_timer_ms(int64_t ms)
{
    return ms > 0 ? ms : 1;
}

/* run.c: everything after the settings are read. The exit code. */
int svc_run(const struct svc_def *def);

/* svc.c: from the .env file and the environment, checked. */
MUST_CHECK const struct err *svc_settings_load(struct arena *a, const struct svc_def *def,
                                               void *conf, enum log_level *level);

/* reload.c: in the admin thread */
void svc_reload(struct svc *s);
void svc_reloads_fini(struct svc *s);

/* loops.c */
MUST_CHECK const struct err *svc_loops_start(struct svc *s);
void svc_loops_join(struct svc *s);
void svc_loops_destroy(struct svc *s);

/* admin.c */
MUST_CHECK const struct err *svc_admin_start(struct svc *s);
void svc_admin_stop(struct svc *s);

/* phase.c: all in the admin thread */
void svc_phases_init(struct svc *s);
void svc_phases_fini(struct svc *s);

/* gates.c */
bool svc_gates_open(struct svc *s);
/* Names of those that are shut, as a JSON array. */
void svc_gates_put_shut(struct svc *s, struct buf *b);
/* As a JSON array; false when one is down. */
bool svc_dependencies_put(struct svc *s, struct buf *b);
/* Gates of this loop that still ask; in its thread. */
void svc_watches_end(struct svc_loop *l);

/* watch.c: liveness and turn times */
void svc_watch_init(struct svc *s);
void svc_watch_fini(struct svc *s);
unsigned svc_stuck_loops(const struct svc *s);

/* health.c: asks /readyz of the process that listens there; an exit code. */
int svc_health(const char *admin_listen);
/* "host:port"; copies the host, false when malformed. */
bool svc_split_address(const char *listen, char *host, size_t host_size, int *port);

/* settle.c: once, when start-up is over; in the admin thread */
void svc_settle(struct svc *s);

/* version.c */
void svc_print_version(const struct svc_def *def);

#endif
