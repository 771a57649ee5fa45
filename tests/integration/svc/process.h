// SPDX-License-Identifier: Apache-2.0
/* The sample as a process: started with settings, its output read, its admin port asked.
 * All waits are for a condition and end the test after PROCESS_PATIENCE_MS. */
#ifndef TESTS_INTEGRATION_SVC_PROCESS_H
#define TESTS_INTEGRATION_SVC_PROCESS_H

#include "kit/base/buf.h"

#include <sys/types.h>

enum { PROCESS_PATIENCE_MS = 30000 };

struct process {
    pid_t pid;
    int out;        /* standard output and error */
    struct buf log; /* NUL-terminated behind its content */
    int status;     /* exit code, 128 + signal; -1 while it runs */
};

/* A folder of its own is the working directory; ended and removed by world_end. */
void world_begin(void);
void world_end(void);
/* In that folder. */
const char *file(const char *name);
void put_file(const char *name, const char *text);
void drop_file(const char *name);
/* A setting for the processes to come. */
void set(const char *name, const char *value);

/* Arguments end with NULL; at most one process at a time. */
struct process *start(const char *arg, ...) __attribute__((sentinel));
/* Until the output has a line with this text, and all of it. */
void wait_output(struct process *p, const char *text);
int wait_exit(struct process *p);
/* Runs to its end; the exit code. */
int run(const char *arg, ...) __attribute__((sentinel));
const char *output(void);

/* Started and listening. */
struct process *start_service(void);
int admin_port(struct process *p);

/* The status, 0 when nobody answers; the whole answer is in *answer when not NULL. */
int get(struct process *p, const char *path, const char **answer);
int ask(struct process *p, const char *request, const char **answer);
void wait_status(struct process *p, const char *path, int status);

#endif
