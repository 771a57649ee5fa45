// SPDX-License-Identifier: Apache-2.0
/*
 * A program on kit/svc that can be told to misbehave. Files are its switches: a gate
 * opens, a dependency is up, start or a loop stands still for as long as the named file
 * is there.
 */
#include "kit/base/log.h"
#include "kit/svc/svc.h"

#include <stdio.h>
#include <unistd.h>

#define SAMPLE_OPTIONS(O)                                                                \
    SVC_OPTIONS(O, "127.0.0.1:0")                                                        \
    O(secret, key, "VIADUCT_SAMPLE_KEY", NULL, 8, 64, "a signing key")                   \
    O(url, db, "VIADUCT_SAMPLE_DB", "postgresql://u:hunter2@h/d", 0, 0, "a database")    \
    O(i64, conns, "VIADUCT_SAMPLE_CONNS", "4", 1, 100, "connections")                    \
    O(str, fail, "VIADUCT_SAMPLE_FAIL", "", 0, 0, "check, start or loop")                \
    O(path, gate, "VIADUCT_SAMPLE_GATE", "", 0, 0, "ready when it is there")             \
    O(path, up, "VIADUCT_SAMPLE_UP", "", 0, 0, "a dependency is up when it is there")    \
    O(path, hold_start, "VIADUCT_SAMPLE_HOLD_START", "", 0, 0,                           \
      "start waits for its end")                                                         \
    O(path, hold_loop, "VIADUCT_SAMPLE_HOLD_LOOP", "", 0, 0, "loop 0 waits for its end") \
    O(path, work, "VIADUCT_SAMPLE_WORK", "", 0, 0, "in flight until it is gone")

CONF_STRUCT(sample, SAMPLE_OPTIONS)
#define CONF_T sample
CONF_DEFINE(SAMPLE_OPTIONS)

static struct sample conf;
static struct loop_timer holder;

static bool there(void *path)
{
    return *(const char *)path && access(path, F_OK) == 0;
}

static bool is_set(const char *path)
{
    return there((void *)(uintptr_t)path);
}

static void hold(const char *path)
{
    while (is_set(path))
        usleep(2000);
}

static void hold_loop(struct loop_timer *t)
{
    hold(conf.hold_loop);
    loop_timer_set(t, 5);
}

static const struct err *fail(struct arena *a, const char *where)
{
    if (strcmp(conf.fail, where) != 0)
        return NULL;
    return err_new(a, &ERR_CODE_UNAVAILABLE, "told to fail in %s", where);
}

static const struct err *check(struct arena *a, void *c)
{
    (void)c;
    return fail(a, "check");
}

static const struct err *start(struct arena *a, struct svc *s, void *c)
{
    (void)c;
    if (*conf.up)
        svc_dependency(s, "store", there, (void *)(uintptr_t)conf.up);
    LOG_INFO(NULL, "sample.start", KV("loops", (int64_t)svc_loop_count(s)));
    hold(conf.hold_start);
    return fail(a, "start");
}

static const struct err *loop_start(struct arena *a, struct svc *s, struct loop *l,
                                    unsigned index)
{
    if (*conf.gate)
        svc_gate_when(s, l, "gate", there, (void *)(uintptr_t)conf.gate);
    if (index == 0) {
        loop_timer_init(&holder, l, hold_loop);
        loop_timer_set(&holder, 5);
    }
    return fail(a, "loop");
}

static const struct err *reload(struct arena *a, struct svc *s, void *c)
{
    const struct sample *fresh = c;

    if (strcmp(fresh->fail, "reload") == 0)
        return err_new(a, &ERR_CODE_UNAVAILABLE, "told to fail in reload");
    LOG_INFO(NULL, "sample.reload", KV("conns", fresh->conns),
             KV("loop", svc_loop(s, 1) != svc_loop(s, 0)));
    return NULL;
}

static void drain(struct svc *s, struct loop *l, unsigned index)
{
    (void)l;
    LOG_INFO(NULL, "sample.drain", KV("loop", (int64_t)index),
             KV("draining", svc_draining(s)));
}

static bool idle(struct svc *s, struct loop *l, unsigned index)
{
    (void)s;
    (void)l;
    return index != 0 || !is_set(conf.work);
}

static void loop_stop_(struct svc *s, struct loop *l, unsigned index)
{
    (void)s;
    (void)l;
    if (index == 0)
        loop_timer_clear(&holder);
    LOG_INFO(NULL, "sample.loop_stop", KV("loop", (int64_t)index));
}

static void stop(struct svc *s)
{
    (void)s;
    LOG_INFO(NULL, "sample.stop");
}

static int echo(void *c, int argc, char **argv)
{
    const struct sample *s = c;

    printf("conns=%d", (int)s->conns);
    for (int i = 0; i < argc; i++)
        printf(" <%s>", argv[i]);
    printf("\n");
    return 7;
}

int main(int argc, char **argv)
{
    static const struct svc_command commands[] = {{"echo", "say what was said", echo},
                                                  {0}};
    static const struct svc_def def = {
        .name = "svc-sample",
        .about = "A program for tests.",
        .options = sample_options,
        .conf = &conf,
        .conf_size = sizeof conf,
        .commands = commands,
        .default_loops = 2,
        .check = check,
        .start = start,
        .loop_start = loop_start,
        .reload = reload,
        .drain = drain,
        .idle = idle,
        .loop_stop = loop_stop_,
        .stop = stop,
    };

    return svc_main(&def, argc, argv);
}
