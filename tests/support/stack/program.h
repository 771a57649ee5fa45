// SPDX-License-Identifier: Apache-2.0
/*
 * A process under test: started with its own environment and log file, watched and ended
 * by pid. Nothing here fails quietly: what cannot be done prints why and aborts the test.
 */
#ifndef TESTS_SUPPORT_STACK_PROGRAM_H
#define TESTS_SUPPORT_STACK_PROGRAM_H

#include "tests/support/port/port.h"

#include <stdbool.h>
#include <sys/types.h>

enum { PROGRAM_ARGS_MAX = 8, PROGRAM_ENV_MAX = 24 };

struct program {
    char name[32]; /* of its log, <logs>/<name>.log, appended over restarts */
    char path[512];
    char logs[512];
    const char *args[PROGRAM_ARGS_MAX]; /* after argv[0]; ends with NULL */
    char env[PROGRAM_ENV_MAX][256];     /* "NAME=value", over what the test has */
    int n_env;
    pid_t pid; /* 0: not running */
};

/* The program in VIADUCT_BIN. Does not start it. */
void program_init(struct program *p, const char *name, const char *binary,
                  const char *logs);
__attribute__((format(printf, 2, 3))) void program_env(struct program *p, const char *fmt,
                                                       ...);

void program_start(struct program *p);
/* Runs a command of it to its end; its exit code. */
int program_run(struct program *p, const char *command);
void program_signal(const struct program *p, int signo);
/* Waits until it has ended; exit code, or -signal. Kills and aborts after timeout_s. */
int program_wait(struct program *p, int timeout_s);
/* SIGKILL, and reaped. */
void program_kill(struct program *p);

/* Asks `done` every 20 ms until it says true; aborts the test with `what` after
 * timeout_s. */
void wait_until(bool (*done)(void *arg), void *arg, int timeout_s, const char *what);
/* The same for something that a program does; prints what it said last before it aborts.
 */
void program_wait_until(const struct program *p, bool (*done)(void *arg), void *arg,
                        int timeout_s);

#endif
