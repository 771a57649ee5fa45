// SPDX-License-Identifier: Apache-2.0
/*
 * The frame of every program: command line, settings, logs, loops, admin port, start,
 * drain.
 *
 *   viaduct-X [--env FILE] [--help | --version | --check | --print-config | --health]
 *   viaduct-X [--env FILE] COMMAND [ARGUMENT...]
 *
 * Start: settings -> def->start in the main thread -> one thread per loop,
 * def->loop_start in each -> ready when every gate is open. Drain on SIGTERM or SIGINT:
 * readyz says 503 at once; after VIADUCT_DRAIN_DELAY_MS def->drain is called in each
 * loop; when all of them say idle, or VIADUCT_DRAIN_MS is over, loops stop,
 * def->loop_stop runs in each, the process exits 0 (1 when work was cut off). A second
 * signal exits at once.
 *
 * SIGHUP while running: settings are read again (.env anew; the environment is what it
 * was at start), checked, and given to def->reload, which takes what may change while the
 * program runs. An error anywhere is logged (svc.reload_failed) and changes nothing.
 *
 * Any function of def may be NULL. Loops are started one after the other; one that fails
 * to start ends the process. A signal before the first loop is started ends it at once.
 * When loop_stop has run in each loop, stop is called in the main thread, and the loops
 * are freed after that: threads of libraries may post to them until then. During
 * loop_stop and stop the admin thread calls no `up`. Loops that do not end within 5 s are
 * left to the kernel.
 *
 * Admin port: /livez (the loops turn), /readyz (started and not draining: own state
 * only), /health (each dependency; 503 when one is down), /metrics.
 */
#ifndef KIT_SVC_SVC_H
#define KIT_SVC_SVC_H

#include "kit/base/err.h"
#include "kit/conf/conf.h"
#include "kit/loop/loop.h"

struct svc;

/* Options that every program has; the admin default differs, so the row is the program's.
 */
#define SVC_OPTIONS(O, ADMIN_DEFAULT)                                                    \
    O(str, admin_listen, "VIADUCT_ADMIN_LISTEN", ADMIN_DEFAULT, 0, 0,                    \
      "address of /livez, /readyz, /health and /metrics")                                \
    O(str, log_level, "VIADUCT_LOG_LEVEL", "info", 0, 0, "debug, info, warn or error")   \
    O(ms, drain_delay_ms, "VIADUCT_DRAIN_DELAY_MS", "0", 0, 60000,                       \
      "how long to go on as usual after SIGTERM while others learn of it")               \
    O(ms, drain_ms, "VIADUCT_DRAIN_MS", "10000", 0, 600000,                              \
      "longest wait for work under way")                                                 \
    O(i64, loops, "VIADUCT_LOOPS", "0", 0, 256, "event loops; 0: the program's default") \
    O(str, zone, "VIADUCT_ZONE", "", 0, 64,                                              \
      "where it runs; replicas of the same zone are preferred, empty: all the same")

struct svc_base_conf { /* the first members of every program's conf, made by SVC_OPTIONS
                        */
    SVC_OPTIONS(CONF_MEMBER, "")
};

struct svc_command {
    const char *name; /* "migrate" */
    const char *doc;
    /* argv after the name. Returns the exit code. */
    int (*run)(void *conf, int argc, char **argv);
};

struct svc_def {
    const char *name; /* "viaduct-users" */
    const char *about;
    const struct conf_option *options;
    void *conf; /* its first members are SVC_OPTIONS */
    size_t conf_size;
    const struct svc_command *commands; /* ends with {0} */
    unsigned default_loops;             /* 0: one per core */
    const struct err *(*check)(struct arena *a,
                               void *conf); /* beyond types and bounds; may be NULL */
    const struct err *(*start)(struct arena *a, struct svc *s,
                               void *conf); /* once, no loop yet */
    const struct err *(*loop_start)(struct arena *a, struct svc *s, struct loop *l,
                                    unsigned index);
    /* In the admin thread. First everything that can fail (files are read here, not in a
     * loop), then loop_post() to the loops of svc_loop(). `conf` and what was allocated
     * on `a` stay to the end of the process when it succeeds, and go when it fails.
     * Not called before all loops have started, nor once the drain has begun: but a post
     * may then still be on its way. svc_conf() remains that of the start. */
    const struct err *(*reload)(struct arena *a, struct svc *s, void *conf);
    void (*drain)(struct svc *s, struct loop *l, unsigned index);
    bool (*idle)(struct svc *s, struct loop *l,
                 unsigned index); /* asked repeatedly after drain */
    void (*loop_stop)(struct svc *s, struct loop *l, unsigned index);
    void (*stop)(struct svc *s); /* once, loops are gone */
};

int svc_main(const struct svc_def *def, int argc, char **argv);

void *svc_conf(const struct svc *s);
unsigned svc_loop_count(const struct svc *s);
/* Any thread, from def->start on; to post to. */
struct loop *svc_loop(const struct svc *s, unsigned index);
bool svc_draining(const struct svc *s);
/* Makes room for n of them in the kernel's table at once: it grows in steps, and in each
 * of them whoever opens something waits for all processors (RCU), 10 ms and more. Best
 * before there are loops; more than that may be opened all the same. */
void svc_reserve_descriptors(size_t n);

/* Ready waits for every gate: add in start or loop_start, open when (say) the first
 * database connection is there. Any thread opens. */
struct svc_gate;
struct svc_gate *svc_gate_add(struct svc *s, const char *name);
void svc_gate_open(struct svc_gate *g);
/* A gate that opens when up(arg), asked in the loop every few milliseconds, says true;
 * also a row of /health under the same name: up() only reads atomics. In start of the
 * loop. */
void svc_gate_when(struct svc *s, struct loop *l, const char *name, bool (*up)(void *arg),
                   void *arg);

/* A row of /health. `up(arg)` is called in the admin thread: it reads atomics or asks
 * things that may be read from any thread. */
void svc_dependency(struct svc *s, const char *name, bool (*up)(void *arg), void *arg);

#endif
