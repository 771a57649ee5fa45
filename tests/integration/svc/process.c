// SPDX-License-Identifier: Apache-2.0
/* See process.h. */
#include "process.h"

#include "kit/base/clock.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 16, OUTPUT_CAP = 1 << 20 };

static char folder[] = "/tmp/viaduct-svc-XXXXXX";
static struct process process;
static struct buf answered;

void world_begin(void)
{
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
    buf_init(&process.log, OUTPUT_CAP);
    buf_init(&answered, OUTPUT_CAP);
    process.status = 0;
    set("VIADUCT_SAMPLE_KEY", "a-good-key");
}

void world_end(void)
{
    char command[128];

    if (process.status == -1)
        kill(process.pid, SIGKILL);
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
    buf_fini(&process.log);
    buf_fini(&answered);
}

const char *file(const char *name)
{
    static char path[4][64];
    static unsigned next;
    char *p = path[next++ % 4];

    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

void put_file(const char *name, const char *text)
{
    FILE *f = fopen(file(name), "w");

    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
}

void drop_file(const char *name)
{
    cr_assert_eq(unlink(file(name)), 0);
}

void set(const char *name, const char *value)
{
    setenv(name, value, 1);
}

/* ---- the process ---- */

static void become_sample(int out, char **argv)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/svc-sample", getenv("VIADUCT_BIN"));
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execv(path, argv);
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    _exit(127);
}

static struct process *spawn(char **argv)
{
    int out[2];

    cr_assert_not_null(getenv("VIADUCT_BIN"), "run by ctest");
    cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
    buf_reset(&process.log);
    process.pid = fork();
    if (process.pid == 0)
        become_sample(out[1], argv);
    close(out[1]);
    process.out = out[0];
    process.status = -1;
    return &process;
}

static void read_args(char **argv, const char *first, va_list ap)
{
    int n = 0;

    argv[n++] = (char *)(uintptr_t)"svc-sample";
    for (const char *arg = first; arg; arg = va_arg(ap, const char *))
        argv[n++] = (char *)(uintptr_t)arg;
    argv[n] = NULL;
}

struct process *start(const char *arg, ...)
{
    char *argv[ARGS_MAX];
    va_list ap;

    va_start(ap, arg);
    read_args(argv, arg, ap);
    va_end(ap);
    return spawn(argv);
}

static const char *output_of(struct process *p)
{
    struct buf *b = &p->log;

    buf_byte(b, '\0');
    cr_assert_not(b->failed);
    b->n--;
    return b->p;
}

const char *output(void)
{
    return output_of(&process);
}

/* False at the end of the output. */
static bool read_more(struct process *p)
{
    struct pollfd fd = {.fd = p->out, .events = POLLIN};
    char chunk[4096];
    ssize_t n;

    cr_assert_eq(poll(&fd, 1, PROCESS_PATIENCE_MS), 1, "nothing more after\n%s",
                 output_of(p));
    n = read(p->out, chunk, sizeof chunk);
    if (n > 0)
        buf_put(&p->log, chunk, (size_t)n);
    return n > 0;
}

/* What is read at once may end anywhere. */
static bool has_line(const char *output, const char *text)
{
    const char *at = strstr(output, text);

    return at && strchr(at, '\n');
}

void wait_output(struct process *p, const char *text)
{
    while (!has_line(output_of(p), text))
        cr_assert(read_more(p), "ended without '%s':\n%s", text, output_of(p));
}

int wait_exit(struct process *p)
{
    int status;

    while (read_more(p)) {
    }
    cr_assert_eq(waitpid(p->pid, &status, 0), p->pid);
    close(p->out);
    p->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return p->status;
}

int run(const char *arg, ...)
{
    char *argv[ARGS_MAX];
    va_list ap;

    va_start(ap, arg);
    read_args(argv, arg, ap);
    va_end(ap);
    return wait_exit(spawn(argv));
}

struct process *start_service(void)
{
    struct process *p = start(NULL, NULL);

    wait_output(p, "\"svc.starting\"");
    return p;
}

int admin_port(struct process *p)
{
    wait_output(p, "\"admin_port\":");
    return (int)strtol(strstr(output_of(p), "\"admin_port\":") + 13, NULL, 10);
}

/* ---- the admin port ---- */

static int dial(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static void read_answer(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char chunk[4096];
    ssize_t n;

    buf_reset(&answered);
    do {
        cr_assert_eq(poll(&ready, 1, PROCESS_PATIENCE_MS), 1);
        n = recv(fd, chunk, sizeof chunk, 0);
        if (n > 0)
            buf_put(&answered, chunk, (size_t)n);
    } while (n > 0);
    buf_byte(&answered, '\0');
}

int ask(struct process *p, const char *request, const char **answer)
{
    int fd = dial(admin_port(p)), status = 0;

    if (fd < 0)
        return 0;
    cr_assert_eq(send(fd, request, strlen(request), MSG_NOSIGNAL),
                 (ssize_t)strlen(request));
    read_answer(fd);
    close(fd);
    if (answer)
        *answer = answered.p;
    return sscanf(answered.p, "HTTP/1.1 %3d", &status) == 1 ? status : 0;
}

int get(struct process *p, const char *path, const char **answer)
{
    char request[256];

    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    return ask(p, request, answer);
}

void wait_status(struct process *p, const char *path, int status)
{
    int64_t until_us = clock_mono_us() + (int64_t)PROCESS_PATIENCE_MS * 1000;

    while (get(p, path, NULL) != status) {
        cr_assert_lt(clock_mono_us(), until_us, "%s was never %d", path, status);
        usleep(5000);
    }
}
