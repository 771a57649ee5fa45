// SPDX-License-Identifier: Apache-2.0
/*
 * From start to stop: starting -> running -> drain delay -> draining -> stopping. enter()
 * is the one place that changes the phase; each phase has an entry action and may have a
 * time-out.
 */
#include "kit/base/clock.h"
#include "kit/svc/internal.h"

#include <signal.h>
#include <unistd.h>

/* ---- in the loops ---- */

static bool is_idle(const struct svc_loop *l)
{
    const struct svc_def *def = l->svc->def;

    return !def->idle || def->idle(l->svc, l->loop, l->index);
}

static void ask_idle(struct loop_timer *t)
{
    struct svc_loop *l = CONTAINER_OF(t, struct svc_loop, idle_timer);

    atomic_store(&l->idle, is_idle(l));
    loop_timer_set(t, SVC_POLL_MS);
}

static void drain_loop(struct loop_post *p)
{
    struct svc_loop *l = CONTAINER_OF(p, struct svc_loop, drain);

    if (l->ended)
        return; /* it came too late and is found when the loop is taken down */
    if (l->svc->def->drain)
        l->svc->def->drain(l->svc, l->loop, l->index);
    loop_timer_init(&l->idle_timer, l->loop, ask_idle);
    loop_timer_set(&l->idle_timer, 1);
}

/* ---- in the admin thread ---- */

static unsigned busy_loops(const struct svc *s)
{
    unsigned busy = 0;

    for (unsigned i = 0; i < s->loop_count; i++)
        busy += !atomic_load(&s->loops[i].idle);
    return busy;
}

static int64_t since_start_ms(const struct svc *s)
{
    return (clock_mono_us() - s->start_us) / 1000;
}

static void look_ready(struct svc *s)
{
    s->ready = svc_gates_open(s);
    if (s->ready)
        LOG_INFO(NULL, "svc.ready", KV("ms", since_start_ms(s)));
    loop_timer_set(&s->poll_timer, s->ready ? SVC_SETTLE_MS : SVC_POLL_MS);
}

static void enter_running(struct svc *s)
{
    LOG_INFO(NULL, "svc.started", KV("ms", since_start_ms(s)));
    look_ready(s);
}

static void enter_drain_delay(struct svc *s)
{
    LOG_INFO(NULL, "svc.stop_asked", KV("delay_ms", s->conf->drain_delay_ms));
    loop_timer_set(&s->phase_timer, svc_timer_ms(s->conf->drain_delay_ms));
}

static void enter_draining(struct svc *s)
{
    LOG_INFO(NULL, "svc.draining", KV("at_most_ms", s->conf->drain_ms));
    log_flush(); /* before what the loops say of it */
    for (unsigned i = 0; i < s->loop_count; i++) {
        s->loops[i].drain.fn = drain_loop;
        loop_post(s->loops[i].loop, &s->loops[i].drain);
    }
    loop_timer_set(&s->phase_timer, svc_timer_ms(s->conf->drain_ms));
    loop_timer_set(&s->poll_timer, SVC_POLL_MS);
}

static void enter_stopping(struct svc *s)
{
    for (unsigned i = 0; i < s->loop_count; i++)
        loop_stop(s->loops[i].loop);
    loop_timer_set(&s->phase_timer, SVC_STUCK_MS);
}

static void enter(struct svc *s, enum svc_phase phase)
{
    static void (*const ENTER[])(struct svc *s) = {
        [SVC_RUNNING] = enter_running,
        [SVC_DRAIN_DELAY] = enter_drain_delay,
        [SVC_DRAINING] = enter_draining,
        [SVC_STOPPING] = enter_stopping,
    };

    loop_timer_clear(&s->phase_timer);
    loop_timer_clear(&s->poll_timer);
    atomic_store(&s->phase, phase);
    ENTER[phase](s);
}

static void drain_is_over(struct svc *s)
{
    LOG_WARN(NULL, "svc.work_cut_off", KV("busy_loops", busy_loops(s)));
    s->exit_code = 1;
    enter(s, SVC_STOPPING);
}

static void on_phase_timer(struct loop_timer *t)
{
    struct svc *s = CONTAINER_OF(t, struct svc, phase_timer);

    switch (svc_phase(s)) {
    case SVC_DRAIN_DELAY: enter(s, SVC_DRAINING); break;
    case SVC_DRAINING: drain_is_over(s); break;
    case SVC_STOPPING:
        LOG_ERROR(NULL, "svc.stop_stuck", KV("ms", (int64_t)SVC_STUCK_MS));
        log_sync();
        _exit(1);
    default: break;
    }
}

static void on_poll_timer(struct loop_timer *t)
{
    struct svc *s = CONTAINER_OF(t, struct svc, poll_timer);

    if (svc_phase(s) == SVC_RUNNING && s->ready)
        svc_settle(s);
    else if (svc_phase(s) == SVC_RUNNING)
        look_ready(s);
    else if (svc_phase(s) == SVC_DRAINING && busy_loops(s) == 0)
        enter(s, SVC_STOPPING);
    else if (svc_phase(s) == SVC_DRAINING)
        loop_timer_set(t, SVC_POLL_MS);
}

/* Once loops are being started, work may have come in: the first signal waits for the
 * rest of the start, and then drains. Before, there is nothing to lose. */
static void stop_while_starting(struct svc *s, int signo)
{
    s->stop_wanted = true;
    if (atomic_load(&s->loops_begun))
        return;
    LOG_INFO(NULL, "svc.stopped", KV("signal", signo), KV("phase", "starting"));
    log_sync();
    _exit(0);
}

static void on_signal(void *arg, int signo)
{
    struct svc *s = arg;

    if (s->stop_wanted) {
        LOG_WARN(NULL, "svc.stopped_at_once", KV("signal", signo));
        log_sync();
        _exit(1);
    }
    if (svc_phase(s) == SVC_STARTING) {
        stop_while_starting(s, signo);
        return;
    }
    s->stop_wanted = true;
    enter(s, SVC_DRAIN_DELAY);
}

static void on_hangup(void *arg, int signo)
{
    (void)signo;
    svc_reload(arg);
}

static void on_all_started(struct loop_post *p)
{
    struct svc *s = CONTAINER_OF(p, struct svc, all_started);

    enter(s, SVC_RUNNING);
    if (s->stop_wanted)
        enter(s, SVC_DRAIN_DELAY);
}

void svc_phases_init(struct svc *s)
{
    loop_timer_init(&s->phase_timer, s->admin, on_phase_timer);
    loop_timer_init(&s->poll_timer, s->admin, on_poll_timer);
    s->all_started.fn = on_all_started;
    s->sigterm = loop_signal_create(s->admin, SIGTERM, on_signal, s);
    s->sighup = loop_signal_create(s->admin, SIGHUP, on_hangup, s);
    s->sigint = loop_signal_create(s->admin, SIGINT, on_signal, s);
}

void svc_phases_fini(struct svc *s)
{
    loop_timer_clear(&s->phase_timer);
    loop_timer_clear(&s->poll_timer);
    loop_signal_destroy(s->sigterm);
    loop_signal_destroy(s->sigint);
    loop_signal_destroy(s->sighup);
}
