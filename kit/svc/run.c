// SPDX-License-Identifier: Apache-2.0
/* Start and stop, in reading order. */
#include "kit/base/clock.h"
#include "kit/base/mem.h"
#include "kit/svc/internal.h"

#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LOOPS_MAX = 256, FDS_MAX = 1 << 20, FDS_FIRST = 1024, VALUE_CAP = 1024 };

/* ---- the process ---- */

/* A limit of a thousand million descriptors, as containers have, helps nobody. */
static void raise_fd_limit(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        return;
    r.rlim_cur = r.rlim_max < FDS_MAX ? r.rlim_max : FDS_MAX;
    (void)setrlimit(RLIMIT_NOFILE, &r);
    svc_reserve_descriptors(FDS_FIRST);
}

/* The table is as long as the highest descriptor that ever was. */
void svc_reserve_descriptors(size_t n)
{
    struct rlimit r;
    int fd;

    if (n == 0 || getrlimit(RLIMIT_NOFILE, &r) != 0)
        return;
    fd =
        fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, (int)(n < r.rlim_cur ? n : r.rlim_cur) - 1);
    if (fd >= 0)
        close(fd);
}

/* A heap grows by mmap, brk or mprotect, each of which waits for page faults in other
 * threads, such as the 64 MiB of a password hash. So it grows seldom, in large steps. */
static void grow_seldom(void)
{
    enum { MIB = 1 << 20 };

    (void)mallopt(M_TOP_PAD, 2 * MIB);
    (void)mallopt(M_TRIM_THRESHOLD, 8 * MIB);
    (void)mallopt(M_MMAP_THRESHOLD, MIB);
}

/* All threads to come inherit the mask; the admin thread alone lets the signals in. */
static void block_signals(void)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static unsigned cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

    return n > 0 ? (unsigned)n : 1;
}

/* The share a container was given (cgroup 2), rounded up; many where there is no limit.
 */
static unsigned cores_of_cgroup(void)
{
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "re");
    long long quota, period;
    int n;

    if (!f)
        return LOOPS_MAX;
    n = fscanf(f, "%lld %lld", &quota, &period);
    fclose(f);
    if (n != 2 || quota <= 0 || period <= 0 || quota / period >= LOOPS_MAX)
        return LOOPS_MAX;
    return (unsigned)((quota + period - 1) / period);
}

static unsigned loop_count(const struct svc *s)
{
    unsigned n = cores();

    if (s->conf->loops > 0)
        return (unsigned)s->conf->loops;
    if (s->def->default_loops > 0)
        return s->def->default_loops;
    n = n < cores_of_cgroup() ? n : cores_of_cgroup();
    return n < LOOPS_MAX ? n : LOOPS_MAX;
}

/* ---- what the log says first ---- */

static struct str shown(struct arena *a, const struct conf_option *o, const void *conf)
{
    struct str value;
    struct buf b;

    buf_init(&b, VALUE_CAP);
    conf_print_value(&b, o, conf);
    value = arena_str(a, buf_view(&b));
    buf_fini(&b);
    return value;
}

static void log_settings(struct svc *s)
{
    const struct conf_option *options = s->def->options;
    struct log_kv *kv;
    size_t n = 0;

    while (options[n].env)
        n++;
    kv = ARENA_ARRAY(&s->arena, struct log_kv, n);
    for (size_t i = 0; i < n; i++)
        kv[i] = log_kv_str(options[i].env, shown(&s->arena, &options[i], s->def->conf));
    if (log_enabled(LOG_LEVEL_INFO))
        log_write(LOG_LEVEL_INFO, NULL, "svc.settings", kv, n);
}

static void log_start(struct svc *s)
{
    LOG_INFO(NULL, "svc.starting", KV("version", VIADUCT_VERSION),
             KV("pid", (int64_t)getpid()), KV("loops", (int64_t)s->loop_count),
             KV("admin_port", http_server_port(s->http)));
    log_settings(s);
}

/* ---- start and stop ---- */

static void init(struct svc *s, const struct svc_def *def)
{
    *s = (struct svc){.def = def, .conf = def->conf, .start_us = clock_mono_us()};
    arena_init(&s->arena);
    arena_init(&s->rows);
    list_init(&s->gates);
    list_init(&s->dependencies);
    list_init(&s->reloaded);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->loop_started, NULL);
    s->loop_count = loop_count(s);
    s->loops = mem_alloc(sizeof *s->loops * s->loop_count);
}

static void fini(struct svc *s)
{
    svc_reloads_fini(s);
    pthread_cond_destroy(&s->loop_started);
    pthread_mutex_destroy(&s->lock);
    arena_fini(&s->arena);
    arena_fini(&s->rows);
    free(s->loops);
}

static int start_failed(const struct err *e)
{
    LOG_ERROR(NULL, "svc.start_failed", KV("code", e->code->name),
              KV("detail", e->detail.n > 0 ? e->detail : str_of(e->code->title)));
    return 1;
}

/* Until a signal has stopped the loops. */
static int serve(struct svc *s)
{
    const struct err *e =
        s->def->start ? s->def->start(&s->arena, s, s->def->conf) : NULL;

    if (e) {
        svc_admin_stop(s);
        return start_failed(e);
    }
    atomic_store(&s->loops_begun, true);
    e = svc_loops_start(s);
    if (e) {
        /* half a loop cannot be taken apart in order; nothing was promised to anybody yet
         */
        start_failed(e);
        log_sync();
        _exit(1);
    }
    loop_post(s->admin, &s->all_started);
    svc_loops_join(s);
    if (s->def->stop)
        s->def->stop(s);
    svc_admin_stop(s);
    svc_loops_destroy(s);
    LOG_INFO(NULL, "svc.stopped", KV("exit_code", s->exit_code));
    return s->exit_code;
}

int svc_run(const struct svc_def *def)
{
    static struct svc s; /* signal handlers and threads outlive no stack frame */
    const struct err *e;
    int exit_code;

    grow_seldom();
    raise_fd_limit();
    block_signals();
    log_background(true);
    init(&s, def);
    e = svc_admin_start(&s);
    if (e) {
        exit_code = start_failed(e);
    } else {
        log_start(&s);
        exit_code = serve(&s);
    }
    fini(&s);
    log_background(false);
    return exit_code;
}

void *svc_conf(const struct svc *s)
{
    return s->def->conf;
}

unsigned svc_loop_count(const struct svc *s)
{
    return s->loop_count;
}

struct loop *svc_loop(const struct svc *s, unsigned index)
{
    return s->loops[index].loop;
}

bool svc_draining(const struct svc *s)
{
    return svc_phase(s) >= SVC_DRAIN_DELAY;
}
