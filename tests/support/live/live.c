// SPDX-License-Identifier: Apache-2.0
/* Loops, names, settings and servers for integration tests. */
#include "tests/support/live/live.h"

#include "kit/base/clock.h"
#include "kit/base/id.h"
#include "kit/base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ASK_MS = 5 };

struct until {
    struct loop_timer timer;
    bool (*cond)(void *arg);
    void *arg;
    int64_t end_us;
    bool met;
};

static void ask(struct loop_timer *t)
{
    struct until *u = CONTAINER_OF(t, struct until, timer);

    u->met = u->cond(u->arg);
    if (u->met || clock_mono_us() >= u->end_us)
        loop_stop(t->loop);
    else
        loop_timer_set(t, ASK_MS);
}

bool live_until_ms(struct loop *l, bool (*cond)(void *arg), void *arg, int64_t bound_ms)
{
    struct until u = {.cond = cond, .arg = arg};

    u.end_us = clock_mono_us() + bound_ms * 1000;
    loop_timer_init(&u.timer, l, ask);
    loop_timer_set(&u.timer, 0);
    loop_run(l);
    return u.met;
}

bool live_until(struct loop *l, bool (*cond)(void *arg), void *arg)
{
    return live_until_ms(l, cond, arg, LIVE_BOUND_MS);
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

void live_turns(struct loop *l, int64_t ms)
{
    (void)live_until_ms(l, never, NULL, ms);
}

const char *live_setting(const char *name)
{
    const char *value = getenv(name);

    if (!value)
        mem_die("%s is not set: integration tests need the private servers; see "
                "tools/dev/servers.sh",
                name);
    return value;
}

const char *live_name(struct arena *a, const char *prefix)
{
    return arena_printf(a, "%s-%08x%08x", prefix, random_u32(), random_u32()).p;
}

bool live_server(const char *action, const char *server, const char *instance)
{
    struct arena a;
    const char *script;
    pid_t child;
    int status = -1;

    arena_init(&a);
    script =
        arena_printf(&a, "%s/tools/dev/servers.sh", live_setting("VIADUCT_SOURCE")).p;
    child = fork();
    if (child == 0) {
        execl(script, script, action, server, instance, (char *)NULL);
        _exit(127);
    }
    arena_fini(&a);
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

int live_lock(const char *name)
{
    struct arena a;
    const char *path;
    int lock;

    arena_init(&a);
    path =
        arena_printf(&a, "%s/.dev/state/%s.lock", live_setting("VIADUCT_SOURCE"), name).p;
    lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (lock < 0 || flock(lock, LOCK_EX))
        mem_die("%s cannot be locked", path);
    arena_fini(&a);
    return lock;
}

void live_unlock(int lock)
{
    (void)close(lock);
}

int live_server_port(const char *server, const char *instance)
{
    struct arena a;
    const char *path;
    FILE *file;
    int port = 0;

    arena_init(&a);
    path = arena_printf(&a, "%s/.dev/state/%s/%s/port", live_setting("VIADUCT_SOURCE"),
                        instance, server)
               .p;
    file = fopen(path, "r");
    if (!file || fscanf(file, "%d", &port) != 1)
        mem_die("no port in %s", path);
    (void)fclose(file);
    arena_fini(&a);
    return port;
}
