// SPDX-License-Identifier: Apache-2.0
/* Processes under test. */
#include "tests/support/stack/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void give_up(const char *what, const char *which)
{
    (void)fprintf(stderr, "%s: %s (%s)\n", what, which, strerror(errno));
    abort();
}

void program_init(struct program *p, const char *name, const char *binary,
                  const char *logs)
{
    const char *bin = getenv("VIADUCT_BIN");

    if (!bin)
        give_up("VIADUCT_BIN is not set", name);
    *p = (struct program){0};
    (void)snprintf(p->name, sizeof p->name, "%s", name);
    (void)snprintf(p->path, sizeof p->path, "%s/%s", bin, binary);
    (void)snprintf(p->logs, sizeof p->logs, "%s", logs);
}

void program_env(struct program *p, const char *fmt, ...)
{
    va_list ap;

    if (p->n_env == PROGRAM_ENV_MAX)
        give_up("too many variables", p->name);
    va_start(ap, fmt);
    (void)vsnprintf(p->env[p->n_env++], sizeof p->env[0], fmt, ap);
    va_end(ap);
}

static void become(const struct program *p, const char *command)
{
    char log[600];
    const char *argv[PROGRAM_ARGS_MAX + 2] = {p->path};
    int fd, n = 1;

    (void)snprintf(log, sizeof log, "%s/%s.log", p->logs, p->name);
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
        give_up("no log", log);
    for (int i = 0; i < p->n_env; i++)
        (void)putenv((char *)(uintptr_t)p->env[i]);
    for (int i = 0; !command && p->args[i]; i++)
        argv[n++] = p->args[i];
    if (command)
        argv[n++] = command;
    (void)execv(p->path, (char *const *)(uintptr_t)argv);
    give_up("cannot run", p->path);
}

static pid_t spawn(struct program *p, const char *command)
{
    pid_t pid = fork();

    if (pid < 0)
        give_up("fork", p->name);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that aborts leaves nothing */
        become(p, command);
    }
    return pid;
}

void program_start(struct program *p)
{
    p->pid = spawn(p, NULL);
}

int program_run(struct program *p, const char *command)
{
    int status;
    pid_t pid = spawn(p, command);

    if (waitpid(pid, &status, 0) != pid)
        give_up("waitpid", p->name);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void program_signal(const struct program *p, int signo)
{
    if (p->pid > 0 && kill(p->pid, signo) != 0)
        give_up("kill", p->name);
}

struct ending {
    struct program *p;
    int status;
};

static bool has_ended(void *arg)
{
    struct ending *e = arg;

    return waitpid(e->p->pid, &e->status, WNOHANG) == e->p->pid;
}

int program_wait(struct program *p, int timeout_s)
{
    struct ending e = {p, 0};

    program_wait_until(p, has_ended, &e, timeout_s);
    p->pid = 0;
    return WIFEXITED(e.status) ? WEXITSTATUS(e.status) : -WTERMSIG(e.status);
}

void program_kill(struct program *p)
{
    if (p->pid == 0)
        return;
    program_signal(p, SIGKILL);
    (void)program_wait(p, 10);
}

static bool comes_true(bool (*done)(void *arg), void *arg, int timeout_s,
                       const char *what)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};

    for (int i = 0; i < timeout_s * 50; i++) {
        if (done(arg))
            return true;
        (void)nanosleep(&pause, NULL);
    }
    (void)fprintf(stderr, "waited %d s in vain: %s\n", timeout_s, what);
    return false;
}

void wait_until(bool (*done)(void *arg), void *arg, int timeout_s, const char *what)
{
    if (!comes_true(done, arg, timeout_s, what))
        abort();
}

/* What it said last. */
static void print_log(const struct program *p)
{
    char text[4096];
    size_t n;
    FILE *f;

    (void)snprintf(text, sizeof text, "%s/%s.log", p->logs, p->name);
    f = fopen(text, "re");
    if (!f)
        return;
    if (fseek(f, -(long)sizeof text, SEEK_END) != 0)
        rewind(f);
    n = fread(text, 1, sizeof text, f);
    (void)fclose(f);
    (void)fprintf(stderr, "%s said last:\n%.*s\n", p->name, (int)n, text);
}

void program_wait_until(const struct program *p, bool (*done)(void *arg), void *arg,
                        int timeout_s)
{
    if (comes_true(done, arg, timeout_s, p->name))
        return;
    print_log(p);
    abort();
}
